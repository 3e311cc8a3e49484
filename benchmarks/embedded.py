"""CPU that the SQLite worktable and bus take for each row and message, and while nothing happens.

    python benchmarks/embedded.py [--rows N] [--batch N] [--finished N] [--idle SECONDS]

`--finished` rows are in the worktable already. Priorities are all alike, and then mixed: the rows of a batch
then lie on as many pages, each of which is written.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import tempfile
import time
from collections import defaultdict
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from reportbus.adapters.bus.sqlite import SqliteBus
from reportbus.adapters.clock import SystemClock
from reportbus.adapters.worktable.sqlite import SqliteWorktable
from reportbus.core.model import Status
from reportbus.ports import Message, WriteBack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TOPIC = "report-requests"
CONFIG = json.dumps(
    {"format": "PDF", "file_name": "{{ report }}.pdf", "targets": [{"type": "NAS", "path": "in/finance"}]}
)


class CpuTime:
    """CPU seconds of this process by what they went into."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Count what the block takes."""
        start = time.process_time()
        yield
        self.seconds[name] += time.process_time() - start

    def show(self, title: str, count: int) -> None:
        """Print microseconds for each of `count` things."""
        each = {name: seconds / count * 1e6 for name, seconds in self.seconds.items()}
        parts = ", ".join(f"{name} {micros:.1f}" for name, micros in each.items())
        print(f"{title:34} {sum(each.values()):6.1f} us   ({parts})")


def worktable(folder: Path, rows: int, batch: int, finished: int, *, mixed: bool) -> None:
    """Take new rows through fetch, stamp and write back."""
    path = folder / f"worktable-{mixed}.db"
    cpu = CpuTime()
    with closing(SqliteWorktable(path)) as table:
        _add_finished(path, finished)
        with cpu.of("insert"):
            table.insert([insertable(number, number % 9 + 1 if mixed else 5) for number in range(rows)])
        cpu.show(f"worktable, {finished:,} rows before", rows)
        cpu = CpuTime()
        now = datetime.now(UTC)
        while True:
            with cpu.of("fetch"):
                found = table.fetch(batch, again=batch, published_before=now - timedelta(minutes=10))
            if not found:
                break
            with cpu.of("stamp"):
                table.stamp([row.ref for row in found], now)
            changes = [WriteBack(row.ref, "", Status.COMPLETED, now) for row in found]
            with cpu.of("write back"):
                table.write_back(changes)
        cpu.show(f"worktable, priorities {'mixed' if mixed else 'alike'}", rows)


def bus(folder: Path, count: int, batch: int) -> None:
    """Take messages of 700 bytes through publish, poll and commit."""
    messages = [Message(f"R-{number}", "x" * 700) for number in range(batch)]
    cpu = CpuTime()
    with closing(SqliteBus(folder / "bus.db", SystemClock())) as opened:
        consumer = opened.subscribe(TOPIC, "orchestrator")
        for _ in range(count // batch):
            with cpu.of("publish"):
                opened.publish(TOPIC, messages)
            with cpu.of("poll"):
                polled = consumer.poll(batch, 0)
            with cpu.of("commit"):
                consumer.commit(polled)
    cpu.show(f"bus, batches of {batch}", count)


def idle(folder: Path, seconds: float) -> None:
    """Wait for something that does not come."""
    with closing(SqliteWorktable(folder / "idle.db")) as table:
        _show_idle("worktable", seconds, lambda: table.changed(1.0))
    with closing(SqliteBus(folder / "idle-bus.db", SystemClock())) as opened:
        consumer = opened.subscribe(TOPIC, "orchestrator")
        _show_idle("bus", seconds, lambda: consumer.poll(500, 1.0))


def _show_idle(name: str, seconds: float, wait: Callable[[], object]) -> None:
    start, cpu = time.monotonic(), time.process_time()
    while time.monotonic() < start + seconds:
        wait()
    share = (time.process_time() - cpu) / (time.monotonic() - start)
    print(f"{name + ', idle':34} {share:6.2%} of a core")


def insertable(number: int, priority: int) -> dict[str, str | int]:
    """A row of REPORT_REQUESTS that somebody might insert."""
    return {
        "REQUEST_ID": f"R-{number:08}",
        "REPORT_TYPE": "PYTHON",
        "REPORT_NAME": "daily/sales",
        "PARAMETERS": '{"region": ["N", "S"], "as_of": "2026-11-01"}',
        "DISTRIBUTION_CONFIG": CONFIG,
        "PRIORITY": priority,
    }


def _add_finished(path: Path, count: int) -> None:
    insert = """
        INSERT INTO REPORT_REQUESTS (REQUEST_ID, REPORT_TYPE, REPORT_NAME, DISTRIBUTION_CONFIG, STATUS,
            PROCESSED_AT, COMPLETED_AT)
        VALUES (?, 'PYTHON', 'daily/sales', ?, 'COMPLETED', '2026-01-01 10:00:00', '2026-01-01 10:00:01')"""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(insert, ((f"old-{number}", CONFIG) for number in range(count)))


def main() -> None:
    """Run all cases in a folder that goes with them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--finished", type=int, default=0)
    parser.add_argument("--idle", type=float, default=5.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=".") as name:
        folder = Path(name)
        for mixed in (False, True):
            worktable(folder, options.rows, options.batch, options.finished, mixed=mixed)
        bus(folder, options.rows, options.batch)
        idle(folder, options.idle)


if __name__ == "__main__":
    main()
