"""Poll: put PENDING rows of the worktable on the bus."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from reportbus.core.intake import row_to_text
from reportbus.core.text import one_line
from reportbus.ports import Message

if TYPE_CHECKING:
    from reportbus.ports import Bus, Clock, Worktable, WorktableRow

_KEY_WIDTH: Final = 100
_BURST_SECONDS: Final = 5
"""Rows are published again in bursts worth up to so many seconds: a row of a larger batch costs less."""


class Poll:
    """The pump between the worktable and the bus. It decides nothing about a row and needs no ledger.

    A row is published anew where it is still PENDING `republish_seconds` after the last time, so that what
    the bus loses costs time and nothing else. Most rows that are still PENDING then are not lost but wait
    for a worker: on average `republish_per_second` are published anew at most, and never in the place of
    new ones.
    """

    def __init__(
        self,
        *,
        worktable: Worktable,
        bus: Bus,
        clock: Clock,
        topic: str,
        batch: int = 500,
        republish_seconds: float = 60,
        republish_per_second: int = 100,
    ) -> None:
        self._worktable = worktable
        self._bus = bus
        self._clock = clock
        self._topic = topic
        self._batch = batch
        self._republish = timedelta(seconds=republish_seconds)
        self._per_second = republish_per_second
        self._not_again_before = 0.0

    def run_once(self) -> int:
        """Publish up to a batch of new rows and what may be published anew, then stamp them; how many.

        Where stamping fails they are published again: the ledger takes each of them in once.
        """
        now, moment = self._clock.now(), self._clock.monotonic()
        most = min(self._batch, _BURST_SECONDS * self._per_second)
        again = most if moment >= self._not_again_before else 0
        rows = self._worktable.fetch(self._batch, again=again, published_before=now - self._republish)
        if not rows:
            return 0
        self._bus.publish(self._topic, [_message(row) for row in rows])
        repeated = sum(row.columns.get("PROCESSED_AT") is not None for row in rows)
        if repeated:
            self._not_again_before = moment + repeated / self._per_second
        self._worktable.stamp([row.ref for row in rows], now)
        return len(rows)


def _message(row: WorktableRow) -> Message:
    """The row as a message; its key keeps the rows of one request id together."""
    request_id = row.columns.get("REQUEST_ID")
    key = request_id.strip() if isinstance(request_id, str) else ""
    return Message(one_line(key or row.ref, _KEY_WIDTH), row_to_text(row.ref, row.columns, row.distribution))
