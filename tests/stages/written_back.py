"""A process of its own time zone that ends a request and writes it back: `written_back.py FOLDER`.

It prints, in UTC and a line each: when it began, COMPLETED_AT of the row, `ended_at` of the ledger, and when
it was done.
"""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from reportbus.core.redact import Redactor
from reportbus.stages.accept import Accept
from reportbus.stages.poll import Poll
from reportbus.stages.write_back import WriteBack
from stages.embedded import RULES, TOPIC, Embedded, asked


def main(home: Path) -> None:
    """See the module."""
    say(datetime.now(UTC))
    with Embedded(home) as parts:
        parts.worktable.insert([asked("R-1")])
        Poll(worktable=parts.worktable, bus=parts.bus, clock=parts.clock, topic=TOPIC).run_once()
        consumer = parts.bus.subscribe(TOPIC, "orchestrator")
        intake = parts.ledger.intake
        Accept(
            consumer=consumer, intake=intake, rules=RULES, clock=parts.clock, redactor=Redactor()
        ).run_once(5)
        parts.ledger.operations.cancel("R-1", "somebody")
        WriteBack(operations=parts.ledger.operations, worktable=parts.worktable).run_once()
        with closing(sqlite3.connect(home / "worktable.db")) as people:
            ((completed_at,),) = people.execute("SELECT COMPLETED_AT FROM REPORT_REQUESTS")
        view = parts.ledger.records.find("R-1")
        assert view is not None
        assert view.ended_at is not None
        say(datetime.fromisoformat(completed_at).replace(tzinfo=UTC))
        say(view.ended_at)
    say(datetime.now(UTC))


def say(at: datetime) -> None:
    """One line to whoever started the process."""
    print(at.isoformat())  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
