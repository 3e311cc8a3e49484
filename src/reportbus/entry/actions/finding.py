"""Finding requests, wherever they have got to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reportbus.core.errors import Problem, Refused
from reportbus.core.model import TERMINAL, Status
from reportbus.core.names import check_request_id
from reportbus.core.text import one_line, quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from reportbus.ports import Records, RequestView, WorktableRow, WorktableRows


@dataclass(frozen=True, slots=True)
class Found:
    """A request: as the ledger has it, or only as a row of the worktable.

    `request_id` is the one it was looked for by. Where `row` is there too, the ledger has it under another.
    """

    request_id: str
    view: RequestView | None = None
    row: WorktableRow | None = None

    @property
    def status(self) -> str:
        """What it shows; of what only stands in the worktable, its row's STATUS as intake reads it."""
        if self.view is not None:
            return self.view.status
        return "" if self.row is None else status_of(self.row)

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to it by itself: only PENDING rows are taken up."""
        return self.status != Status.PENDING if self.view is None else self.view.status in TERMINAL


def status_of(row: WorktableRow) -> str:
    """The STATUS of a row, in capitals and without blanks around it; empty for NULL."""
    status = row.columns.get("STATUS")
    return "" if status is None else one_line(str(status)).strip().upper()


def find(request_id: str, records: Records, worktable: WorktableRows) -> Found:
    """The request. Raises Refused RUN_UNKNOWN_REQUEST where nobody knows the id."""
    return find_all([request_id], records, worktable)[request_id]


def find_all(request_ids: Collection[str], records: Records, worktable: WorktableRows) -> dict[str, Found]:
    """The requests. Raises Refused RUN_UNKNOWN_REQUEST with every id that nobody knows."""
    found = look_up(request_ids, records, worktable)
    unknown = [_unknown(request_id) for request_id in request_ids if request_id not in found]
    if unknown:
        raise Refused(unknown)
    return found


def look_up(request_ids: Iterable[str], records: Records, worktable: WorktableRows) -> dict[str, Found]:
    """The requests by the ids they are looked for; those that nobody knows are left out.

    A row that was refused by itself stands in the ledger under a made-up id: it is found by its row.
    """
    found: dict[str, Found] = {}
    rows: list[WorktableRow] = []
    for request_id in request_ids:
        view = records.find(request_id)
        if view is not None:
            found[request_id] = Found(request_id, view)
        elif (row := worktable.find(request_id)) is not None:
            rows.append(row)
    return found | of_rows(rows, records)


def of_rows(rows: Sequence[WorktableRow], records: Records) -> dict[str, Found]:
    """The requests that rows are by now, by the ids they show."""
    if not rows:
        return {}
    views = records.of_rows({row.ref: own_id(row) for row in rows})
    shown = {str(row.columns.get("REQUEST_ID")): row for row in rows}
    return {id_: Found(id_, views.get(row.ref), row) for id_, row in shown.items()}


def taken_in(found: Found) -> RequestView:
    """The request as the ledger has it. Raises Refused RUN_NOT_TAKEN_IN for what is a row and no more."""
    if found.view is None:
        raise not_taken_in(found)
    return found.view


def not_taken_in(found: Found) -> Refused:
    """The refusal of what needs a request in the ledger, for one that is a row of the worktable."""
    text = f"request {quoted(found.request_id)} was not taken in yet: {_row_words(found)}"
    return Refused([Problem("RUN_NOT_TAKEN_IN", text)])


def _row_words(found: Found) -> str:
    """How what only stands in the worktable shows there."""
    if not found.ended:
        return "it is PENDING in the worktable"
    shown = quoted(found.status) if found.status else "empty"
    return f"its STATUS in the worktable is {shown}, and only PENDING rows are taken up"


def own_id(row: WorktableRow) -> str:
    """The id that intake reads from the row; empty where it is none."""
    checked = check_request_id(row.columns.get("REQUEST_ID"))
    return "" if isinstance(checked, Problem) else checked


def _unknown(request_id: str) -> Problem:
    text = f"no request {quoted(request_id)}, neither in the ledger nor in the worktable"
    return Problem("RUN_UNKNOWN_REQUEST", text)
