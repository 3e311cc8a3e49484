from __future__ import annotations

import signal

import pytest

from reportbus.entry.demo.stopping import Interrupted, Stop, interruptible


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_is_heard_at_the_next_step_and_not_before(number: signal.Signals, code: int) -> None:
    before = signal.getsignal(number)
    with interruptible() as stop:
        stop.check()
        signal.raise_signal(number)
        with pytest.raises(Interrupted) as interrupted:
            stop.check()
    assert code == interrupted.value.exit_code
    assert before == signal.getsignal(number)


def test_a_wait_ends_with_the_wish() -> None:
    stop = Stop()
    stop.hear(signal.SIGINT)
    with pytest.raises(Interrupted):
        stop.wait(3600)
