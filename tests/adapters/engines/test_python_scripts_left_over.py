"""What is left of a script whose worker or launcher was killed: nothing."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.engines.script_bench import (
    DAEMON,
    WRITE,
    ScriptBench,
    a_bench,
    children,
    parent,
    wait_until_gone,
)
from reportbus.adapters.engines.python.launcher.order import NAMESPACES
from reportbus.core.errors import Permanent

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="scripts run on Linux only")


def test_a_folder_nobody_may_enter_is_removed_all_the_same(bench: ScriptBench) -> None:
    bench.run(WRITE + "import os; os.makedirs('tmp/a/b'); os.chmod('tmp/a/b', 0); os.chmod('tmp/a', 0)")


WORKER = """
import sys
sys.path[:0] = sys.argv[4:]
from adapters.engines.script_bench import ScriptBench
bench = ScriptBench(sys.argv[1], sys.argv[2])
bench.token = sys.argv[3]
print(bench.root, flush=True)
told = []
def look():
    if not told and len(bench.left_over()) == 2:
        told.append(print("running", flush=True))
    return False
bench.make(bench.report(sys.stdin.read()), bench.work(cancelled=look))
"""


def test_a_worker_that_is_killed_takes_its_scripts_and_their_folders_along(bench: ScriptBench) -> None:
    interpreter = bench.sandbox._interpreter
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, bench.sandbox.isolation(), interpreter, bench.token, *sys.path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.write(DAEMON + "time.sleep(60)")
        worker.stdin.close()
        root = Path(worker.stdout.readline().strip())
        assert worker.stdout.readline() == "running\n"
        going = [*children(worker.pid), *bench.left_over()]
        assert len(going) == 3  # the launcher, the script and its grandchild
        worker.kill()
        assert wait_until_gone(going)
    assert list((root / "scratch").iterdir()) == []
    shutil.rmtree(root)


def test_a_launcher_that_is_killed_takes_its_script_along(bench: ScriptBench) -> None:
    scripts: list[int] = []

    def kill_launcher() -> bool:
        if not scripts and bench.left_over():
            scripts.extend(bench.left_over())
            os.kill(parent(parent(scripts[0])), signal.SIGKILL)
        return False

    work = bench.work(cancelled=kill_launcher)
    with pytest.raises(Permanent, match="PY_KILLED"):
        bench.make(bench.report(WRITE + "import time\ntime.sleep(60)"), work)
    assert wait_until_gone(scripts)


def test_a_launcher_that_is_killed_takes_the_whole_namespace_along() -> None:
    bench = a_bench(NAMESPACES)
    going: list[int] = []

    def kill_launcher() -> bool:
        if not going and len(bench.left_over()) == 2:
            going.extend(bench.left_over())
            os.kill(parent(parent(min(going))), signal.SIGKILL)
        return False

    with pytest.raises(Permanent, match="PY_KILLED"):
        bench.make(bench.report(DAEMON + "time.sleep(60)"), bench.work(cancelled=kill_launcher))
    assert wait_until_gone(going)
    bench.close()


def test_folders_of_runs_that_nobody_cleared_up_are_swept(bench: ScriptBench) -> None:
    bench.run(WRITE)
    left = bench.scratch / "reportbus-script-left"
    left.mkdir()
    (left / "input").write_text("{}")
    os.utime(left, (1, 1))
    bench.run(WRITE)
    assert not left.exists()
