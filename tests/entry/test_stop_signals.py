from __future__ import annotations

import signal

from reportbus.entry.stop_signals import StopSignals

TIMES = 200
FIRST_TICK = 0.000_1


def test_a_signal_is_heard_at_whatever_point_of_its_wait_the_main_thread_is() -> None:
    """Also while that holds the lock of what it waits for."""
    before = signal.getsignal(signal.SIGVTALRM)
    try:
        for _ in range(TIMES):
            signals = StopSignals()
            signal.signal(signal.SIGVTALRM, signals.hear)
            signal.setitimer(signal.ITIMER_VIRTUAL, FIRST_TICK)  # comes while we compute, wherever we are
            while not signals.asked.wait(0):
                pass
            assert signals.number == signal.SIGVTALRM
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
