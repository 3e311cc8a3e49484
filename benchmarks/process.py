"""One process of the measured line: `process.py ROLE...`, ended by SIGTERM; prints its own usage as JSON.

With BENCH_ENGINE=ready the Python engine is replaced by one that writes 10 KB of ready bytes, so that the
line itself is measured.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from reportbus.config.loading import load
from reportbus.ports import Produced, Verdict
from reportbus.wiring import line
from reportbus.wiring.parts import Parts
from reportbus.wiring.roles import ROLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reportbus.core.errors import Problem
    from reportbus.core.model import JsonValue
    from reportbus.ports import Engine, StagedWriter, Work

_READY = b"flight,origin,destination\n" + b"1545,EWR,IAH\n" * 786


class ReadyEngine:
    """An engine that has its report at hand."""

    def check(self, report_name: str, parameters: Mapping[str, JsonValue], format_: str) -> Sequence[Problem]:  # noqa: ARG002
        """Nothing is wrong with any request."""
        return ()

    def generate(self, work: Work, sink: StagedWriter) -> Produced:  # noqa: ARG002
        """10 KB."""
        sink.write(_READY)
        return Produced(rows=786)

    def test(self) -> Verdict:
        """Always."""
        return Verdict(ok=True, text="ready")

    def close(self) -> None:
        """Nothing is held."""


class ReadyParts(Parts):
    """The parts of a line whose engine has its reports at hand."""

    @cached_property
    def engines(self) -> Mapping[str, Engine]:
        """The one engine."""
        return {"PYTHON": ReadyEngine()}


def main(roles: list[str]) -> None:
    """Run the roles until told to stop."""
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    kind = ReadyParts if os.environ.get("BENCH_ENGINE") == "ready" else Parts
    with kind(load()) as parts:
        line.run(line.loops(parts, set(roles)), stop)
    print(json.dumps({"peak_mb": _peak_kib() / 1024}))


def _peak_kib() -> int:
    """The most memory that this program has had; `ru_maxrss` would count its parent's before the exec too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


if __name__ == "__main__":
    main(sys.argv[1:] or list(ROLES))
