"""The next thing to do for one request, by one stage."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from reportbus.core.model import Artifact, JsonValue, Outcome, Request


class Stage(StrEnum):
    """The stations that do jobs."""

    GENERATE = "GENERATE"
    DELIVER = "DELIVER"
    NOTIFY = "NOTIFY"


class Job(NamedTuple):
    """One thing to do. Inside a request `number` is never used twice, whatever the run.

    `subject` says for what: the target's number for DELIVER, the position of the notify rule for NOTIFY, 0
    for GENERATE. `lane` names what the job needs a place at ("engine:PYTHON", "target:acme",
    "channel:EMAIL"). `attempt` counts from 1 and grows with each answer that calls for another try; `losses`
    counts the workers that died on the job, `unknowns` its attempts with an outcome nobody can tell; those of
    earlier runs count as one.
    """

    number: int
    run: int
    stage: Stage
    subject: int
    lane: str
    attempt: int = 1
    losses: int = 0
    unknowns: int = 0

    @property
    def doubtful(self) -> bool:
        """Whether an earlier attempt may have done it without anybody knowing."""
        return self.losses > 0 or self.unknowns > 0


class Task(NamedTuple):
    """A job in the hands of one worker, with all it takes to do it.

    `request_key` is the ledger's own number of the request. `fence` grows with each claim of the job: an
    answer with an older one changes nothing. `expires_at` is the deadline of the newest run,
    `artifacts` are the newest staged files (DELIVER, NOTIFY), `outcome` how the run ended (NOTIFY),
    `checkpoint` what an earlier attempt of this job stored (an engine's own job id).
    """

    request_key: int
    job: Job
    fence: int
    request: Request
    expires_at: datetime
    artifacts: tuple[Artifact, ...] = ()
    outcome: Outcome | None = None
    checkpoint: Mapping[str, JsonValue] = MappingProxyType({})


def engine_lane(report_type: str) -> str:
    """The lane of a report type's generate jobs."""
    return f"engine:{report_type}"


def target_lane(destination: str) -> str:
    """The lane of a destination's deliver jobs."""
    return f"target:{destination}"


def channel_lane(channel: str) -> str:
    """The lane of a channel's notify jobs."""
    return f"channel:{channel}"


def about(request_id: str, job: Job) -> dict[str, str | int]:
    """The fields of a record of the log that is about this job."""
    return {"request_id": request_id, "job": job.number, "stage": job.stage.value}
