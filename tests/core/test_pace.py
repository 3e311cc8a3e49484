from __future__ import annotations

import pytest

from contracts.ledger_samples import succeeded
from reportbus.core.events import Event
from reportbus.core.pace import BRIEF_SECONDS, LONGEST_SLICE, QUICK_SECONDS, Pace, worth_a_claim
from stages.orders import deliver_task, generate_task

THREADS = 8


def paced(seconds: float) -> Pace:
    """The report "sales" takes so long."""
    pace = Pace()
    pace.observe([Event(generate_task(), succeeded(generate_task()).answer, seconds)], seconds)
    return pace


def sizes(pace: Pace, count: int = 20) -> list[tuple[int, bool]]:
    """How many tasks each slice has, and whether it is brief."""
    return [(len(each.tasks), each.brief) for each in pace.slices([generate_task(n) for n in range(count)])]


def test_what_is_not_known_goes_alone() -> None:
    assert [(1, False)] * 3 == sizes(Pace(), 3)


def test_slow_tasks_go_alone() -> None:
    assert [(1, False)] * 3 == sizes(paced(QUICK_SECONDS), 3)


def test_quick_tasks_go_together_but_are_brief_only_below_their_own_limit() -> None:
    """A delivery over a network is quick, and yet it waits: two threads for all would hold them up."""
    waiting, computing = sizes(paced(BRIEF_SECONDS)), sizes(paced(BRIEF_SECONDS * 0.9))
    assert [(20, False)] == waiting
    assert [(20, True)] == computing
    assert LONGEST_SLICE == sizes(paced(0.0001), 300)[0][0]


def test_a_slice_with_one_task_that_waits_is_not_brief() -> None:
    pace = paced(0.002)
    other = generate_task(2, report_name="stock")
    pace.observe([Event(other, succeeded(other).answer, 0.02)], 0.02)
    (slice_,) = pace.slices([generate_task(1), other])
    assert (2, False) == (len(slice_.tasks), slice_.brief)


def test_the_pace_of_a_target_is_its_own() -> None:
    pace = paced(0.002)
    assert [False] == [each.brief for each in pace.slices([deliver_task()])]


@pytest.mark.parametrize(
    ("what", "room", "busy", "idle", "worth"),
    [
        ("a thread is free and no task waits for it", 4, 4, True, True),
        ("one of eight threads is free", 1, 7, True, True),
        ("all threads are taken by slow tasks", 0, 8, True, False),
        ("half of the places for quick tasks are free", 129, 127, False, True),
        ("more than half of the places are taken by quick tasks", 100, 156, False, False),
        ("tasks wait for a thread", 2, 14, False, False),
    ],
)
def test_a_claim_is_worth_it(what: str, room: int, busy: int, idle: bool, worth: bool) -> None:  # noqa: FBT001 - pytest passes by name
    assert worth is worth_a_claim(room, busy, idle=idle), what


def test_slow_work_has_as_many_places_as_threads_and_quick_work_more() -> None:
    stage = generate_task().job.stage
    assert THREADS == paced(60).ahead(stage, THREADS, 256)
    assert 256 == paced(0.001).ahead(stage, THREADS, 256)
