"""The table people put requests into."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from reportbus.core.model import JsonValue, Status


class WorktableRow(NamedTuple):
    """One PENDING row of REPORT_REQUESTS as it stands, with its DISTRIBUTION_CONFIG rows.

    `ref` is what the adapter needs to find this very row again, whatever its REQUEST_ID holds; nobody else
    reads it. `columns` maps the specification's column names to raw values (None, int, float, str), VARIANT
    columns as their JSON text; so do the entries of `distribution`.
    """

    ref: str
    columns: Mapping[str, JsonValue]
    distribution: tuple[Mapping[str, JsonValue], ...] = ()


class WriteBack(NamedTuple):
    """What the worktable shall say of one row.

    `reopened` is set where a retry put a FAILED request on its way again.
    """

    ref: str
    request_id: str
    status: Status
    completed_at: datetime | None = None
    reopened: bool = False


class WorktableRows(Protocol):
    """The table people put requests into, for looking; nothing here changes anything."""

    def fetch(self, limit: int, *, again: int, published_before: datetime) -> Sequence[WorktableRow]:
        """Up to `limit` PENDING rows that were never published, by priority and age.

        Behind them up to `again` of the PENDING rows last published before that time, the one published
        longest ago first: none of them waits for ever, however many there are.
        Rows are found by status, never by a watermark of time: a row committed late is taken like any other.
        A row whose columns have odd types is returned as it is; judging it is not the worktable's business.
        """

    def find(self, request_id: str) -> WorktableRow | None:
        """The row with this REQUEST_ID as it stands, whatever its status; None where there is none."""

    def alike(self, request_id: str) -> Sequence[WorktableRow]:
        """Some rows that show this id, blanks around it aside, as they stand; it may look through all."""


class Worktable(WorktableRows, Protocol):
    """The table people put requests into."""

    def stamp(self, refs: Sequence[str], at: datetime) -> None:
        """Write PROCESSED_AT of these rows. Repeating it is harmless; rows that are gone are passed over."""

    def write_back(self, changes: Sequence[WriteBack]) -> int:
        """Bring rows to the given status, in one batch; the number of rows changed.

        A row never moves backwards: PENDING < IN_PROGRESS < GENERATED < DISTRIBUTED < COMPLETED or FAILED.
        Only a `reopened` change may leave FAILED. Rows that are gone, or there already, are passed over.
        """

    def insert(self, rows: Sequence[Mapping[str, JsonValue]]) -> None:
        """Add REPORT_REQUESTS rows, all or none.

        Raises Permanent where one has the REQUEST_ID of another row.
        """

    def changed(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for a sign of new rows; a hint that may be early, late or missing."""

    def close(self) -> None:
        """Let go of the table."""
