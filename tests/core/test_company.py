from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reportbus.core.lifecycle.company import Company, together

MOST = 3
losses = st.lists(st.integers(1, MOST), max_size=100)


@given(losses)
def test_no_more_are_together_than_the_worst_of_them_allows(asking: list[int]) -> None:
    company = Company((), MOST)
    inside = [each for each in asking if company.admits(each)]

    assert not inside or len(inside) <= together(max(inside), MOST)


@given(losses)
def test_it_goes_on_where_those_in_hand_are_all_that_is_known(asking: list[int]) -> None:
    company = Company((), MOST)
    inside = [each for each in asking if company.admits(each)]
    again = Company(inside, MOST)

    assert (company.most_losses, [company.admits(each) for each in asking]) == (
        again.most_losses,
        [again.admits(each) for each in asking],
    )


@given(losses)
def test_one_of_any_kind_comes_in_where_nobody_is(asking: list[int]) -> None:
    assert all(Company((), MOST).admits(each) for each in asking)


@given(losses)
def test_those_that_never_lost_a_worker_may_always_come_in(inside: list[int]) -> None:
    assert Company(inside, MOST).admits(0)


@given(losses)
def test_it_tells_beforehand_whom_it_would_admit(asking: list[int]) -> None:
    """So that the others need not be asked for at all."""
    inside: list[int] = []
    for each in asking:
        most = Company(inside, MOST).most_losses
        admitted = [losses for losses in range(1, MOST + 2) if Company(inside, MOST).admits(losses)]
        assert admitted == [losses for losses in range(1, MOST + 2) if most is None or losses <= most]
        if each in admitted:
            inside.append(each)
