"""Where a run stands, and what follows from one thing that happens to it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from reportbus.core.jobs import Stage
from reportbus.core.model import TERMINAL

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from reportbus.core.jobs import Job
    from reportbus.core.model import Outcome, Status
    from reportbus.core.notes import ErrorNote, Note


class Past(NamedTuple):
    """What earlier runs came to: targets that have the report, and those that may have it, nobody knows."""

    delivered: Collection[int] = ()
    doubtful: Collection[int] = ()


class RunState(NamedTuple):
    """Where the newest run of a request stands.

    `open` counts its unanswered generate and deliver jobs, `failed` lists the targets given up; `ending` is
    set when the run is to end without new work (cancelled, expired); `code` and `text` say why it failed.
    """

    run: int
    status: Status
    open: int = 0
    next_job: int = 1
    failed: tuple[int, ...] = ()
    ending: str = ""
    code: str = ""
    text: str = ""

    def moved(self, status: Status, *, opened: int = 0, answered: int = 0) -> RunState:
        """The state at `status`, with so many jobs opened and answered."""
        return RunState(
            self.run,
            status,
            self.open + opened - answered,
            self.next_job + opened,
            self.failed,
            self.ending,
            self.code,
            self.text,
        )

    def before(self, past: Callable[[], Past]) -> Past:
        """What the runs before this one came to; of the first one that is known, and `past` is not asked."""
        return Past() if self.run == 1 else past()

    @property
    def ended(self) -> bool:
        """Whether the run reached its terminal status."""
        return self.status in TERMINAL

    def calls_off(self, stage: Stage) -> bool:
        """Whether the run shall end without open jobs of this stage. Notices outlast their run."""
        return bool(self.ending) and stage is not Stage.NOTIFY


class Fate(StrEnum):
    """What becomes of an answered job."""

    DONE = "DONE"
    FAILED = "FAILED"
    AGAIN = "AGAIN"


class Step(NamedTuple):
    """What follows from one thing that happened.

    `fate` is the answered job's; with AGAIN, `job` is its next attempt, due in `delay` seconds, with FAILED
    what is on record of it. `opened` are new jobs, due at once.
    """

    state: RunState
    fate: Fate = Fate.DONE
    job: Job | None = None
    delay: float = 0.0
    opened: tuple[Job, ...] = ()
    notes: tuple[Note, ...] = ()
    error: ErrorNote | None = None
    outcome: Outcome | None = None
