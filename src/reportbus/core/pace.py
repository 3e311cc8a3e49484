"""How many tasks of a lane go together.

Quick ones share a thread, a sync and a connection, slow ones go alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reportbus.core.events import Event
    from reportbus.core.jobs import Stage, Task

SLICE_SECONDS: Final = 0.3
"""About how long a slice may take."""

LONGEST_SLICE: Final = 256

AHEAD_SECONDS: Final = 0.25
"""About how much work a worker keeps in hand: what it holds, others cannot take."""

_WEIGHT: Final = 0.3
"""How much the newest slice counts in a lane's pace."""


class Pace:
    """Seconds per task, by stage and lane, as lately observed. Not for several threads."""

    def __init__(self) -> None:
        self._seconds: dict[tuple[Stage, str], float] = {}
        self._stages: dict[Stage, float] = {}

    def observe(self, events: Sequence[Event], elapsed: float) -> None:
        """A slice with these answers took `elapsed` seconds in all."""
        job = events[0].task.job
        seconds = elapsed / len(events)
        before = self._seconds.get((job.stage, job.lane), seconds)
        self._seconds[job.stage, job.lane] = before + _WEIGHT * (seconds - before)
        usual = self._stages.get(job.stage, seconds)
        self._stages[job.stage] = usual + _WEIGHT * (seconds - usual)

    def ahead(self, stage: Stage, threads: int, most: int) -> int:
        """How many tasks to have in hand.

        About `AHEAD_SECONDS` of work, one per thread while nothing is known.
        """
        seconds = self._stages.get(stage)
        if seconds is None:
            return min(threads, most)
        return max(min(threads, most), min(most, int(threads * AHEAD_SECONDS / max(seconds, 1e-9))))

    def longest(self, stage: Stage, lane: str) -> int:
        """How many tasks a slice of this lane may hold; one while nothing is known."""
        seconds = self._seconds.get((stage, lane))
        if seconds is None:
            return 1
        return max(1, min(LONGEST_SLICE, int(SLICE_SECONDS / max(seconds, 1e-9))))

    def slices(self, tasks: Sequence[Task]) -> Iterator[list[Task]]:
        """The tasks in slices of one stage and lane each, in order."""
        lanes: dict[tuple[Stage, str], list[Task]] = {}
        for task in tasks:
            lanes.setdefault((task.job.stage, task.job.lane), []).append(task)
        for (stage, lane), together in lanes.items():
            size = self.longest(stage, lane)
            for start in range(0, len(together), size):
                yield together[start : start + size]
