from __future__ import annotations

from threading import Event

from reportbus.core.errors import Transient
from reportbus.stages.pump import Pump


def test_a_wait_that_fails_does_not_end_the_pump() -> None:
    """The sign of more work is lost with it, not the work: the next step looks for itself."""
    steps: list[int] = []

    def step() -> int:
        steps.append(len(steps))
        return 0

    def wait(stop: Event) -> None:
        if len(steps) > 1:
            stop.set()
            return
        raise Transient("ServiceUnavailable", "nobody can look at the file")

    Pump("poll", step, wait).run(Event())
    assert steps == [0, 1]
