from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reportbus.core.lifecycle.order import AGEING_SECONDS, rank
from reportbus.core.model import HIGHEST_PRIORITY, LOWEST_PRIORITY

priorities = st.integers(HIGHEST_PRIORITY, LOWEST_PRIORITY)
times = st.integers(0, 2**32).map(float)
spans = st.integers(1, 2**20).map(float)


@given(priorities, times, spans)
def test_of_the_same_priority_the_oldest_goes_first(priority: int, time: float, later: float) -> None:
    assert rank(priority, time) < rank(priority, time + later)


@given(st.integers(HIGHEST_PRIORITY, LOWEST_PRIORITY - 1), times)
def test_each_level_of_priority_is_worth_five_minutes(priority: int, time: float) -> None:
    assert rank(priority, time + 301) > rank(priority + 1, time) > rank(priority, time + 299)


@given(priorities, times, spans)
def test_nothing_starves(priority: int, time: float, longer: float) -> None:
    longest = (LOWEST_PRIORITY - HIGHEST_PRIORITY) * AGEING_SECONDS

    assert rank(LOWEST_PRIORITY, time) < rank(priority, time + longest + longer)


def test_the_most_urgent_have_the_time_they_came_as_their_rank() -> None:
    assert 1_700_000_000.25 == rank(HIGHEST_PRIORITY, 1_700_000_000.25)
