"""An engine with its reports at hand: what it makes follows from the request's id alone.

So whoever finds a file knows from its name which bytes must stand in it, and any mixing is found. The
report's name says how the engine behaves. Each time it is asked it writes a line into a log of its own, as a
real engine would: the tests count the attempts there, not in the line's own records.
"""

from __future__ import annotations

import hashlib
import os
import signal
from functools import lru_cache
from threading import Event
from typing import TYPE_CHECKING, Final

from reportbus.core.errors import Permanent, Transient
from reportbus.ports import Produced, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from reportbus.core.errors import Problem
    from reportbus.core.model import JsonValue
    from reportbus.ports import StagedWriter, Work

PLAIN: Final = "ready"
ERROR_PAGE: Final = "an error page"
IN_STEPS: Final = "ready after a step that is kept"
SECOND_TIME: Final = "ready the second time"
HANGING: Final = "hangs the first time"
DEAF: Final = "hangs the first time and does not listen"
DEADLY: Final = "kills its process"

_LOOK_SECONDS: Final = 0.02
_SHORT: Final = 200
_SIZES: Final = (1, 300, 1_024, 5_000, 10_000, 20_000, 65_536, 65_537, 300_000)


@lru_cache(maxsize=2_000)
def content(request_id: str) -> bytes:
    """The report of this request: 1 byte to 300 KB of text; 200 bytes where its id begins with `short`."""
    size = _SIZES[hashlib.sha256(request_id.encode()).digest()[0] % len(_SIZES)]
    size = _SHORT if request_id.startswith("short") else size
    return hashlib.shake_256(request_id.encode()).hexdigest((size + 1) // 2)[:size].encode()


@lru_cache(maxsize=2_000)
def digest(request_id: str) -> str:
    """The SHA-256 of its report."""
    return hashlib.sha256(content(request_id)).hexdigest()


class ReadyEngine:
    """The engine. `hit` is called before, half-way through and after each report."""

    def __init__(self, log: Path, hit: Callable[[str], None]) -> None:
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._hit = hit

    def check(self, report_name: str, parameters: Mapping[str, JsonValue], format_: str) -> Sequence[Problem]:
        """Nothing is wrong with any request."""
        return ()

    def generate(self, work: Work, sink: StagedWriter) -> Produced:
        """Do what the report's name says."""
        request = work.request
        self._hit("engine: before it is asked")
        os.write(self._log, f"{request.request_id}\n".encode())
        if request.report_name == DEADLY:
            os.kill(os.getpid(), signal.SIGKILL)
        if request.report_name == ERROR_PAGE:
            sink.write(b"<!DOCTYPE html><html><body>Log in, please</body></html>")
            return Produced()
        if request.report_name != PLAIN and not work.checkpoint:
            work.save({"asked": request.request_id})
            _first_time(work)
        report = content(request.request_id)
        half = len(report) // 2
        sink.write(report[:half])
        self._hit("engine: half of the report")
        sink.write(report[half:])
        self._hit("engine: after the report")
        return Produced()

    def test(self) -> Verdict:
        """Always."""
        return Verdict(ok=True, text="ready")

    def close(self) -> None:
        """Close the log."""
        if self._log >= 0:
            os.close(self._log)
            self._log = -1


def _first_time(work: Work) -> None:
    """What comes between the checkpoint and the report."""
    name = work.request.report_name
    if name == SECOND_TIME:
        raise Transient("TemporaryFailure", "the engine is not ready yet")
    never = Event()
    while name in {HANGING, DEAF} and not work.deadline.passed():
        if name == HANGING and work.cancelled():
            raise Permanent("RUN_CANCELLED", "called off")
        never.wait(_LOOK_SECONDS)
