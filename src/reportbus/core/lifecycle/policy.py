"""When a job that failed is tried again, and for how long."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import ceil
from typing import TYPE_CHECKING, Final

from reportbus.core.errors import TRANSIENT_CODES
from reportbus.core.events import Kind
from reportbus.core.jobs import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportbus.core.events import Failed
    from reportbus.core.jobs import Job


@dataclass(frozen=True, slots=True)
class Policy:
    """How often a step is tried, and how long to wait in between.

    The waits, before jitter, with the defaults: 2, 4, 8 seconds, never more than `max_backoff`.
    `max_unknowns` bounds repeats after an outcome nobody can tell, `max_losses` the workers that may die on
    one job.
    """

    max_retries: int = 3
    backoff_base: float = 2
    max_backoff: float = 300
    retryable_errors: frozenset[str] = TRANSIENT_CODES
    max_unknowns: int = 1
    max_losses: int = 3

    def repeats(self, job: Job, failure: Failed) -> bool:
        """Whether the job is tried again by itself after its attempt ended so."""
        if job.attempt > self.max_retries:
            return False
        if failure.kind is Kind.UNKNOWN:
            return job.unknowns < self.max_unknowns
        return failure.kind is Kind.TRANSIENT and failure.code in self.retryable_errors

    def delay(self, attempt: int, jitter: float, retry_after: float | None = None) -> float:
        """Seconds to wait after failed attempt `attempt`; `jitter` in [0, 1) spreads it over the whole range.

        The other side's `retry_after` is honoured, between 0 and `max_backoff`.
        """
        wish = min(max(retry_after or 0.0, 0.0), self.max_backoff)
        return max(jitter * self.longest(attempt), wish)

    def longest(self, attempt: int) -> float:
        """Seconds that the wait after failed attempt `attempt` takes at most, by itself."""
        grown = self.backoff_base**attempt if attempt < _LONGEST_EXPONENT else self.max_backoff
        return min(grown, self.max_backoff)

    def lasting(self, seconds: float) -> Policy:
        """This policy with as many retries as last `seconds` on average; jitter leaves half of each wait."""
        retries, left = 0, 2 * seconds
        while left > 0 and retries + 1 < _LONGEST_EXPONENT:
            retries += 1
            left -= self.longest(retries)
        return replace(self, max_retries=retries + max(0, ceil(left / self.max_backoff)))


_LONGEST_EXPONENT: Final = 64

NOTICE_SECONDS: Final = 86_400.0
"""How long a notice is tried, on average: a day."""

NOTIFY_POLICY: Final = Policy().lasting(NOTICE_SECONDS)
"""Notices are tried for a day: 583 waits of any length up to five minutes, an hour more or less."""


@dataclass(frozen=True, slots=True)
class Policies:
    """Which retry policy a job has: that of its lane, else its stage's."""

    usual: Policy = field(default_factory=Policy)
    notices: Policy = NOTIFY_POLICY
    lanes: Mapping[str, Policy] = field(default_factory=dict)

    def of(self, job: Job) -> Policy:
        """The job's policy."""
        return self.lanes.get(job.lane) or (self.notices if job.stage is Stage.NOTIFY else self.usual)
