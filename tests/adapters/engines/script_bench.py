"""Running one script as the engine does, and looking for what it left behind."""

from __future__ import annotations

import os
import select
import shutil
import stat
import sys
import tempfile
import time
import uuid
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from reportbus.adapters.clock import SystemClock
from reportbus.adapters.engines.python.fields import DefinitionFile
from reportbus.adapters.engines.python.launcher.order import USER
from reportbus.adapters.engines.python.sandbox import Sandbox
from reportbus.adapters.engines.python.script_definition import ScriptDefinition
from reportbus.adapters.engines.python.scripts import ScriptReport
from reportbus.adapters.staging.folder import FolderStaging
from reportbus.core.errors import Permanent
from reportbus.core.model import Request
from reportbus.ports import Deadline, Work

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reportbus.core.model import JsonValue
    from reportbus.ports import Clock

TOKEN: Final = "REPORTBUS_TEST_TOKEN"
GONE_SECONDS: Final = 20.0
OUT: Final = 'OUT = "out/report.csv"\n'
WRITE: Final = OUT + 'open(OUT, "w").write("id\\n1\\n")\n'
CANARY: Final = "CANARY-s3cr3t-5f1e"
DAEMON: Final = WRITE + (
    "import os, time\n"
    "if os.fork() == 0:\n"
    "    os.setsid()\n"
    "    if os.fork() == 0:\n"
    "        time.sleep(60)\n"  # it holds standard output and error open all the while
    "    os._exit(0)\n"
)


class ScriptBench:
    """A sandbox, and reports of scripts run in it, whose processes carry `token` in their environment."""

    def __init__(self, isolation: str, interpreter: str) -> None:
        self.token = uuid.uuid4().hex
        self.root = Path(tempfile.mkdtemp(prefix="reportbus-test-", dir="/tmp"))
        self.root.chmod(0o711)  # a script's own user passes through
        self.scratch = self.root / "scratch"
        self.scripts = self.root / "scripts"
        self.scripts.mkdir()
        self.sandbox = Sandbox(self.scratch, isolation=isolation, interpreter=interpreter)
        self.staging = FolderStaging(self.root / "staging")

    def report(self, source: str, **definition: JsonValue) -> ScriptReport:
        """The report that a script makes: CSV, unless the definition says otherwise."""
        (self.scripts / "sales.py").write_text(source)
        mapping: dict[str, JsonValue] = {
            "name": "sales",
            "script": "sales.py",
            "formats": ["CSV"],
            **definition,
        }
        environment = mapping.get("environment")
        known = environment if isinstance(environment, dict) else {}
        mapping["environment"] = {TOKEN: self.token, **known}
        parsed = ScriptDefinition.parse(
            mapping, DefinitionFile("sales.yaml"), folder=self.scripts, hash_required=False
        )
        return ScriptReport(parsed, self.sandbox)

    def make(self, report: ScriptReport, work: Work | None = None) -> bytes:
        """The bytes the report's script writes; raises what `produce` raises."""
        with self.staging.writer("reports/R-1/1/1/sales.csv", limit=1 << 30) as writer:
            report.produce(work or self.work(), writer)
            return writer.head

    def run(self, source: str, **definition: JsonValue) -> bytes:
        """The bytes a script writes."""
        return self.make(self.report(source, **definition))

    def work(
        self,
        parameters: Mapping[str, JsonValue] | None = None,
        *,
        seconds: float = 60,
        clock: Clock | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Work:
        """One attempt, to end in so many seconds."""
        clock = clock or SystemClock()
        now = datetime(2026, 11, 1, 8, tzinfo=UTC)
        request = Request(
            request_id="R-1",
            report_type="PYTHON",
            report_name="sales",
            format="CSV",
            file_name="sales.csv",
            requested_at=now,
            expires_at=now + timedelta(days=1),
            parameters=parameters or {},
        )
        deadline = Deadline(clock.monotonic() + seconds, clock)
        return Work("reports/R-1/1/1/sales.csv", request, deadline, {}, lambda _: None, cancelled)

    def left_over(self) -> list[int]:
        """The script's processes that are still there."""
        mark = f"{TOKEN}={self.token}".encode()
        found = []
        for path in Path("/proc").iterdir():
            with suppress(OSError):
                if path.name.isdecimal() and mark in (path / "environ").read_bytes():
                    found.append(int(path.name))
        return found

    def close(self) -> None:
        """Let go of everything and remove the folders."""
        self.sandbox.close()
        self.staging.close()
        shutil.rmtree(self.root, ignore_errors=True)


def reachable_interpreter() -> str:
    """A Python that every user of the machine may start; "" where there is none."""
    for candidate in (sys.executable, shutil.which("python3", path="/usr/bin:/usr/local/bin") or ""):
        if candidate and all(
            place.stat().st_mode & stat.S_IXOTH
            for path in (Path(candidate), Path(candidate).resolve())
            for place in path.parents
        ):
            return candidate
    return ""


def children(pid: int) -> list[int]:
    """The process ids of a process's children."""
    return [
        int(child)
        for path in Path(f"/proc/{pid}/task").iterdir()
        for child in (path / "children").read_text().split()
    ]


def parent(pid: int) -> int:
    """The process id of a process's parent."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def wait_until_gone(pids: list[int]) -> bool:
    """Whether all these processes end within twenty seconds."""
    deadline = time.monotonic() + GONE_SECONDS
    for pid in pids:
        with suppress(ProcessLookupError):
            handle = os.pidfd_open(pid)
            poll = select.poll()
            poll.register(handle, select.POLLIN)
            ended = poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
            os.close(handle)
            if not ended:
                return False
    return True


def a_bench(isolation: str) -> ScriptBench:
    """A bench of this isolation; the test is skipped where that cannot be had."""
    interpreter = reachable_interpreter() if isolation == USER else sys.executable
    if not interpreter:
        pytest.skip("no Python that every user may start")
    bench = ScriptBench(isolation, interpreter)
    verdict = bench.sandbox.test()
    if not verdict.ok:
        bench.close()
        pytest.skip(verdict.text)
    return bench


def refusal(bench: ScriptBench, source: str, **definition: JsonValue) -> Permanent:
    """What the run of a script that does not do its work raises."""
    with pytest.raises(Permanent) as raised:
        bench.run(source, **definition)
    return raised.value


# -- what a script gets and gives
