"""Tasks as a worker is given them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from reportbus.core.jobs import Job, Stage, Task, channel_lane, engine_lane, target_lane
from reportbus.core.model import Artifact, NotifyRule, Outcome, Request, Status, Target, TargetType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportbus.core.model import JsonValue

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def request(number: int = 1, **changed: object) -> Request:
    """A request for a CSV file, with one target and one rule to notify by."""
    fields: dict[str, object] = {
        "request_id": f"R-{number}",
        "report_type": "PYTHON",
        "report_name": "sales",
        "format": "CSV",
        "file_name": "sales.csv",
        "requested_at": NOON,
        "expires_at": NOON + timedelta(days=1),
        "targets": (Target(1, TargetType.NAS, "archive", "in", "sales.csv"),),
        "notify": (NotifyRule("EMAIL", ("ops@example.com",)),),
    }
    return Request(**(fields | changed))  # type: ignore[arg-type]


def generate_task(
    number: int = 1,
    *,
    attempt: int = 1,
    losses: int = 0,
    checkpoint: Mapping[str, JsonValue] | None = None,
    expires_at: datetime | None = None,
    **changed: object,
) -> Task:
    """A generate job of request `number`, claimed once for each attempt and each loss.

    Its run may have another deadline than the request got at intake.
    """
    asked = request(number, **changed)
    job = Job(1, 1, Stage.GENERATE, 0, engine_lane(asked.report_type), attempt=attempt, losses=losses)
    until = expires_at or asked.expires_at
    return Task(number, job, attempt + losses, asked, until, checkpoint=checkpoint or {})


def deliver_task(
    number: int = 1,
    artifacts: tuple[Artifact, ...] = (),
    *,
    target: int = 1,
    losses: int = 0,
    unknowns: int = 0,
    expires_at: datetime | None = None,
    **changed: object,
) -> Task:
    """A deliver job of request `number`, for one of its targets.

    Its run may have another deadline than the request got at intake.
    """
    asked = request(number, **changed)
    lane = target_lane(asked.targets[0].destination)
    job = Job(2, 1, Stage.DELIVER, target, lane, losses=losses, unknowns=unknowns)
    return Task(number, job, 1, asked, expires_at or asked.expires_at, artifacts)


def notify_task(
    number: int = 1, outcome: Outcome | None = None, *, rule: int = 0, unknowns: int = 0, **changed: object
) -> Task:
    """A notify job of request `number`."""
    asked = request(number, **changed)
    lane = channel_lane(asked.notify[0].channel)
    job = Job(3, 1, Stage.NOTIFY, rule, lane, unknowns=unknowns)
    return Task(number, job, 1, asked, asked.expires_at, outcome=outcome or Outcome(Status.COMPLETED))
