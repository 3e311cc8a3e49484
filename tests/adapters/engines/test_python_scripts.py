"""What a script is given, what it has to give, and what is told of one that does not."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from adapters.engines.script_bench import (
    CANARY,
    OUT,
    WRITE,
    ScriptBench,
    refusal,
)
from reportbus.core.errors import Refused

if TYPE_CHECKING:
    from reportbus.core.model import JsonValue

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="scripts run on Linux only")

ROOT = Path(__file__).parents[3]


def test_a_script_gets_its_parameters_and_gives_its_file(bench: ScriptBench) -> None:
    declared: JsonValue = {
        "region": {"type": "text", "list": True},
        "as_of": {"type": "date", "default": "month_start"},
        "least": {"type": "decimal"},
        "at": {"type": "timestamp", "default": "now"},
    }
    report = bench.report(OUT + "import sys\nopen(OUT, 'w').write(sys.stdin.read())", parameters=declared)
    data = bench.make(report, bench.work({"region": ["N", "S"], "least": "12.50"}))
    assert json.loads(data) == {
        "report": "sales",
        "request_id": "R-1",
        "requested_at": "2026-11-01T08:00:00Z",
        "format": "CSV",
        "output": "out/report.csv",
        "parameters": {
            "region": ["N", "S"],
            "as_of": "2026-11-01",
            "least": "12.50",
            "at": "2026-11-01T08:00:00Z",
        },
    }


def test_the_audit_trail_is_told_which_script_ran(bench: ScriptBench) -> None:
    report = bench.report(WRITE)
    with bench.staging.writer("reports/R-1/1/1/sales.csv", limit=100) as writer:
        produced = report.produce(bench.work(), writer)
    digest = hashlib.sha256(WRITE.encode()).hexdigest()
    assert produced.note == f"script sales.py, SHA-256 {digest}, {bench.sandbox.isolation()}"


def test_wrong_parameters_and_formats_are_refused_before_anything_runs(bench: ScriptBench) -> None:
    report = bench.report(WRITE, parameters={"n": {"type": "integer", "required": True}})
    problems = report.check({"m": 1}, "PDF")
    assert [problem.code for problem in problems] == ["VAL_FORMAT", "VAL_PARAM_UNKNOWN", "VAL_PARAM_MISSING"]
    with pytest.raises(Refused):
        bench.make(report, bench.work({"n": "1"}))


def test_a_script_sees_no_environment_but_its_own(bench: ScriptBench) -> None:
    """Not in its own process, and not in that of any other it can look at."""
    source = OUT + (
        "import glob, json, os\n"
        "seen = ''\n"
        "for path in glob.glob('/proc/[0-9]*/environ'):\n"
        "    try:\n"
        "        seen += open(path, errors='replace').read()\n"
        "    except OSError:\n"
        "        pass\n"
        "json.dump([dict(os.environ), seen], open(OUT, 'w'))\n"
    )
    neighbour = subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, env={"AWS_SECRET_ACCESS_KEY": CANARY})
    with neighbour:
        own, others = json.loads(bench.run(source, environment={"REGION": "N"}))
        assert neighbour.stdin is not None
        neighbour.stdin.close()
    assert set(own) == {"HOME", "LC_ALL", "REGION", "REPORTBUS_TEST_TOKEN", "TMPDIR", "TZ"}
    assert "REGION=N" in others
    assert CANARY not in others


def test_a_script_inherits_no_open_file(bench: ScriptBench) -> None:
    fd = os.open("/etc/hostname", os.O_RDONLY)
    os.set_inheritable(fd, True)  # noqa: FBT003 - it takes no keyword
    source = (
        OUT + "import os\nfound = sorted(os.listdir('/proc/self/fd'))\nopen(OUT, 'w').write(' '.join(found))"
    )
    try:
        assert bench.run(source) == b"0 1 2 3"  # the last one is the list's own
    finally:
        os.close(fd)


def test_two_scripts_have_two_users_and_neither_is_ours(bench: ScriptBench) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give scripts users of their own")
    source = OUT + "import os\nopen(OUT, 'w').write(str(os.getuid()))"
    first, second = int(bench.run(source)), int(bench.run(source))
    assert len({first, second, os.getuid()}) == 3


def test_the_example_of_the_documentation_works(bench: ScriptBench) -> None:
    page = (ROOT / "docs" / "how-to" / "python-scripts.md").read_text()
    script, definition = (
        re.findall(f"```{kind}\n(.*?)```", page, re.DOTALL)[0] for kind in ("python", "yaml")
    )
    mapping = yaml.safe_load(definition) | {"sha256": hashlib.sha256(script.encode()).hexdigest()}
    made = bench.make(bench.report(script, **mapping), bench.work({"region": ["N", "S"]}))
    assert made == b"region,as_of\r\nN,2026-11-01\r\nS,2026-11-01\r\n"


def test_a_script_that_fails_is_told_with_its_own_words(bench: ScriptBench) -> None:
    error = refusal(bench, "raise ValueError('no region\\x1b[31m \\u202e' + 'X')")
    assert error.code == "PY_EXIT"
    assert error.text.startswith("the script ended with exit code 1; it said:\n")
    assert error.text.endswith("ValueError: no region\\x1b[31m \\u202eX")


def test_long_complaints_are_cut_at_their_beginning(bench: ScriptBench) -> None:
    error = refusal(bench, "import sys\nsys.exit('x' * 100_000 + ' the end')")
    assert error.text.endswith("x the end")
    assert len(error.text) < 600


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("", "PY_NO_OUTPUT"),
        (OUT + "import os; os.mkdir(OUT)", "PY_BAD_OUTPUT"),
        (OUT + "import os; os.symlink('/etc/passwd', OUT)", "PY_BAD_OUTPUT"),
        (OUT + "import os; os.mkfifo(OUT)", "PY_BAD_OUTPUT"),
        (OUT + "import os; open('x', 'w'); os.link('x', OUT)", "PY_BAD_OUTPUT"),
        (WRITE + "open('out/other.csv', 'w')", "PY_BAD_OUTPUT"),
        ("open('out/other.csv', 'w')", "PY_BAD_OUTPUT"),
        ("import os; os.rmdir('out'); os.symlink('/etc', 'out')", "PY_BAD_OUTPUT"),
        (OUT + "import socket; socket.socket(socket.AF_UNIX).bind(OUT)", "PY_BAD_OUTPUT"),
        (OUT + "import os; open(OUT, 'w'); os.truncate(OUT, 1 << 40)", "PY_EXIT"),
        (OUT + "open(OUT, 'wb').write(bytes(2 << 20))", "PY_OUTPUT_TOO_LARGE"),
        (OUT + "f = open(OUT, 'wb')\nwhile True: f.write(bytes(1 << 20))", "PY_OUTPUT_TOO_LARGE"),
        (
            "import itertools\nfor n in itertools.count(): open(f'tmp/{n}', 'wb').write(bytes(1 << 20))",
            "PY_OUTPUT_TOO_LARGE",
        ),
        ("import itertools\nfor n in itertools.count(): open(f'tmp/{n}', 'w')", "PY_BAD_OUTPUT"),
        ("x = bytearray(1 << 30)", "PY_MEMORY"),
        ("while True: pass", "PY_TIMEOUT"),
        ("import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass", "PY_TIMEOUT"),
        ("import ctypes; ctypes.string_at(0)", "PY_KILLED"),
        ("import os; os.abort()", "PY_KILLED"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", "PY_KILLED"),
    ],
)
def test_a_script_that_does_not_do_its_work_gets_its_code(bench: ScriptBench, source: str, code: str) -> None:
    # Each must reach its own limit before another one, on a slow disk and on a quick one.
    cpu_seconds = 1 if "while True: pass" in source else 20
    files = 100_000 if code == "PY_OUTPUT_TOO_LARGE" else 500
    limits: JsonValue = {
        "cpu_seconds": cpu_seconds, "seconds": 30, "memory_mb": 256,
        "output_mb": 1, "disk_mb": 8, "files": files,
    }  # fmt: skip
    assert refusal(bench, source, limits=limits).code == code


def test_the_signal_is_named(bench: ScriptBench) -> None:
    assert "SIGSEGV" in refusal(bench, "import ctypes; ctypes.string_at(0)").text
