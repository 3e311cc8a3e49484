"""What a script may use up, and how it ends; its processes end with it."""

from __future__ import annotations

import resource
import sys
import threading

import pytest

from adapters.engines.script_bench import (
    DAEMON,
    OUT,
    WRITE,
    ScriptBench,
    refusal,
)
from reportbus.adapters.clock import ManualClock
from reportbus.core.errors import Permanent, Transient

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="scripts run on Linux only")


def test_a_fork_bomb_is_bounded_and_ended(bench: ScriptBench) -> None:
    source = (
        "import os, time\n"
        "deadline = time.monotonic() + 30  # this bomb ends by itself, should nothing else end it\n"
        "while time.monotonic() < deadline:\n"
        "    try:\n"
        "        os.fork()\n"
        "    except OSError:\n"
        "        pass\n"
    )
    error = refusal(bench, source, limits={"processes": 20, "seconds": 1, "memory_mb": 256})
    assert error.code == "PY_TIMEOUT"


def test_processes_are_counted_over_all_of_a_script(bench: ScriptBench) -> None:
    source = OUT + (
        "import os, signal\n"
        "started = 1\n"
        "try:\n"
        "    while started < 100:\n"
        "        if os.fork() == 0:\n"
        "            signal.pause()\n"
        "        started += 1\n"
        "except OSError:\n"
        "    pass\n"
        "open(OUT, 'w').write(str(started))\n"
    )
    assert bench.run(source, limits={"processes": 20}) == b"20"


def test_a_script_that_ignores_all_signals_is_ended(bench: ScriptBench) -> None:
    source = (
        "import signal, time\n"
        "for number in set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP}:\n"
        "    signal.signal(number, signal.SIG_IGN)\n"
        "time.sleep(60)\n"
    )
    assert refusal(bench, source, limits={"seconds": 1}).code == "PY_TIMEOUT"


def test_a_gigabyte_of_prints_neither_stalls_nor_fills_memory(bench: ScriptBench) -> None:
    source = (
        WRITE
        + "import os\nblock = b'x' * (1 << 20)\nfor _ in range(512): os.write(1, block); os.write(2, block)\n"
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    largest_child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    assert bench.run(source) == b"id\n1\n"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss <= max(largest_child, 300_000)


def test_a_grandchild_in_a_session_of_its_own_ends_with_its_script(bench: ScriptBench) -> None:
    assert bench.run(DAEMON, limits={"seconds": 20}) == b"id\n1\n"
    assert bench.left_over() == []


HYDRA = WRITE + (
    "import os, time\n"
    "deadline = time.monotonic() + 30  # this one ends by itself, should nothing else end it\n"
    "while time.monotonic() < deadline:\n"
    "    try:\n"
    "        if os.fork() and os.fork():\n"
    "            os._exit(0)\n"
    "        os.setpgid(0, 0)\n"
    "    except OSError:\n"
    "        pass\n"
)


def test_processes_that_grow_again_as_fast_as_they_end_are_ended(bench: ScriptBench) -> None:
    bench.run(HYDRA, limits={"processes": 30})


@pytest.mark.parametrize("victim", ["os.getppid()", "-1"])
def test_a_script_that_kills_what_it_can_harms_itself_alone(bench: ScriptBench, victim: str) -> None:
    source = OUT + (
        "import os, signal\n"
        "try:\n"
        f"    os.kill({victim}, signal.SIGKILL)\n"
        "except OSError:\n"
        "    pass\n"
        "open(OUT, 'w').write('alive')\n"
    )
    assert bench.run(source) == b"alive"


def test_a_cancelled_script_is_ended(bench: ScriptBench) -> None:
    looks = iter([False, False, True])
    work = bench.work(cancelled=lambda: next(looks, True))
    with pytest.raises(Permanent, match="RUN_CANCELLED"):
        bench.make(bench.report(DAEMON + "time.sleep(60)"), work)


def test_a_script_past_the_attempts_deadline_is_ended(bench: ScriptBench) -> None:
    clock = ManualClock()

    def passing() -> bool:
        clock.advance(1)
        return False

    work = bench.work(seconds=3, clock=clock, cancelled=passing)
    with pytest.raises(Transient, match="ConnectionTimeout"):
        bench.make(bench.report(DAEMON + "time.sleep(60)"), work)


def test_scripts_run_side_by_side(bench: ScriptBench) -> None:
    report = bench.report(WRITE)
    made: list[bytes] = []

    def make(number: int) -> None:
        with bench.staging.writer(f"reports/R-{number}/1/1/sales.csv", limit=100) as writer:
            report.produce(bench.work(), writer)
            made.append(writer.head)

    threads = [threading.Thread(target=make, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert made == [b"id\n1\n"] * 4
