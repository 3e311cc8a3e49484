from __future__ import annotations

from typing import TYPE_CHECKING

from flows.judge import judge
from flows.load import asked, mixed
from flows.ready_engine import DEADLY
from reportbus.core.lifecycle import Policy

if TYPE_CHECKING:
    from flows.stand import Stand


def test_a_report_that_kills_its_process_is_given_up_by_itself_and_takes_no_other_with_it(
    stand: Stand,
) -> None:
    """Each time somebody starts the process again; most requests are in its hands each time it dies."""
    stand.submit([asked("deadly", name=DEADLY, priority=1), *mixed(150)])
    for _ in range(Policy().max_losses + 1):
        stand.dies(stand.start())
    stand.start()
    stand.drain()
    stand.stop()

    judge(stand, errors=["SYS_CRASH_LOOP"])
