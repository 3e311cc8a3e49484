from __future__ import annotations

from typing import TYPE_CHECKING

from flows.judge import judge
from flows.load import mixed
from flows.stand import Stand
from reportbus.wiring.roles import ROLES

if TYPE_CHECKING:
    from pathlib import Path


def test_roles_that_start_at_once_on_an_empty_home_make_it_together(tmp_path: Path) -> None:
    """Nothing is there yet: no ledger, no bus, no folder."""
    with Stand(tmp_path, f"sqlite:///{tmp_path / 'ledger.db'}", {}) as stand:
        for role in (*ROLES, *ROLES):
            stand.start(role)
        stand.submit(mixed(30))
        stand.until(lambda: "COMPLETED" in stand.worktable_statuses().values(), "the line runs")
        stand.drain()
        stand.stop()

        judge(stand, more_asks=0)
