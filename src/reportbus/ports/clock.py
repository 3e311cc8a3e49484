"""Time and deadlines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


class Clock(Protocol):
    """Time, so that tests can turn it."""

    def now(self) -> datetime:
        """The time of day, UTC, with zone."""

    def monotonic(self) -> float:
        """Seconds of a clock that never jumps, for waits and durations."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point on the monotonic clock by which an attempt has to end."""

    at: float
    clock: Clock

    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.at - self.clock.monotonic())

    def passed(self) -> bool:
        """Whether the time is up."""
        return self.clock.monotonic() >= self.at
