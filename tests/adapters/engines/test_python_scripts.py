from __future__ import annotations

import hashlib
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

import reportbus
from adapters.engines.script_bench import (
    ScriptBench,
    children,
    parent,
    reachable_interpreter,
    wait_until_gone,
)
from reportbus.adapters.clock import ManualClock
from reportbus.adapters.engines.python.fields import DefinitionFile
from reportbus.adapters.engines.python.launcher.order import LIMITS, NAMESPACES, USER
from reportbus.adapters.engines.python.sandbox import Sandbox
from reportbus.adapters.engines.python.script_definition import ScriptDefinition
from reportbus.core.errors import Permanent, Refused, Transient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reportbus.core.model import JsonValue

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="scripts run on Linux only")

ROOT = Path(__file__).parents[3]
OUT = 'OUT = "out/report.csv"\n'
WRITE = OUT + 'open(OUT, "w").write("id\\n1\\n")\n'
CANARY = "CANARY-s3cr3t-5f1e"


def a_bench(isolation: str) -> ScriptBench:
    interpreter = reachable_interpreter() if isolation == USER else sys.executable
    if not interpreter:
        pytest.skip("no Python that every user may start")
    bench = ScriptBench(isolation, interpreter)
    verdict = bench.sandbox.test()
    if not verdict.ok:
        bench.close()
        pytest.skip(verdict.text)
    return bench


@pytest.fixture(params=[NAMESPACES, USER])
def bench(request: pytest.FixtureRequest) -> Iterator[ScriptBench]:
    """A sandbox of each strong kind. Whatever a test does in it, nothing is left behind."""
    bench = a_bench(request.param)
    yield bench
    assert bench.left_over() == []
    assert list(bench.scratch.glob("*")) == []
    bench.close()


def refusal(bench: ScriptBench, source: str, **definition: JsonValue) -> Permanent:
    with pytest.raises(Permanent) as raised:
        bench.run(source, **definition)
    return raised.value


# -- what a script gets and gives


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


# -- scripts that fail


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


# -- scripts that attack


def test_a_script_writes_nowhere_but_in_its_own_folder(bench: ScriptBench) -> None:
    neighbour = bench.root / "neighbour"
    neighbour.mkdir(0o755)
    places = [
        *("/", "/etc", "/usr", "/root", "/var/lib"),
        str(neighbour),
        str(bench.scratch),
        str(bench.scripts),
    ]
    source = OUT + (
        f"written = []\nfor place in {places!r}:\n"
        "    try:\n"
        "        open(f'{place}/reportbus-was-here', 'w')\n"
        "        written.append(place)\n"
        "    except OSError:\n"
        "        pass\n"
        "open(OUT, 'w').write(repr(written))\n"
    )
    assert bench.run(source) == b"[]"
    assert not any(Path(place, "reportbus-was-here").exists() for place in places)


def test_the_folders_for_temporary_files_are_its_own() -> None:
    bench = a_bench(NAMESPACES)
    source = WRITE + "\n".join(
        f"open('{folder}/{bench.token}', 'w')" for folder in ("/tmp", "/var/tmp", "/dev/shm", "tmp/..")
    )
    bench.run(source)
    assert not any(Path(folder, bench.token).exists() for folder in ("/tmp", "/var/tmp", "/dev/shm"))
    bench.close()


def test_a_script_sees_only_the_files_it_declares_and_cannot_change_them() -> None:
    bench = a_bench(NAMESPACES)
    declared, other = bench.root / "declared", bench.root / "other"
    for folder in (declared, other):
        folder.mkdir()
        folder.chmod(0o777)
        (folder / "data.txt").write_text("told")
    source = OUT + (
        "import os\n"
        f"found = [path for path in {[str(other), '/etc/shadow', '/root/.ssh']!r} if os.path.exists(path)]\n"
        f"found.append(open('{declared}/data.txt').read())\n"
        "try:\n"
        f"    open('{declared}/more.txt', 'w')\n"
        "except OSError as error:\n"
        "    found.append(error.strerror)\n"
        "open(OUT, 'w').write(', '.join(found))\n"
    )
    assert bench.run(source, reads=[str(declared)]) == b"told, Read-only file system"
    bench.close()


