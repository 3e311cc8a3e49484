from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flows.judge import judge
from flows.load import asked, mixed
from flows.ready_engine import DEAF, HANGING
from flows.stand import write_lock

if TYPE_CHECKING:
    from flows.conftest import MakeStand
    from flows.load import Asked

GRACE = 1
LEISURE = 15
"""What a busy machine may add to it; far less than the engine would take."""

ENDED_BY_ITSELF = 1
TERMINATED = 128 + 15


def hanging(name: str) -> list[Asked]:
    """Three reports that hang, and others."""
    return [asked(f"H-{n}", name=name) for n in range(3)] + [asked(f"R-{n}") for n in range(20)]


def test_a_process_told_to_stop_under_load_loses_nothing_and_another_goes_on(make_stand: MakeStand) -> None:
    """What was begun is finished, what was not is handed back: no report is made twice."""
    stand = make_stand()
    stand.submit(mixed(150))
    first = stand.start()
    stand.until(lambda: stand.ended() > 20, "the line is busy")
    stand.start()
    stand.stop(first, within=10 + LEISURE)
    stand.drain()
    stand.stop()

    judge(stand, more_asks=0)


def test_a_rolling_restart_under_load_fails_nothing(make_stand: MakeStand) -> None:
    stand = make_stand()
    running = [stand.start(), stand.start()]
    for number in range(4):
        stand.submit(mixed(40, f"R{number}"))
        stand.until(lambda: stand.ended() > len(stand.asked) - 35, "the line is busy")
        running.append(stand.start())
        stand.stop(running.pop(0), within=10 + LEISURE)
    stand.drain()
    stand.stop()

    judge(stand, more_asks=0)


def test_work_that_does_not_end_is_handed_back_within_the_grace(make_stand: MakeStand) -> None:
    stand = make_stand(stop__grace_seconds=GRACE)
    stand.submit(hanging(HANGING))
    first = stand.start()
    stand.until(lambda: stand.at_the_engine() == 3, "the engine hangs")
    stand.stop(first, within=GRACE + LEISURE)
    assert 0 == stand.open_jobs("RUNNING")
    stand.start()
    stand.drain()
    stand.stop()

    judge(stand, more_asks=0)


def test_an_engine_that_does_not_listen_cannot_keep_the_process_or_its_work(make_stand: MakeStand) -> None:
    """The process ends by itself; before that, another one does what it had in hand."""
    stand = make_stand(stop__grace_seconds=GRACE)
    stand.submit(hanging(DEAF))
    first = stand.start()
    stand.until(lambda: stand.at_the_engine() == 3, "the engine hangs")
    stand.start()
    stand.stop(first, within=GRACE + LEISURE)
    stand.drain()
    stand.stop()

    judge(stand, more_asks=0)


def test_a_second_signal_ends_the_process_at_once_and_its_work_is_taken_back(make_stand: MakeStand) -> None:
    stand = make_stand(stop__grace_seconds=60)
    stand.submit(hanging(HANGING))
    first = stand.start()
    stand.until(lambda: stand.at_the_engine() == 3, "the engine hangs")
    first.terminate()
    stand.until(lambda: stand.stopping(first), "it has heard the first signal: two that wait are one")
    stand.until(lambda: stand.open_jobs("RUNNING") == 3, "all else is handed back")
    stand.stop(first, within=LEISURE, code=TERMINATED)
    stand.start()
    stand.drain()
    stand.stop()

    judge(stand, more_asks=1)


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_a_stop_ends_although_the_ledger_does_not_answer(make_stand: MakeStand) -> None:
    """Somebody holds the lock of its file; see `faults` for PostgreSQL."""
    stand = make_stand(stop__grace_seconds=GRACE)
    stand.submit(mixed(150))
    first = stand.start()
    stand.until(lambda: stand.ended() > 20, "the line is busy")
    with write_lock(stand.home / "ledger.db"):
        stand.stop(first, within=GRACE + LEISURE, code=ENDED_BY_ITSELF)
    stand.start()
    stand.drain()
    stand.stop()

    judge(stand, more_asks=1)
