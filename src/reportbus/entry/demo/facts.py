"""What the ledger's record says of some requests: what was made, how long it waited, what each run did."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from reportbus.core.model import Status
from reportbus.core.notes import EventType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reportbus.ports import AuditRow, Records

_ENGINE: Final = "engine"


@dataclass(slots=True)
class Made:
    """The reports of one format: how many, their bytes, and their rows as far as engines count them."""

    reports: int = 0
    size: int = 0
    rows: int = 0


@dataclass(slots=True)
class Facts:
    """Of several requests: the reports by format, and the seconds until the engine began by priority."""

    made: dict[str, Made] = field(default_factory=dict)
    waits: dict[int, list[float]] = field(default_factory=dict)

    def add(self, rows: Sequence[AuditRow]) -> None:
        """Take the record of one request into account."""
        if not rows:
            return
        for row in rows:
            artifacts = row.details.get("artifacts")
            for artifact in artifacts if isinstance(artifacts, list) else []:
                if isinstance(artifact, dict):
                    self._add_made(artifact)
        began = next((row.at for row in rows if _lane(row) == _ENGINE), None)
        priority = rows[0].details.get("priority")
        if began is not None and isinstance(priority, int):
            self.waits.setdefault(priority, []).append((began - rows[0].at).total_seconds())

    def wait(self, priorities: Iterable[int]) -> float:
        """The mean wait of these priorities."""
        waits = [wait for priority in priorities for wait in self.waits.get(priority, ())]
        return sum(waits) / len(waits) if waits else 0.0

    def _add_made(self, artifact: Mapping[str, object]) -> None:
        made = self.made.setdefault(str(artifact["format"]), Made())
        made.reports += 1
        for name in ("size", "rows"):
            value = artifact[name]
            if isinstance(value, int):
                setattr(made, name, getattr(made, name) + value)


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What one run of a request did, by its attempts, and how it ended."""

    run: int
    engine_calls: int
    deliveries: int
    notices: int
    status: str


def runs(records: Records, request_id: str) -> list[RunFacts]:
    """What each run of the request did."""
    attempts: dict[int, Counter[str]] = {}
    ends: dict[int, str] = {}
    run = 1
    for row in records.audit(request_id):
        run = max(run, _run(row))
        if lane := _lane(row):
            attempts.setdefault(_run(row) or run, Counter())[lane] += 1
        elif (
            row.new_status in {Status.COMPLETED, Status.FAILED} and row.event_type == EventType.STATUS_CHANGE
        ):
            ends[run] = row.new_status
    return [
        RunFacts(number, lanes[_ENGINE], lanes["target"], lanes["channel"], ends.get(number, ""))
        for number, lanes in sorted(attempts.items())
    ]


def _lane(row: AuditRow) -> str:
    """What an attempt needed a place at: engine, target or channel; nothing for other rows."""
    return str(row.details.get("lane", "")).partition(":")[0]


def _run(row: AuditRow) -> int:
    run = row.details.get("run")
    return run if isinstance(run, int) else 0
