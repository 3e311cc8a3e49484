"""Watching the requests on their way: bars at a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click

from reportbus.core.errors import Transient
from reportbus.core.model import TERMINAL, Status
from reportbus.entry.cli.context import Failure
from reportbus.ports import Filter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from reportbus.entry.demo.running import Running
    from reportbus.entry.demo.stopping import Stop
    from reportbus.ports import Records, RequestView

    Show = Callable[["Tally"], None]

OPEN: Final = tuple(status for status in Status if status not in TERMINAL)
_MADE: Final = frozenset({Status.GENERATED, Status.DISTRIBUTED, Status.COMPLETED})
_LOOK_SECONDS: Final = 0.1
_LINE_SECONDS: Final = 1.0
_PATIENCE_SECONDS: Final = 240.0
_SETTLED_SECONDS: Final = 60.0
_MOST: Final = 100_000


@dataclass(frozen=True, slots=True)
class Tally:
    """How far the requests are, of `asked` many.

    `targets` are those of the requests taken in by then; the `refused` ones have none, and are never made.
    """

    asked: int
    taken: int = 0
    refused: int = 0
    made: int = 0
    targets: int = 0
    delivered: int = 0
    ended: int = 0
    failed: int = 0

    @classmethod
    def of(cls, asked: int, views: Sequence[RequestView]) -> Tally:
        """Counted from what the ledger shows."""
        return cls(
            asked,
            len(views),
            sum(view.refused for view in views),
            sum(view.status in _MADE or view.delivered > 0 for view in views),
            sum(view.targets for view in views),
            sum(view.delivered for view in views),
            sum(view.status in TERMINAL for view in views),
            sum(view.status is Status.FAILED for view in views),
        )


@dataclass(frozen=True, slots=True)
class Watch:
    """Looks at the requests `ids`, taken in since `since`, until all have ended."""

    records: Records
    ids: frozenset[str]
    since: datetime
    line: Running
    stop: Stop

    def until_ended(self, show: Show) -> Sequence[RequestView]:
        """Show each look, and return the last one.

        Ends the command where the line dies, or they do not end in time. Raises Interrupted.
        """
        until = time.monotonic() + _PATIENCE_SECONDS
        views: Sequence[RequestView] = ()
        while True:
            with suppress(Transient):  # a busy disk; the next look is soon
                views = self.look()
            tally = Tally.of(len(self.ids), views)
            show(tally)
            if tally.ended == tally.asked:
                return views
            self.line.check()
            if time.monotonic() > until:
                open_ = tally.asked - tally.ended
                raise Failure(
                    [f"{open_} of {tally.asked} requests had not ended after {_PATIENCE_SECONDS:g} s"]
                )
            self.stop.wait(_LOOK_SECONDS)

    def until_settled(self, also: Callable[[], bool] = lambda: True) -> None:
        """Wait until nothing is open any more, notices included, and `also` holds.

        Ends the command where that is not so in time. Raises Interrupted.
        """
        until = time.monotonic() + _SETTLED_SECONDS
        open_ = list(self.ids)
        while (open_ := [each for each in open_ if self.records.jobs(each)]) or not also():
            self.line.check()
            if time.monotonic() > until:
                raise Failure([f"notices or older requests are still open after {_SETTLED_SECONDS:g} s"])
            self.stop.wait(_LOOK_SECONDS)

    def look(self) -> Sequence[RequestView]:
        """The requests as they are now, those that are taken in."""
        found = self.records.list(Filter(since=self.since, limit=_MOST))
        return [view for view in found if view.request_id in self.ids]


@contextmanager
def showing() -> Iterator[Show]:
    """What shows tallies to whoever is there."""
    if not sys.stdout.isatty():
        yield _Lines().show
        return
    from reportbus.entry.demo.bars import Bars

    with Bars() as bars:
        yield bars.show


class _Lines:
    """A line when something has moved, at most one a second, and at the end."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._next = 0.0
        self._last = ""

    def show(self, tally: Tally) -> None:
        """Print how far they are."""
        now = time.monotonic()
        words = tally_words(tally)
        if words == self._last or (now < self._next and tally.ended < tally.asked):
            return
        click.echo(f"{now - self._began:5.1f} s  {words}")
        self._last, self._next = words, now + _LINE_SECONDS


def tally_words(tally: Tally) -> str:
    """How far they are, in words."""
    failed = f", {tally.failed} of them FAILED" if tally.failed else ""
    return (
        f"{tally.taken} taken in, {tally.made} made, {tally.delivered} of {tally.targets} delivered, "
        f"{tally.ended} of {tally.asked} ended{failed}"
    )
