"""What is taken in, how much at once, how often, and how often again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from reportbus.config.addresses import Domain
from reportbus.config.kinds import Choice, Switch
from reportbus.config.numbers import Integer, Number
from reportbus.config.options import option
from reportbus.config.several import ListOf
from reportbus.core.errors import TRANSIENT_CODES
from reportbus.core.formats import FORMATS

_DAY: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class PollSettings:
    """Taking requests from the worktable."""

    interval_seconds: float = option(
        Number(0.01, 3_600, "seconds"), "How long to wait between two looks at the worktable.", default=1.0
    )
    batch: int = option(
        Integer(1, 10_000, "rows"),
        "How many rows one look takes, and how many one step takes in or writes back.",
        default=500,
    )
    republish_seconds: float = option(
        Number(0.1, _DAY, "seconds"), "When a row that stays PENDING is published again.", default=60.0
    )
    republish_per_second: int = option(
        Integer(1, 10_000, "rows"),
        "How many rows are published again in a second, at most, on average.",
        default=100,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeSettings:
    """Which requests are taken in."""

    max_targets: int = option(Integer(1, 1_000, "targets"), "Targets of one request, at most.", default=50)
    max_age_seconds: float = option(
        Number(1, 3_650 * _DAY, "seconds"),
        "The age of REQUESTED_AT beyond which a request is refused.",
        default=7.0 * _DAY,
    )
    future_seconds: float = option(
        Number(0, _DAY, "seconds"),
        "How far REQUESTED_AT may lie in the future: clocks differ.",
        default=300.0,
    )
    request_deadline_seconds: float = option(
        Number(1, 365 * _DAY, "seconds"),
        "The time from intake, or from a retry, in which a request has to end.",
        default=float(_DAY),
    )
    default_format: str = option(
        Choice(tuple(FORMATS)), "The format of a report whose request names none.", default="PDF"
    )
    mail_domains: tuple[str, ...] = option(
        ListOf(Domain()), "The domains mails may go to; all, when the list is empty.", default=()
    )
    requested_by_required: bool = option(
        Switch(), "Whether a request without REQUESTED_BY is refused.", default=False
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """What one worker process does at once, and how it shows that it lives."""

    threads: int = option(Integer(1, 256, "threads"), "Threads of one worker.", default=8)
    batch: int = option(
        Integer(1, 10_000, "jobs"), "How many jobs of a stage a worker has in hand at most.", default=512
    )
    lease_seconds: float = option(
        Number(1, 3_600, "seconds"),
        "Without a heartbeat for so long, a worker's jobs go to others.",
        default=60.0,
    )
    heartbeat_seconds: float = option(
        Number(0.1, 600, "seconds"), "How often a worker renews its lease.", default=5.0
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepSettings:
    """Finding due work from the ledger alone, whatever was lost."""

    interval_seconds: float = option(
        Number(0.1, 3_600, "seconds"), "How long to wait between two sweeps.", default=2.0
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteBackSettings:
    """Bringing the worktable to what the ledger says."""

    interval_seconds: float = option(
        Number(0.01, 3_600, "seconds"), "How long to wait between two batches.", default=1.0
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StopSettings:
    """Ending after SIGTERM."""

    grace_seconds: float = option(
        Number(0, 600, "seconds"), "How long work in hand may go on before it is handed back.", default=30.0
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrySettings:
    """How often a step is tried again. The defaults are the specification's."""

    max_retries: int = option(
        Integer(0, 20, "retries"), "Retries of one step after passing faults.", default=3
    )
    backoff_base: float = option(
        Number(1, 10, above=True), "The n-th wait is at most this to the power of n, in seconds.", default=2.0
    )
    max_backoff: float = option(Number(1, 3_600, "seconds"), "No wait is longer.", default=300.0)
    retryable_errors: tuple[str, ...] = option(
        ListOf(Choice(tuple(sorted(TRANSIENT_CODES)))),
        "The faults that pass.",
        default=("ConnectionTimeout", "ServiceUnavailable", "ThrottlingException", "TemporaryFailure"),
    )
