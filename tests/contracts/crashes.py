"""Processes that die at a failpoint, and a watcher that looks at a folder meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from reportbus.adapters.durable_files import FAILPOINTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reportbus.adapters.durable_files import Failpoint

TESTS = Path(__file__).parent.parent


def die_at(point: str) -> Failpoint:
    """Ends the process at that failpoint as a power cut would; checks that every failpoint has its name."""

    def failpoint(name: str) -> None:
        assert name in FAILPOINTS
        if name == point:
            os.kill(os.getpid(), signal.SIGKILL)

    return failpoint


def run_script(script: Path, *arguments: str) -> int:
    """Run a script of the tests in a process of its own; how it ended, a signal as a negative number."""
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    done = subprocess.run(
        [sys.executable, str(script), *arguments],
        check=False,
        timeout=30,
        env=environment,
        capture_output=True,
        text=True,
    )
    if done.returncode > 0:
        raise AssertionError(done.stderr)
    return done.returncode


@contextmanager
def watched(look: Callable[[], object]) -> Iterator[set[object]]:
    """Calls `look` over and over in a thread of its own while the block runs; yields all it saw."""
    seen: set[object] = set()
    stop = threading.Event()
    started = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            seen.add(look())
            started.set()
            stop.wait(0.0005)
        seen.add(look())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        started.wait(10)
        yield seen
    finally:
        stop.set()
        watcher.join(10)
