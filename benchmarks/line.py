"""Measures the line: PENDING worktable rows to COMPLETED, every commit and every file durable.

`line.py [--requests N] [--history N] [--only TEXT]` prints figures and ratios, and writes them to
build/bench.json, those of a part beside the others; it judges nothing, since machines differ and are shared.
Each case has processes of its own:

* 1p: every role in one process, as `reportbus up`; 2p: a second one makes and delivers reports as well.
* "ready" has an engine that writes 10 KB of ready bytes: the line is measured. "duckdb" exports 100 rows to
  CSV.
* One folder target, no notices.
* The time runs from the commit of the rows in the worktable to the end of the last request in the ledger.
* "yardstick_ms" is what the same small piece of Python took meanwhile; see yardstick.py.
* What the cases leave is removed when all are done: some filesystems (ext4 without a journal) are slow to
  make files for minutes after many have been removed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import history
from sqlalchemy import func, select
from yardstick import Yardstick

from reportbus.adapters.clock import SystemClock
from reportbus.adapters.ledger import schema, tables
from reportbus.adapters.ledger.database import Database
from reportbus.adapters.worktable.sqlite import SqliteWorktable
from servers.postgres import start_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

HERE: Final = Path(__file__).parent
WORKERS: Final = ("generator", "distributor", "notifier")
EXPORT: Final = """\
name: numbers
title: A hundred numbers
connection: local
sql: SELECT i AS number, 'row ' || i AS name, i * 1.5 AS amount FROM range(100) t(i)
"""
LIMIT_SECONDS: Final = 900
LOOK_SECONDS: Final = 0.25
YARDSTICK: Final = Yardstick()


@dataclass(slots=True)
class Bench:
    """One line on one home, with its ledger."""

    home: Path
    engine: str
    url: str
    postmaster: int | None = None
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        config = self.home / "config"
        (config / "reports").mkdir(parents=True)
        (config / "reports" / "numbers.yaml").write_text(EXPORT)
        (config / "reportbus.yaml").write_text("notify: []\n")
        schema.upgrade_url(self.url, SystemClock())

    @property
    def environment(self) -> dict[str, str]:
        """What the processes are told."""
        return {
            "PATH": os.environ["PATH"],
            "REPORTBUS_HOME": str(self.home / "data"),
            "REPORTBUS_CONFIG": str(self.home / "config"),
            "REPORTBUS_LEDGER__URL": self.url,
            "REPORTBUS_TELEMETRY__LOG_LEVEL": "WARNING",
            "BENCH_ENGINE": self.engine,
        }

    def start(self, *roles: str) -> subprocess.Popen[str]:
        """Start a process with these roles; with all of them where none is named."""
        command = [sys.executable, str(HERE / "process.py"), *roles]
        process = subprocess.Popen(command, env=self.environment, stdout=subprocess.PIPE, text=True)
        self.processes.append(process)
        return process

    def stop(self) -> list[dict[str, float]]:
        """End the processes; what each of them used."""
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        used = [json.loads(process.communicate(timeout=60)[0]) for process in self.processes]
        self.processes.clear()
        return used

    def submit(self, worktable: SqliteWorktable, count: int) -> list[str]:
        """Put so many requests into the worktable; their ids."""
        ids = [str(uuid4()) for _ in range(count)]
        worktable.insert(
            [
                {
                    "REQUEST_ID": id_,
                    "REPORT_TYPE": "PYTHON",
                    "REPORT_NAME": "numbers",
                    "PARAMETERS": "{}",
                    "DISTRIBUTION_CONFIG": json.dumps(
                        {"format": "CSV", "targets": [{"type": "NAS", "path": f"out/{n % 20}"}]}
                    ),
                    "REQUESTED_BY": "bench",
                }
                for n, id_ in enumerate(ids)
            ]
        )
        return ids

    def worktable(self) -> SqliteWorktable:
        """The worktable, as anybody would open it."""
        (self.home / "data").mkdir(exist_ok=True)
        return SqliteWorktable(self.home / "data" / "worktable.db")

    def database(self) -> Database:
        """The ledger's database."""
        return Database(self.url, SystemClock(), pool=1)

    def server_cpu(self) -> float:
        """CPU seconds of the database server so far."""
        return 0.0 if self.postmaster is None else _tree_cpu(self.postmaster)


def _tree_cpu(pid: int) -> float:
    """CPU seconds of a process, its children and those of them that have ended."""
    total = 0
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        total += _ticks(int(child), slice(11, 13))
    return (total + _ticks(pid, slice(11, 15))) / os.sysconf("SC_CLK_TCK")


def _ticks(pid: int, fields: slice) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return 0
    return sum(int(value) for value in stat.rpartition(")")[2].split()[fields])


