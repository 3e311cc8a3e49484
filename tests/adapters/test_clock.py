from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reportbus.adapters.clock import ManualClock, SystemClock


def test_the_machines_clock_tells_utc_and_never_goes_back() -> None:
    clock = SystemClock()
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)
    assert clock.now().utcoffset() == timedelta(0)
    assert clock.monotonic() <= clock.monotonic()


def test_a_manual_clock_stands_until_it_is_advanced() -> None:
    clock = ManualClock()
    before = clock.now(), clock.monotonic()
    assert (clock.now(), clock.monotonic()) == before
    clock.advance(1.5)
    assert clock.now() - before[0] == timedelta(seconds=1.5)
    assert clock.monotonic() - before[1] == 1.5


def test_a_manual_clock_starts_where_it_is_told() -> None:
    start = datetime(2030, 5, 1, tzinfo=UTC)
    assert ManualClock(start).now() == start


def test_a_manual_clock_does_not_go_back() -> None:
    with pytest.raises(ValueError, match="-1"):
        ManualClock().advance(-1)
