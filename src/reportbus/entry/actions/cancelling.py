"""Cancelling requests, also those that still wait in the worktable."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reportbus.core.intake import row_to_text
from reportbus.entry.actions.finding import find, not_taken_in, taken_in
from reportbus.ports import Batch, Message
from reportbus.stages.accept import Accept

if TYPE_CHECKING:
    from collections.abc import Callable

    from reportbus.core.intake import IntakeRules
    from reportbus.core.model import Status
    from reportbus.core.redact import Redactor
    from reportbus.entry.actions.finding import Found
    from reportbus.ports import Clock, Intake, Operations, Records, WorktableRow, WorktableRows


class Desk(NamedTuple):
    """What takes a request in and ends it."""

    intake: Intake
    operations: Operations
    records: Records
    worktable: WorktableRows
    rules: Callable[[], IntakeRules]
    clock: Clock
    redactor: Redactor


def cancel(found: Found, by: str, open_desk: Callable[[], Desk]) -> Status:
    """End the request without new work; how it shows then.

    A row that waits in the worktable is taken in first, as an orchestrator would: whoever has read it by
    then, or finds its message on the bus, meets a request that is known. Raises Refused RUN_ENDED, or
    RUN_NOT_TAKEN_IN for a row that nobody will take up, without opening the desk.
    """
    if found.view is None and found.ended:
        raise not_taken_in(found)
    desk = open_desk()
    if found.view is None and found.row is not None:
        _take_in(found.row, desk)
        found = find(found.request_id, desk.records, desk.worktable)
    return desk.operations.cancel(taken_in(found).request_id, by)


def _take_in(row: WorktableRow, desk: Desk) -> None:
    Accept(
        consumer=_One(row),
        intake=desk.intake,
        rules=desk.rules(),
        clock=desk.clock,
        redactor=desk.redactor,
    ).run_once(0)


class _One:
    """A consumer of one message: the row as the poller publishes it."""

    def __init__(self, row: WorktableRow) -> None:
        self._message = Message(row.ref, row_to_text(row.ref, row.columns, row.distribution))

    def poll(self, limit: int, timeout: float) -> Batch:
        del limit, timeout
        return Batch((self._message,), "")

    def commit(self, batch: Batch) -> None:
        """Nothing to commit: nobody gave it out."""

    def close(self) -> None:
        """Nothing to let go of."""
