"""What a worker is given: the stages it works for, how much it takes on, and its times."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reportbus.core.events import Event
    from reportbus.core.jobs import Task
    from reportbus.ports import WorkLedger

_TIMEOUTS: Final = 2
_MARGIN_SECONDS: Final = 60.0


class StageRunner(Protocol):
    """A stage, as the worker sees it."""

    def run(self, tasks: Sequence[Task]) -> list[Event]:
        """An answer for each task of a slice of one lane, in order. Never raises."""


class Hold(Protocol):
    """What tells the stages whether their tasks are still this worker's."""

    def hold(self, ledger: WorkLedger) -> None:
        """Tasks are of this ledger's worker from now on."""

    def renewed(self, until: float, stopping: frozenset[tuple[int, int]] = ...) -> None:
        """The lease stands until then; the tasks of these jobs shall stop."""

    def given_up(self, fences: frozenset[tuple[int, int, int]]) -> None:
        """These are the tasks that were given up while a thread is at them, each by its fence."""

    def let_go(self) -> None:
        """All tasks shall stop, for good."""


@dataclass(frozen=True, slots=True)
class Places:
    """How much a worker takes on: per stage so many tasks at a time, done by so many threads."""

    tasks: int
    threads: int


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A worker's times, in seconds.

    `heartbeat` is between renewals of the `lease`. `round` is the longest wait before the ledger is asked for
    due tasks without any sign. `grace` is what a stop allows for what is being done. `timeouts` is what an
    attempt may take, by lane; `timeout` that of other lanes.
    """

    heartbeat: float = 5.0
    lease: float = 60.0
    round: float = 1.0
    grace: float = 30.0
    timeouts: Mapping[str, float] = field(default_factory=dict)
    timeout: float = 300.0

    def patience(self, lane: str) -> float:
        """How long to wait for the answer of a thread that is at a task of this lane.

        An attempt ends by itself at its timeout; one that is still there after twice as long and a minute
        hangs in something that knows no timeout.
        """
        return _TIMEOUTS * self.timeouts.get(lane, self.timeout) + _MARGIN_SECONDS
