"""The worktable before anybody needed one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from reportbus.ports import WorktableRow


class NoWorktable:
    """A worktable that was not made yet, for looking: there is no row in it."""

    def fetch(self, limit: int, *, again: int, published_before: datetime) -> Sequence[WorktableRow]:
        del limit, again, published_before
        return ()

    def find(self, request_id: str) -> WorktableRow | None:
        del request_id
        return None

    def alike(self, request_id: str) -> Sequence[WorktableRow]:
        del request_id
        return ()
