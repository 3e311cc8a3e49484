"""Registered scripts: the half of the Python engine that makes reports by running a Python file.

A script gets one JSON object on its standard input and writes one file:

    {"report": "sales", "request_id": "R-17", "requested_at": "2026-11-01T08:00:00Z",
     "format": "CSV", "output": "out/report.csv",
     "parameters": {"region": ["N", "S"], "as_of": "2026-11-01"}}

Dates and times come as text in ISO 8601, decimals as text. Where it fails, the end of what it wrote to
standard error becomes the error's text. Standard output is read and thrown away.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from reportbus.adapters.engines.python.asking import asking_faults
from reportbus.adapters.engines.python.room import OUTPUT_FOLDER
from reportbus.adapters.engines.python.sandbox import Run
from reportbus.core.errors import Permanent, Problem, Refused, Transient
from reportbus.core.formats import FORMATS
from reportbus.core.text import clean
from reportbus.ports import Produced

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reportbus.adapters.engines.python.launcher.order import Ending, Limits
    from reportbus.adapters.engines.python.parameters import Given
    from reportbus.adapters.engines.python.sandbox import Sandbox
    from reportbus.adapters.engines.python.script_definition import ScriptDefinition
    from reportbus.core.model import JsonValue, Request
    from reportbus.ports import StagedWriter, Work

_SHOWN: Final = 500
_MEBIBYTE: Final = 1 << 20
_OUT_OF_MEMORY: Final = ("MemoryError", "std::bad_alloc", "Cannot allocate memory")


class ScriptReport:
    """One registered script of the catalogue: fills `Producer`."""

    def __init__(self, definition: ScriptDefinition, sandbox: Sandbox) -> None:
        self._definition = definition
        self._sandbox = sandbox

    def check(self, parameters: Mapping[str, JsonValue], format_: str) -> Sequence[Problem]:
        """Fills `Producer`."""
        return asking_faults(self._definition, parameters, format_)

    def produce(self, work: Work, sink: StagedWriter) -> Produced:
        """Fills `Producer`."""
        definition, request = self._definition, work.request
        if problems := self.check(request.parameters, request.format):
            raise Refused(problems)
        source = definition.source.read()
        name = f"report{FORMATS[request.format].extension}"
        run = Run(
            source,
            json.dumps(self._order(request, name)).encode(),
            definition.limits,
            definition.environment,
            definition.readable,
            network=definition.network,
        )
        with self._sandbox.room() as room:
            ending = self._sandbox.run(room, run, lambda: _look(work))
            _judge(ending, definition.limits, room.output_size(name))
            for chunk in room.output(name, definition.limits.file_size):
                _look(work)
                sink.write(chunk)
        digest = hashlib.sha256(source).hexdigest()
        return Produced(
            note=f"script {definition.source.path}, SHA-256 {digest}, {self._sandbox.isolation()}"
        )

    def _order(self, request: Request, name: str) -> dict[str, JsonValue]:
        return {
            "report": request.report_name,
            "request_id": request.request_id,
            "requested_at": request.requested_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "format": request.format,
            "output": f"{OUTPUT_FOLDER}/{name}",
            "parameters": {
                name: _as_json(parameter.given(request.parameters, request.requested_at))
                for name, parameter in self._definition.parameters.items()
            },
        }


def _as_json(value: Given) -> JsonValue:
    match value:
        case tuple():
            return [_as_json(item) for item in value]
        case datetime():
            return f"{value.isoformat()}Z"
        case date():
            return value.isoformat()
        case Decimal():
            return str(value)
        case _:
            return value


def _look(work: Work) -> None:
    if work.deadline.passed():
        raise Transient("ConnectionTimeout", "the report was not ready by its deadline; its script was ended")
    if work.cancelled():
        raise Permanent("RUN_CANCELLED", "the request was cancelled; its script was ended")


def _judge(ending: Ending, limits: Limits, output_size: int) -> None:
    """Raise Permanent with the reason where the script did not end well."""
    if ending.how == "timeout":
        raise Permanent(
            "PY_TIMEOUT", f"the script took more than {limits.wall_seconds} s, its limit{_said(ending)}"
        )
    if ending.how == "disk" or output_size > limits.file_size:
        allowed = f"{limits.file_size // _MEBIBYTE} MiB of output, {limits.disk // _MEBIBYTE} MiB in all"
        raise Permanent("PY_OUTPUT_TOO_LARGE", f"the script wrote more than allowed: {allowed}")
    if ending.how == "files":
        raise Permanent("PY_BAD_OUTPUT", f"the script made more than {limits.files} files, its limit")
    if ending.how != "exited":
        raise Permanent("PY_KILLED", "the script or its launcher was killed from outside")
    if os.WIFSIGNALED(ending.status):
        _judge_signal(os.WTERMSIG(ending.status), ending, limits)
    code = os.WEXITSTATUS(ending.status)
    if code and any(word in ending.stderr[-_SHOWN:] for word in _OUT_OF_MEMORY):
        raise Permanent(
            "PY_MEMORY", f"the script needed more than {limits.memory // _MEBIBYTE} MiB of memory"
        )
    if code:
        raise Permanent("PY_EXIT", f"the script ended with exit code {code}{_said(ending)}")


def _judge_signal(number: int, ending: Ending, limits: Limits) -> None:
    """The kernel ended it: for its CPU time, or for something it did."""
    if number == signal.SIGXCPU or (number == signal.SIGKILL and ending.cpu >= limits.cpu_seconds):
        raise Permanent(
            "PY_TIMEOUT", f"the script used more than {limits.cpu_seconds} s of CPU time, its limit"
        )
    raise Permanent("PY_KILLED", f"the script was ended by {signal.Signals(number).name}{_said(ending)}")


def _said(ending: Ending) -> str:
    """The end of what the script wrote to standard error, which is where Python says what went wrong."""
    said = ending.stderr.rstrip()
    shown = clean(said[-_SHOWN:].lstrip())
    return f"; it said:\n{'...' * (len(said) > _SHOWN)}{shown}" if shown else ""