def test_a_script_has_no_network_unless_it_declares_it() -> None:
    bench = a_bench(NAMESPACES)
    source = OUT + (
        "import json, socket, sys\n"
        "port = json.load(sys.stdin)['parameters']['port']\n"
        "try:\n"
        "    socket.create_connection(('127.0.0.1', port), timeout=5)\n"
        "    said = 'connected'\n"
        "except OSError:\n"
        "    said = 'refused'\n"
        "open(OUT, 'w').write(said)\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as server:
        work = bench.work({"port": server.getsockname()[1]})
        parameters: JsonValue = {"port": {"type": "integer"}}
        assert bench.make(bench.report(source, parameters=parameters), work) == b"refused"
        assert bench.make(bench.report(source, parameters=parameters, network=True), work) == b"connected"
    bench.close()


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


DAEMON = WRITE + (
    "import os, time\n"
    "if os.fork() == 0:\n"
    "    os.setsid()\n"
    "    if os.fork() == 0:\n"
    "        time.sleep(60)\n"  # it holds standard output and error open all the while
    "    os._exit(0)\n"
)


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


def test_a_folder_nobody_may_enter_is_removed_all_the_same(bench: ScriptBench) -> None:
    bench.run(WRITE + "import os; os.makedirs('tmp/a/b'); os.chmod('tmp/a/b', 0); os.chmod('tmp/a', 0)")


# -- the end of an attempt


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


# -- weaker isolation


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


# -- registration


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    folder = tmp_path / "scripts"
    folder.mkdir()
    (folder / "sales.py").write_text(WRITE)
    (tmp_path / "evil.py").write_text(WRITE)
    (folder / "link.py").symlink_to(tmp_path / "evil.py")
    (folder / "linked").symlink_to(tmp_path)
    (folder / "large.py").write_text("#" * (2 << 20))
    return folder


def parsed(scripts: Path, *, hash_required: bool = False, **definition: JsonValue) -> ScriptDefinition:
    mapping: dict[str, JsonValue] = {"name": "sales", "script": "sales.py", "formats": ["CSV"], **definition}
    return ScriptDefinition.parse(
        mapping, DefinitionFile("sales.yaml"), folder=scripts, hash_required=hash_required
    )


@pytest.mark.parametrize(
    "path",
    [
        "../evil.py",
        "/etc/passwd",
        "missing.py",
        "link.py",
        "linked/evil.py",
        "large.py",
        ".",
        "a//b",
        "x\0y",
        "",
    ],
)
def test_a_script_is_a_plain_file_in_the_scripts_folder(scripts: Path, path: str) -> None:
    with pytest.raises(Refused) as raised:
        parsed(scripts, script=path)
    assert {problem.code for problem in raised.value.problems} <= {"PY_NOT_REGISTERED", "CFG_RANGE"}


def test_a_script_that_is_not_the_registered_one_does_not_run(scripts: Path) -> None:
    digest = hashlib.sha256(WRITE.encode()).hexdigest()
    source = parsed(scripts, sha256=digest.upper(), hash_required=True).source
    assert source.read() == WRITE.encode()
    (scripts / "sales.py").write_text("import os")
    with pytest.raises(Permanent, match="PY_HASH_MISMATCH"):
        source.read()
    with pytest.raises(Refused, match="PY_HASH_MISMATCH"):
        parsed(scripts, sha256=digest)


def test_a_hash_can_be_required(scripts: Path) -> None:
    with pytest.raises(Refused, match="sha256"):
        parsed(scripts, hash_required=True)


def test_everything_wrong_with_a_definition_is_told_at_once(scripts: Path) -> None:
    with pytest.raises(Refused) as raised:
        parsed(
            scripts,
            name="",
            formats=["CVS"],
            limits={"seconds": 0, "output_mb": 10, "disk_mb": 5, "memroy_mb": 1},
            environment={"A B": "x"},
            parameters={"a-b": {"type": "text"}},
            reads=["data"],
            network="yes",
            sha256="abc",
            sql="SELECT 1",
        )
    assert {problem.field for problem in raised.value.problems} == {
        "name", "formats", "limits.seconds", "limits.disk_mb",
        "limits", "environment.A B", "parameters.a-b", "reads",
        "network", "sha256", "",
    }  # fmt: skip
