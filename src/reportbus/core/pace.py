"""How many tasks go together, by which threads, and when to ask for more.

Quick tasks share a connection and a sync, slow ones go alone. That is one thing; which threads do a slice is
another: only tasks that are done before they could wait for anything are in each other's way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from reportbus.core.jobs import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reportbus.core.events import Event
    from reportbus.core.jobs import Task

QUICK_SECONDS: Final = 0.05
"""A task that takes less is quick: it goes with others in a slice."""

BRIEF_SECONDS: Final = 0.01
"""A task that takes less is brief: it computes rather than waits, so more threads would not speed it up."""

SLICE_SECONDS: Final = 0.3
"""About how long the tasks of a slice may take together."""

LONGEST_SLICE: Final = 256

AHEAD_SECONDS: Final = 0.25
"""About how much work a worker keeps in hand: what it holds, others cannot take."""

_WEIGHT: Final = 0.3
"""How much the newest observation counts."""

_KNOWN_KINDS: Final = 10_000

_Kind: TypeAlias = "tuple[Stage, str, str]"


@dataclass(frozen=True, slots=True)
class Slice:
    """Tasks of one stage and lane for one thread, one after the other; `brief` if all of them are."""

    tasks: list[Task]
    brief: bool


class Pace:
    """Seconds per task, as lately observed. Not for several threads.

    A report has a pace of its own, so that a slow one does not wait in a slice with quick ones; so has each
    destination and each channel.
    """

    def __init__(self) -> None:
        self._seconds: dict[_Kind, float] = {}
        self._stages: dict[Stage, float] = {}

    def observe(self, events: Sequence[Event], elapsed: float) -> None:
        """A slice with these answers took `elapsed` seconds in all."""
        stage = events[0].task.job.stage
        together = elapsed / len(events)
        for event in events if stage is Stage.GENERATE else events[:1]:
            kind = _kind(event.task)
            seconds = event.elapsed if stage is Stage.GENERATE else together
            before = self._seconds.get(kind)
            if before is None and len(self._seconds) >= _KNOWN_KINDS:
                self._seconds.clear()
            self._seconds[kind] = _mixed(before, seconds)
        self._stages[stage] = _mixed(self._stages.get(stage), together)

    def ahead(self, stage: Stage, threads: int, most: int) -> int:
        """How many tasks to have in hand: `AHEAD_SECONDS` of work; one per thread while nothing is known."""
        seconds = self._stages.get(stage)
        if seconds is None:
            return min(threads, most)
        return max(min(threads, most), min(most, int(threads * AHEAD_SECONDS / max(seconds, 1e-9))))

    def slices(self, tasks: Sequence[Task]) -> Iterator[Slice]:
        """The tasks in slices, in order; a task whose pace is not known goes alone."""
        lanes: dict[tuple[Stage, str], list[Task]] = {}
        for task in tasks:
            lanes.setdefault((task.job.stage, task.job.lane), []).append(task)
        for lane in lanes.values():
            yield from self._lane(lane)

    def _lane(self, tasks: Sequence[Task]) -> Iterator[Slice]:
        together: list[Task] = []
        spent = longest = 0.0
        for task in tasks:
            seconds = self._seconds.get(_kind(task))
            if seconds is None or seconds >= QUICK_SECONDS:
                yield Slice([task], brief=False)
                continue
            if together and (spent + seconds > SLICE_SECONDS or len(together) >= LONGEST_SLICE):
                yield Slice(together, brief=longest < BRIEF_SECONDS)
                together, spent, longest = [], 0.0, 0.0
            together.append(task)
            spent += seconds
            longest = max(longest, seconds)
        if together:
            yield Slice(together, brief=longest < BRIEF_SECONDS)


def worth_a_claim(room: int, busy: int, *, idle: bool) -> bool:
    """Whether to ask for tasks of a stage that has `busy` ones in hand and room for more.

    Either a thread is `idle` and no task waits for it, or half of the places are free: of quick tasks a
    thread takes many at once, and small claims cost as much as large ones.
    """
    return room > 0 and (idle or room > busy)


def _kind(task: Task) -> _Kind:
    report = task.request.report_name if task.job.stage is Stage.GENERATE else ""
    return task.job.stage, task.job.lane, report


def _mixed(before: float | None, seconds: float) -> float:
    return seconds if before is None else before + _WEIGHT * (seconds - before)
