"""What a backlog costs while it waits: bus messages, audit rows and CPU in each minute of waiting.

    python benchmarks/backlog.py [--rows N] [--minutes N]

The rows are taken in and no worker takes them up, as when the engines are down. The poller's time is wound
on second by second; all that is done in that second is done at once.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from embedded import TOPIC, insertable
from intake import RULES
from sqlalchemy import text

from reportbus.adapters.bus.sqlite import SqliteBus
from reportbus.adapters.clock import ManualClock, SystemClock
from reportbus.adapters.ledger.schema import upgrade_url
from reportbus.adapters.ledger.sql import SqlLedger
from reportbus.adapters.worktable.sqlite import SqliteWorktable
from reportbus.core.redact import Redactor
from reportbus.stages.accept import Accept
from reportbus.stages.poll import Poll
from reportbus.stages.write_back import WriteBack

SECONDS: Final = 60


class Waiting:
    """A line without workers in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock(datetime.now(UTC))
        self.worktable = SqliteWorktable(folder / "worktable.db")
        self.bus = SqliteBus(folder / "bus.db", SystemClock())
        url = f"sqlite:///{folder / 'ledger.db'}"
        upgrade_url(url, SystemClock())
        self.ledger = SqlLedger(url, SystemClock(), wakeups=False)
        self.poll = Poll(worktable=self.worktable, bus=self.bus, clock=self.clock, topic=TOPIC)
        self.accept = Accept(
            consumer=self.bus.subscribe(TOPIC, "orchestrator"),
            intake=self.ledger.intake,
            rules=RULES,
            clock=SystemClock(),
            redactor=Redactor(),
        )
        self.write_back = WriteBack(operations=self.ledger.operations, worktable=self.worktable)

    def second(self) -> int:
        """Do all that is due in one second; the messages that took."""
        messages = 0
        while self.poll.run_once():
            while taken := self.accept.run_once(0):
                messages += taken
        while self.write_back.run_once():
            pass
        self.clock.advance(1)
        return messages

    def audit_rows(self) -> int:
        """How many there are."""
        with self.ledger.database.read() as connection:
            return int(connection.execute(text("SELECT count(*) FROM audit_log")).scalar_one())

    def close(self) -> None:
        """Close all parts."""
        for part in (self.worktable, self.bus, self.ledger):
            part.close()


def main() -> None:
    """Let rows wait, and print what each minute cost."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--minutes", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=".") as name, closing(Waiting(Path(name))) as line:
        line.worktable.insert([insertable(number, 5) for number in range(options.rows)])
        print(f"{'minute':>6} {'messages':>9} {'audit rows':>11} {'CPU seconds':>12}")
        for minute in range(options.minutes + 1):
            start, before = time.process_time(), line.audit_rows()
            messages = sum(line.second() for _ in range(SECONDS))
            cpu = time.process_time() - start
            print(f"{minute:6} {messages:9,} {line.audit_rows() - before:11,} {cpu:12.2f}")


if __name__ == "__main__":
    main()