@contextmanager
def bench(kept: ExitStack, ledger: str, engine: str) -> Iterator[Bench]:
    """A fresh line on a ledger of this kind; its files and its server stay until `kept` is closed."""
    home = Path(kept.enter_context(tempfile.TemporaryDirectory(prefix="reportbus-bench-")))
    if ledger == "sqlite":
        (home / "data").mkdir()
        made = Bench(home, engine, f"sqlite:///{home / 'data' / 'ledger.db'}")
    else:
        server = start_postgres()
        kept.callback(server.close)
        made = Bench(home, engine, kept.enter_context(server.database()), server.pid)
    try:
        yield made
    finally:
        for process in made.processes:
            process.kill()
            process.wait()


def _ended(database: Database, first_key: int) -> int:
    """How many requests have ended since the one with this key."""
    requests = tables.requests.c
    statement = select(func.count()).where(requests.request_key > first_key, requests.ended_at.is_not(None))
    with database.read() as connection:
        return int(connection.execute(statement).scalar_one())


def _newest(database: Database) -> int:
    with database.read() as connection:
        return int(
            connection.execute(select(func.coalesce(func.max(tables.requests.c.request_key), 0))).scalar_one()
        )


def _last_end(database: Database) -> float:
    """When the last request ended, in seconds since 1970."""
    with database.read() as connection:
        ended = connection.execute(select(func.max(tables.requests.c.ended_at))).scalar_one()
    return _seconds(ended)


def _seconds(stamp: datetime) -> float:
    return stamp.replace(tzinfo=UTC).timestamp()


def wait_for(line: Bench, database: Database, first_key: int, count: int) -> None:
    """Until so many requests have ended. Raises TimeoutError, and RuntimeError where a process has died."""
    until = time.monotonic() + LIMIT_SECONDS
    while _ended(database, first_key) < count:
        if time.monotonic() > until:
            raise TimeoutError
        if any(process.poll() is not None for process in line.processes):
            raise RuntimeError("a process of the line has died")
        YARDSTICK.look()
        time.sleep(LOOK_SECONDS)


def throughput(line: Bench, processes: int, count: int) -> dict[str, Any]:
    """Requests per second from rows that stand in the worktable when the line is up and idle."""
    database, worktable = line.database(), line.worktable()
    line.start()
    for _ in range(processes - 1):
        line.start(*WORKERS)
    warm = _newest(database)
    line.submit(worktable, 200)
    wait_for(line, database, warm, 200)
    first, server = _newest(database), line.server_cpu()
    before = [_ticks(process.pid, slice(11, 13)) / os.sysconf("SC_CLK_TCK") for process in line.processes]
    line.submit(worktable, count)
    started = time.time()
    YARDSTICK.restart()
    wait_for(line, database, first, count)
    seconds = _last_end(database) - started
    after = [_ticks(process.pid, slice(11, 13)) / os.sysconf("SC_CLK_TCK") for process in line.processes]
    server = line.server_cpu() - server
    used = line.stop()
    database.close()
    worktable.close()
    own = [round((b - a) * 1000 / count, 3) for a, b in zip(before, after, strict=True)]
    return {
        "requests_per_second": round(count / seconds),
        "cpu_ms_per_request": round(sum(own) + server * 1000 / count, 3),
        "cpu_ms_by_process": [*own, *([round(server * 1000 / count, 3)] if server else [])],
        "peak_mb": [round(use["peak_mb"]) for use in used],
        "yardstick_ms": YARDSTICK.milliseconds(),
    }


def latency(line: Bench, per_second: float, seconds: float) -> dict[str, Any]:
    """From a row's commit in the worktable to the request's end in the ledger, at a gentle rate."""
    database, worktable = line.database(), line.worktable()
    line.start()
    warm = _newest(database)
    line.submit(worktable, 20)
    wait_for(line, database, warm, 20)
    sent: dict[str, float] = {}
    for _ in range(int(per_second * seconds)):
        (id_,) = line.submit(worktable, 1)
        sent[id_] = time.time()
        time.sleep(1 / per_second)
    wait_for(line, database, warm, 20 + len(sent))
    requests = tables.requests.c
    with database.read() as connection:
        rows = connection.execute(select(requests.request_id, requests.ended_at)).all()
    line.stop()
    took = sorted(
        (_seconds(row.ended_at) - sent[row.request_id]) * 1000 for row in rows if row.request_id in sent
    )
    database.close()
    worktable.close()
    return {"p50_ms": round(statistics.median(took), 1), "p99_ms": round(took[int(len(took) * 0.99)], 1)}


