"""Finding a request, wherever it has got to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reportbus.core.errors import Problem, Refused
from reportbus.core.model import TERMINAL, Status
from reportbus.core.text import quoted

if TYPE_CHECKING:
    from reportbus.ports import Records, RequestView, Worktable, WorktableRow


@dataclass(frozen=True, slots=True)
class Found:
    """A request: as the ledger has it, or only as a row of the worktable."""

    request_id: str
    view: RequestView | None = None
    row: WorktableRow | None = None

    @property
    def status(self) -> Status:
        """What it shows; what only stands in the worktable is PENDING."""
        return Status.PENDING if self.view is None else self.view.status

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to it by itself."""
        return self.status in TERMINAL


def find(request_id: str, records: Records, worktable: Worktable) -> Found:
    """The request. Raises Refused RUN_UNKNOWN_REQUEST where nobody knows the id."""
    view = records.find(request_id)
    if view is not None:
        return Found(request_id, view=view)
    row = worktable.find(request_id)
    if row is None:
        text = f"no request {quoted(request_id)}, neither in the ledger nor in the worktable"
        raise Refused([Problem("RUN_UNKNOWN_REQUEST", text)])
    return Found(request_id, row=row)
