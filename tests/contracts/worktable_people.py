"""The other clients of a worktable, and what the suites of the port share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from reportbus.core.model import TERMINAL, Status
from reportbus.ports import WriteBack

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reportbus.core.model import JsonValue
    from reportbus.ports import Worktable, WorktableRow

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
LONG_AGO = NOON - timedelta(days=1)
WAIT_SECONDS = 20

ORDER = (Status.PENDING, Status.IN_PROGRESS, Status.GENERATED, Status.DISTRIBUTED, Status.COMPLETED)


class People(Protocol):
    """Other clients of the table: every call is a committed transaction."""

    def add(self, request_id: str | None, **columns: object) -> None:
        """Insert a request; REPORT_TYPE and REPORT_NAME have a value where none is given."""

    def add_target(self, config_id: str, request_id: str, **columns: object) -> None:
        """Insert a row of DISTRIBUTION_CONFIG; TARGET_TYPE is NAS where none is given."""

    def change(self, request_id: str, **columns: object) -> None:
        """Update the request."""

    def remove(self, request_id: str) -> None:
        """Delete the request."""

    def row(self, request_id: str) -> Mapping[str, object]:
        """The request's columns; PROCESSED_AT and COMPLETED_AT as a datetime in UTC or None."""


def fetch(worktable: Worktable, limit: int = 1_000) -> Sequence[WorktableRow]:
    return worktable.fetch(limit, again=limit, published_before=LONG_AGO)


def ids(rows: Sequence[WorktableRow]) -> list[JsonValue]:
    return [row.columns["REQUEST_ID"] for row in rows]


def ref_of(worktable: Worktable, request_id: str) -> str:
    return next(row.ref for row in fetch(worktable) if row.columns["REQUEST_ID"] == request_id)


def change(
    ref: str, status: Status, completed_at: datetime | None = None, *, reopened: bool = False
) -> WriteBack:
    return WriteBack(ref, "R-1", status, completed_at, reopened)


def until_quiet(worktable: Worktable) -> None:
    """Hear the old news."""
    while worktable.changed(0.0):
        pass


def expected(was: Status, asked: Status, *, reopened: bool) -> Status:
    """Where a row stands after a change."""
    if was in TERMINAL:
        return asked if reopened and was == Status.FAILED else was
    return asked if asked == Status.FAILED or ORDER.index(asked) > ORDER.index(was) else was