def recovery(line: Bench, count: int) -> dict[str, Any]:
    """Seconds from kill -9 of the only worker, restarted at once, until what it had in hand is done."""
    database, worktable = line.database(), line.worktable()
    process = line.start()
    first = _newest(database)
    line.submit(worktable, count)
    wait_for(line, database, first, count // 3)
    process.kill()
    process.wait()
    line.processes.clear()
    killed = time.monotonic()
    jobs = tables.jobs.c
    with database.read() as connection:
        held = list(connection.execute(select(jobs.job_key).where(jobs.state == "RUNNING")).scalars())
    line.start()
    undone = select(func.count()).where(database.dialect.among(jobs.job_key, "held"), jobs.state != "DONE")
    while True:
        with database.read() as connection:
            if not connection.execute(undone, {"held": database.dialect.keys(held)}).scalar_one():
                break
        time.sleep(0.02)
    seconds = time.monotonic() - killed
    wait_for(line, database, first, count)
    line.stop()
    database.close()
    worktable.close()
    return {"recovery_seconds": round(seconds, 2), "jobs_in_hand": len(held)}


def idle(line: Bench, seconds: float) -> dict[str, Any]:
    """How much of a core a line without work takes, in percent."""
    process = line.start()
    database, worktable = line.database(), line.worktable()
    warm = _newest(database)
    line.submit(worktable, 20)
    wait_for(line, database, warm, 20)
    time.sleep(3)
    tick = os.sysconf("SC_CLK_TCK")
    before, server = _ticks(process.pid, slice(11, 13)) / tick, line.server_cpu()
    time.sleep(seconds)
    after = _ticks(process.pid, slice(11, 13)) / tick
    server = line.server_cpu() - server
    line.stop()
    database.close()
    worktable.close()
    return {"idle_percent": round((after - before + server) / seconds * 100, 2)}


def with_history(line: Bench, count: int, past: int) -> dict[str, dict[str, Any]]:
    """The throughput of one and of two processes with so many finished requests in the ledger already."""
    database, worktable = line.database(), line.worktable()
    line.start()
    first = _newest(database)
    line.submit(worktable, 2000)
    wait_for(line, database, first, 2000)
    time.sleep(2)
    line.stop()
    there = history.multiply(database, past // 2000)
    database.close()
    worktable.close()
    return {
        f"{processes}p": throughput(line, processes, count) | {"finished_before": there}
        for processes in (1, 2)
    }


def main() -> None:
    """Run the cases that were asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--history", type=int, default=1_000_000)
    parser.add_argument("--only", default="", help="run the cases whose name contains this")
    parser.add_argument("--out", type=Path, default=HERE.parent / "build" / "bench.json")
    asked = parser.parse_args()
    cases: dict[str, Any] = {}
    for ledger in ("sqlite", "postgresql"):
        for engine in ("ready", "duckdb"):
            for processes in (1, 2):
                cases[f"{ledger} {engine} {processes}p"] = (
                    ledger,
                    engine,
                    lambda line, n=processes: throughput(line, n, asked.requests),
                )
        cases[f"{ledger} ready latency at 5/s"] = (ledger, "ready", lambda line: latency(line, 5, 30))
        cases[f"{ledger} ready recovery"] = (ledger, "ready", lambda line: recovery(line, 3000))
        cases[f"{ledger} idle"] = (ledger, "ready", lambda line: idle(line, 15))
        cases[f"{ledger} ready with history"] = (
            ledger,
            "ready",
            lambda line: with_history(line, asked.requests, asked.history),
        )
    if not any(asked.only in name for name in cases):
        parser.error(f"no case's name contains '{asked.only}'; there are: {', '.join(cases)}")
    found: dict[str, Any] = {}
    if asked.only and asked.out.exists():
        found = json.loads(asked.out.read_text())
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as kept:
        # Those with a history come last: they leave gigabytes that the system brings to the disk for minutes.
        for name, (ledger, engine, measure) in sorted(cases.items(), key=lambda case: "history" in case[0]):
            if asked.only not in name:
                continue
            os.sync()
            with bench(kept, ledger, engine) as line:
                found[name] = measure(line)
            print(f"{name:38} {json.dumps(found[name])}", flush=True)
            asked.out.write_text(json.dumps(found, indent=2) + "\n")
    _ratios(found)
    asked.out.write_text(json.dumps(found, indent=2) + "\n")


def _ratios(found: dict[str, Any]) -> None:
    for ledger in ("sqlite", "postgresql"):
        for processes, full in found.get(f"{ledger} ready with history", {}).items():
            if empty := found.get(f"{ledger} ready {processes}"):
                ratio = round(_at_one_speed(full) / _at_one_speed(empty), 2)
                found[f"{ledger} {processes} history ratio"] = {"cpu_with_history_to_empty": ratio}
                print(f"{f'{ledger} {processes} history ratio':38} {ratio}")


def _at_one_speed(case: dict[str, Any]) -> float:
    """CPU per request, as it were had the cores been as fast in every case."""
    return float(case["cpu_ms_per_request"] / case["yardstick_ms"])


if __name__ == "__main__":
    main()
