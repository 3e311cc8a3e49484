"""The whole line on a test stand: a home, a ledger, and processes that run it and may be killed."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from contextlib import ExitStack, closing, contextmanager
from functools import cached_property
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self, TypedDict, Unpack

from sqlalchemy import func, select, text

from flows.line_process import LISTENING, LOG, Orders, start
from flows.points import GO_ON, HELD
from flows.watcher import Watcher
from reportbus.adapters.clock import SystemClock
from reportbus.adapters.ledger import tables
from reportbus.adapters.ledger.sql import SqlLedger
from reportbus.adapters.worktable.sqlite import SqliteWorktable
from reportbus.core.model import Status
from reportbus.wiring.roles import ROLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from multiprocessing.context import ForkServerProcess
    from types import TracebackType

    from flows.load import Asked

LIMIT_SECONDS: Final = 45.0
"""How long anything may take; the machine is shared."""

KILLED: Final = -signal.SIGKILL

SETTINGS: Final = """\
worker: {threads: 3, batch: 8, heartbeat_seconds: 0.1}
poll: {interval_seconds: 0.1, batch: 10}
sweep: {interval_seconds: 0.1}
write_back: {interval_seconds: 0.02}
stop: {grace_seconds: 10}
retry: {backoff_base: 1.01, max_backoff: 1.01}
notify: [{channel: EMAIL, to: [ops@example.com]}]
"""

_END_OTHERS: Final = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
_LOOK_SECONDS: Final = 0.05
_LOG_END: Final = 3_000
_OPEN_JOBS: Final = tables.jobs.c.state.in_(tables.OPEN_STATES)


class More(TypedDict, total=False):
    """The further orders of a process; see Orders."""

    point: str
    hit: int
    hold: bool
    told: int
    lost_replies: float


class Stand:
    """One line, from the worktable to the folder `delivered`, watched all the time.

    `options` are settings beside those of `SETTINGS`, by the names of their variables.
    """

    def __init__(self, home: Path, ledger_url: str, options: Mapping[str, str]) -> None:
        self.home = home
        self.ledger_url = ledger_url
        self.delivered = home / "delivered"
        self.asked: dict[str, Asked] = {}
        self.kills = 0
        self._environment = {
            "REPORTBUS_HOME": str(home),
            "REPORTBUS_CONFIG": str(home / "config"),
            "REPORTBUS_LEDGER__URL": ledger_url,
            **options,
        }
        (home / "config").mkdir()
        (home / "config" / "reportbus.yaml").write_text(SETTINGS)
        self._log = home / LOG
        self._opened = ExitStack()
        self.processes: list[ForkServerProcess] = []
        self.worktable = SqliteWorktable(home / "worktable.db")
        self.watcher = Watcher(self.delivered, home / "staging" / "reports")

    def __enter__(self) -> Self:
        self.watcher.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self.processes:
            process.kill()
            process.join(LIMIT_SECONDS)
        self.watcher.__exit__(kind, error, trace)
        self.worktable.close()
        self._opened.close()

    @cached_property
    def ledger(self) -> SqlLedger:
        """The ledger, for looking; opened when it is first looked at."""
        ledger = SqlLedger(self.ledger_url, SystemClock(), wakeups=False)
        self._opened.callback(ledger.close)
        return ledger

    # -- what happens to the line

    def submit(self, requests: Sequence[Asked]) -> None:
        """Put requests into the worktable, all at once."""
        self.asked |= {each.request_id: each for each in requests}
        self.worktable.insert([each.row for each in requests])

    def start(self, *roles: str, **orders: Unpack[More]) -> ForkServerProcess:
        """Start a process with these roles, or with all of them."""
        process = start(Orders(self.home, self._environment, roles or tuple(ROLES), **orders))
        self.processes.append(process)
        return process

    def dies(self, process: ForkServerProcess) -> None:
        """Wait until the process has been killed at its point."""
        process.join(LIMIT_SECONDS)
        assert process.exitcode == KILLED, f"it was not killed: {process.exitcode}\n{self.log_end()}"
        self.kills += 1
        self.processes.remove(process)

    def kill(self, process: ForkServerProcess) -> None:
        """Kill the process where it stands."""
        process.kill()
        self.dies(process)

    def held(self) -> None:
        """Wait until a thread of a process is held at its point."""
        self.until((self.home / HELD).exists, "a thread is held")

    def freeze(self, process: ForkServerProcess) -> None:
        """Wait until a thread of the process is held at its point, then stop the process where it stands.

        No other thread of it may have the lock of an SQLite file just then, for nobody could take it from a
        process that does not run: so the locks are taken first.
        """
        assert process.pid is not None
        self.held()
        with ExitStack() as locked:
            for path in self.home.glob("*.db"):
                locked.enter_context(write_lock(path))
            os.kill(process.pid, signal.SIGSTOP)
            self.until(lambda: _state(process) == "T", "the process stands still")

    def wake(self, process: ForkServerProcess) -> None:
        """Let the process go on, and its thread."""
        assert process.pid is not None
        (self.home / GO_ON).touch()
        os.kill(process.pid, signal.SIGCONT)

    def stop(self, *processes: ForkServerProcess, within: float = LIMIT_SECONDS, code: int = 0) -> None:
        """End these processes, or all, by SIGTERM; each of them has to end in time and with this code."""
        ending = list(processes or self.processes)
        self.until(lambda: self._listening().issuperset(ending), "they hear signals")
        until = time.monotonic() + within
        for process in ending:
            process.terminate()
        for process in ending:
            process.join(max(0.0, until - time.monotonic()))
            assert process.exitcode == code, f"it ended with {process.exitcode}\n{self.log_end()}"
            self.processes.remove(process)

    def cut_ledger(self) -> None:
        """Have PostgreSQL end every connection that somebody else has to the ledger."""
        with self.ledger.database.read() as connection:
            connection.execute(text(_END_OTHERS))

    # -- waiting

    def until(self, condition: Callable[[], bool], what: str, limit: float = LIMIT_SECONDS) -> None:
        """Wait for a condition; it is looked at whenever the worktable changes, and now and then."""
        end = time.monotonic() + limit
        while not condition():
            died = wait([process.sentinel for process in self.processes], 0)
            assert not died, f"a process died while waiting until {what}\n{self.log_end()}"
            assert time.monotonic() < end, f"waited too long until {what}\n{self.log_end()}"
            self.worktable.changed(_LOOK_SECONDS)

    def drain(self, limit: float = LIMIT_SECONDS) -> None:
        """Wait until every request has ended, everywhere."""
        self.until(self.drained, "all requests have ended", limit)

    def drained(self) -> bool:
        """Whether the worktable says so of every request and the ledger has nothing left to do."""
        statuses = self.worktable_statuses()
        return (
            len(statuses) == len(self.asked)
            and set(statuses.values()) <= {"COMPLETED", "FAILED"}
            and not self.open_jobs()
            and not self.ledger.operations.unwritten(1)
        )

    # -- looking

    def worktable_statuses(self) -> dict[str, str]:
        """Each row's status, as any SQLite client sees it."""
        with closing(sqlite3.connect(self.home / "worktable.db")) as connection:
            return dict(connection.execute("SELECT REQUEST_ID, STATUS FROM REPORT_REQUESTS"))

    def ended(self) -> int:
        """How many requests have ended in the ledger."""
        counts = self.ledger.records.counts()
        return counts[Status.COMPLETED] + counts[Status.FAILED]

    def open_jobs(self, *states: str) -> int:
        """How many jobs wait or are being done, or are in one of these states."""
        chosen = tables.jobs.c.state.in_(states) if states else _OPEN_JOBS
        with self.ledger.database.read() as connection:
            return int(connection.execute(select(func.count()).where(chosen)).scalar_one())

    def at_the_engine(self) -> int:
        """How many jobs are being done and have told the ledger that they have got as far as the engine."""
        statement = select(func.count()).where(
            tables.jobs.c.state == "RUNNING", tables.jobs.c.checkpoint != ""
        )
        with self.ledger.database.read() as connection:
            return int(connection.execute(statement).scalar_one())

    def _listening(self) -> set[ForkServerProcess]:
        """The processes that have got as far as to hear signals."""
        try:
            pids = (self.home / LISTENING).read_text().split()
        except FileNotFoundError:
            return set()
        return {process for process in self.processes if str(process.pid) in pids}

    def stopping(self, process: ForkServerProcess) -> bool:
        """Whether it says that it stops."""
        return f" {process.pid} reportbus.wiring.line: stopping" in self._log.read_text(errors="replace")

    def log_end(self) -> str:
        """The last lines of what the processes said."""
        return self._log.read_text(errors="replace")[-_LOG_END:] if self._log.exists() else ""


@contextmanager
def write_lock(path: Path) -> Iterator[sqlite3.Connection]:
    """Nobody else writes to this SQLite file while the block runs."""
    with closing(sqlite3.connect(path, timeout=LIMIT_SECONDS, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.execute("COMMIT")


def _state(process: ForkServerProcess) -> str:
    """The kernel's letter for what the process does: T where it was stopped."""
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]
