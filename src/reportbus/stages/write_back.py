"""Write back: bring the worktable to what the ledger says."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reportbus.ports import Operations, Worktable


class WriteBack:
    """The pump between the ledger and the worktable. Where it fails, no report does: it comes round again."""

    def __init__(self, *, operations: Operations, worktable: Worktable, batch: int = 500) -> None:
        self._operations = operations
        self._worktable = worktable
        self._batch = batch

    def run_once(self) -> int:
        """Write up to a batch of changes; how many.

        They are marked as written once the worktable has them; what changes meanwhile is written next time.
        """
        pending = self._operations.unwritten(self._batch)
        if not pending:
            return 0
        self._worktable.write_back([item.change for item in pending])
        self._operations.written(pending)
        return len(pending)
