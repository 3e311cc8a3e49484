from __future__ import annotations

import logging

import pytest

from reportbus.adapters.clock import ManualClock
from reportbus.core.errors import Transient
from reportbus.stages.worker import Absence

GONE = Transient("ServiceUnavailable", "connection refused")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def test_a_ledger_that_is_away_is_told_of_less_and_less_often(
    clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    absence = Absence(clock)
    told: list[int] = []
    for second in range(1000):
        absence.away(GONE)
        if len(caplog.records) > len(told):
            told.append(second)
        clock.advance(1)

    assert [0, 5, 15, 35, 75, 155, 315, 615, 915] == told
    assert "for 0 s by now: connection refused" in caplog.messages[0]


def test_its_return_is_told_once_and_the_next_absence_anew(
    clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="reportbus")
    absence = Absence(clock)
    absence.back()
    absence.away(GONE)
    clock.advance(20)
    for _ in range(3):
        absence.back()
    absence.away(GONE)

    assert [logging.WARNING, logging.INFO, logging.WARNING] == [record.levelno for record in caplog.records]
    assert "the ledger answers again, after 20 s" == caplog.messages[1]
