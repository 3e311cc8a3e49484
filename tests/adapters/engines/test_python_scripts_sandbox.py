"""The degrees of isolation, and which of them is taken."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import reportbus
from adapters.engines.script_bench import (
    DAEMON,
    WRITE,
    a_bench,
    reachable_interpreter,
    refusal,
)
from reportbus.adapters.engines.python.launcher.order import LIMITS, NAMESPACES
from reportbus.adapters.engines.python.sandbox import Sandbox
from reportbus.core.errors import Permanent

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="scripts run on Linux only")


SWARM = """
import os, time
deadline = time.monotonic() + 30
for _ in range(5):
    os.fork()
while time.monotonic() < deadline:  # 32 processes, each with a new child all the time
    if os.fork() == 0:
        os._exit(0)
    os.wait()
"""


def test_with_limits_alone_a_script_still_gets_its_limits(caplog: pytest.LogCaptureFixture) -> None:
    bench = a_bench(LIMITS)
    assert "trusted scripts only" in caplog.text
    assert bench.run(WRITE) == b"id\n1\n"
    assert refusal(bench, DAEMON + "time.sleep(60)", limits={"seconds": 1}).code == "PY_TIMEOUT"
    assert refusal(bench, SWARM, limits={"seconds": 1}).code == "PY_TIMEOUT"
    assert refusal(bench, "while True: pass", limits={"cpu_seconds": 1}).code == "PY_TIMEOUT"
    assert refusal(bench, "x = bytearray(1 << 30)", limits={"memory_mb": 256}).code == "PY_MEMORY"
    assert bench.left_over() == []
    bench.close()


def test_a_sandbox_that_cannot_work_says_why(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path, interpreter="/nowhere/python")
    verdict = sandbox.test()
    assert not verdict.ok
    assert "/nowhere/python" in verdict.text
    with pytest.raises(Permanent, match="PY_SANDBOX"):
        sandbox.isolation()


WITHOUT_ROOT = """
import sys
sys.path.append(sys.argv[1])
from reportbus.adapters.engines.python.launcher.order import Limits
from reportbus.adapters.engines.python.sandbox import Run, Sandbox
sandbox = Sandbox(sys.argv[2], interpreter=sys.argv[3])
limits = Limits(20.0, 20, 1 << 30, 64, 1 << 20, 1 << 20, 100)
with sandbox.room() as room:
    source = b"import os; print(os.getuid(), os.access('/', os.W_OK))"
    ending = sandbox.run(room, Run(source, b"", limits), lambda: None)
print(sandbox.isolation(), ending.how, ending.status, ending.stdout)
"""


def test_without_root_scripts_run_as_the_worker_in_the_best_way_there_is() -> None:
    """In namespaces where users may make them, else with limits alone."""
    interpreter = reachable_interpreter()
    if os.geteuid() != 0 or not interpreter:
        pytest.skip("only root can try what it is like without root")
    root = Path(tempfile.mkdtemp(prefix="reportbus-test-", dir="/tmp"))
    packages = root / "packages"  # a copy that is the other user's: the checkout may be private
    shutil.copytree(Path(reportbus.__file__).parent, packages / "reportbus")
    subprocess.run(["chown", "-R", "54321:54321", root], check=True)
    done = subprocess.run(
        [interpreter, "-c", WITHOUT_ROOT, packages, root / "scratch", interpreter],
        user=54_321,
        group=54_321,
        extra_groups=[],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    isolation, *said = done.stdout.split()
    assert isolation in {NAMESPACES, LIMITS}
    assert said == ["exited", "0", "54321", "False"]
    assert list((root / "scratch").iterdir()) == []
    shutil.rmtree(root)
