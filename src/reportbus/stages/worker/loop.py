"""The worker loop: claim due tasks, have the stages do them, record the answers, group by group.

One thread talks to the ledger: it records all answers that have come in meanwhile in one transaction, goes on
at once with the tasks those answers opened, and claims more when a thread is free that nothing waits for, or
half of its places are. Each stage has threads of its own, so that a slow engine does not hold up deliveries.
A heartbeat renews the lease and hears which tasks shall stop. How many answers share a commit follows from
how long a commit takes: while one runs, the next ones gather. A task whose thread hangs is given up.
"""

from __future__ import annotations

import logging
from collections import deque
from threading import Condition, Event
from typing import TYPE_CHECKING, Final

from reportbus.core import events as answers
from reportbus.core.errors import Permanent, Transient
from reportbus.core.jobs import about
from reportbus.core.pace import Pace, worth_a_claim
from reportbus.stages.worker.absence import Absence
from reportbus.stages.worker.crew import Crew
from reportbus.stages.worker.signs import Signs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reportbus.core.jobs import Stage, Task
    from reportbus.ports import Clock, WorkLedger
    from reportbus.stages.worker.terms import Hold, Places, Rhythm, StageRunner

_log: Final = logging.getLogger(__name__)

_RECORDED_TOGETHER: Final = 500
"""At most this many answers share a transaction."""

_PAUSE_SECONDS: Final = 0.5

_PATIENCE: Final = 0.5
"""How long to gather answers, as a share of how long the last record took."""

_ASK_SECONDS: Final = 0.02
"""How soon to claim again while tasks are under way."""


class Worker:
    """One worker of a process. `absence` tells of a ledger that is away, also over several workers."""

    def __init__(  # noqa: PLR0913 - what it depends on, each by its name
        self,
        ledger: WorkLedger,
        stages: Mapping[Stage, StageRunner],
        *,
        grip: Hold,
        clock: Clock,
        places: Mapping[Stage, Places],
        limits: Mapping[str, int],
        rhythm: Rhythm,
        absence: Absence | None = None,
    ) -> None:
        self._ledger = ledger
        self._grip = grip
        self._clock = clock
        self._places = {stage: places[stage] for stage in stages}
        self._limits = limits
        self._rhythm = rhythm
        self._absence = absence or Absence(clock)
        self._pace = Pace()
        self._busy = dict.fromkeys(stages, 0)
        self._condition = Condition()
        self._answered: deque[tuple[list[answers.Event], float]] = deque()
        self._crews = {
            stage: Crew(stage, runner, places[stage].threads, clock, self._answer)
            for stage, runner in stages.items()
        }
        self._looked = 0.0
        self._stuck: Permanent | None = None
        self._rung = True
        self._lost = False
        self._recording = 0.0
        self._over = Event()

    def run(self, stop: Event) -> bool:
        """Work until `stop` is set, or the lease is lost; whether it was lost.

        After a stop nothing more is claimed; what is under way is finished, or handed back when the grace is
        over. Raises Permanent SYS_HANGING, after a stop of its own, when as many threads hang as a stage has.
        """
        self._grip.hold(self._ledger)
        self._grip.renewed(self._clock.monotonic() + self._rhythm.lease)
        signs = Signs(self._ledger, self._grip, self._clock, self._rhythm, self._absence, self._signal)
        signs.watch(stop, self._over)
        try:
            self._work(stop)
            self._finish()
        finally:
            self._retire()
        if self._stuck is not None:
            raise self._stuck
        return self._lost

    def _retire(self) -> None:
        self._grip.let_go()
        self._over.set()
        for crew in self._crews.values():
            crew.dismiss()
        try:
            self._ledger.close()
        except Transient as error:  # whoever sweeps the ledger when it is back finds this worker gone
            self._absence.away(error)

    # -- the thread that talks to the ledger

    def _work(self, stop: Event) -> None:
        more = True
        asked = self._looked = self._clock.monotonic()
        while not stop.is_set() and not self._lost and self._stuck is None:
            rung, events = self._gather(self._rhythm.round, self._recording * _PATIENCE)
            now = self._clock.monotonic()
            more = more or rung or now - asked >= self._rhythm.round
            if now - self._looked >= self._rhythm.round:
                self._looked = now
                self._give_up_hanging()
            try:
                if events:
                    self._do(self._record(events, self._room()))
                room = {stage: room for stage, room in self._room().items() if room}
                if more and self._worth_asking(room, now - asked):
                    asked = now
                    tasks = self._ledger.claim(room, self._limits)
                    self._absence.back()
                    more = len(tasks) >= min(room.values())
                    self._do(tasks)
            except Transient as error:
                self._absence.away(error)
                self._over.wait(_PAUSE_SECONDS)

    def _gather(self, timeout: float, patience: float = 0.0) -> tuple[bool, list[answers.Event]]:
        """Wait for answers or a sign of work; the sign, and the answers that are there by then.

        While other tasks are under way, further answers are waited for as long as `patience`: a record of
        many costs little more than a record of one.
        """
        with self._condition:
            self._condition.wait_for(lambda: self._answered or self._rung or self._lost, timeout)
            if self._answered and patience:
                self._condition.wait_for(self._all_in, patience)
            rung, self._rung = self._rung, False
            groups = []
            count = 0
            while self._answered and count < _RECORDED_TOGETHER:
                groups.append(self._answered.popleft())
                count += len(groups[-1][0])
        for events, elapsed in groups:
            if elapsed:
                self._pace.observe(events, elapsed)
            self._busy[events[0].task.job.stage] -= len(events)
        return rung, [event for events, _ in groups for event in events]

    def _record(self, events: list[answers.Event], room: Mapping[Stage, int]) -> Sequence[Task]:
        """Record the answers. Where the ledger is away they stay, for the next round."""
        began = self._clock.monotonic()
        try:
            tasks = self._ledger.record(events, room)
        except Transient:
            self._keep(events)
            raise
        except Permanent as error:
            self._record_apart(events, error)
            return ()
        self._absence.back()
        self._recording = self._clock.monotonic() - began
        return tasks

    def _record_apart(self, events: list[answers.Event], refusal: Permanent) -> None:
        """Record one by one what was refused together; an answer that is refused by itself is a failure."""
        if len(events) == 1:
            task = events[0].task
            fields = about(task.request.request_id, task.job)
            _log.error("an answer cannot be recorded: %s", refusal.text, extra=fields)
            events = [_unfit(events[0], refusal)]
        for number, event in enumerate(events, 1):
            try:
                self._record([event], {})
            except Transient:
                self._keep(events[number:])
                raise

    def _all_in(self) -> bool:
        """Whether enough answers are in hand, or all that are to come."""
        count = sum(len(events) for events, _ in self._answered)
        return count >= _RECORDED_TOGETHER or count >= sum(self._busy.values()) or self._lost

    def _keep(self, events: list[answers.Event]) -> None:
        by_stage: dict[Stage, list[answers.Event]] = {}
        for event in events:
            by_stage.setdefault(event.task.job.stage, []).append(event)
        with self._condition:
            for stage, group in by_stage.items():
                self._answered.appendleft((group, 0.0))
                self._busy[stage] += len(group)

    def _room(self) -> dict[Stage, int]:
        """How many more tasks of each stage to take on."""
        return {
            stage: max(0, self._pace.ahead(stage, place.threads, place.tasks) - self._busy[stage])
            for stage, place in self._places.items()
        }

    def _worth_asking(self, room: Mapping[Stage, int], since: float) -> bool:
        """Whether to claim now, `since` seconds after the last time.

        At once where nothing is under way. Otherwise when some stage is worth it, and not too often.
        """
        if not any(self._busy.values()):
            return bool(room)
        return since >= _ASK_SECONDS and any(
            worth_a_claim(places, self._busy[stage], idle=self._crews[stage].idle())
            for stage, places in room.items()
        )

    def _do(self, tasks: Sequence[Task]) -> None:
        for slice_ in self._pace.slices(tasks):
            stage = slice_.tasks[0].job.stage
            self._busy[stage] += len(slice_.tasks)
            self._crews[stage].do(slice_)

    def _give_up_hanging(self) -> None:
        """Answer for the threads that hang: their tasks are lost to this worker."""
        for stage, crew in self._crews.items():
            for turn in crew.give_up(self._rhythm.patience):
                waited = self._clock.monotonic() - turn.began
                self._answer([answers.Event(task, answers.Lost(), waited) for task in turn.tasks], waited)
                for task in turn.tasks:
                    fields = about(task.request.request_id, task.job)
                    _log.warning("given up: its thread has hung for %.0f s", waited, extra=fields)
            if crew.exhausted():
                text = f"as many threads hang as the {stage} stage has; the process has to be started anew"
                self._stuck = Permanent("SYS_HANGING", text)
        hanging = [task for crew in self._crews.values() for turn in crew.hanging() for task in turn.tasks]
        self._grip.given_up(frozenset((task.request_key, task.job.number, task.fence) for task in hanging))

    def _finish(self) -> None:
        """Hand back what was not begun, wait for the rest, at most for the grace; record what comes of it."""
        until = self._clock.monotonic() + self._rhythm.grace
        for crew in self._crews.values():
            if unbegun := crew.take_back():
                self._answer([answers.Event(task, answers.HandedBack()) for task in unbegun], 0.0)
        patience = until - self._rhythm.grace / 3
        while any(self._busy.values()) and not self._lost:
            now = self._clock.monotonic()
            if now >= until:
                return
            if now >= patience:
                self._grip.let_go()
            _, events = self._gather(min(1.0, until - now))
            if events:
                try:
                    self._record(events, {})
                except Transient as error:
                    self._absence.away(error)
                    self._over.wait(_PAUSE_SECONDS)

    # -- the stages' threads

    def _answer(self, events: list[answers.Event], elapsed: float) -> None:
        with self._condition:
            self._answered.append((events, elapsed))
            self._condition.notify()

    # -- what the signs set off

    def _signal(self, *, lost: bool = False) -> None:
        with self._condition:
            self._rung = True
            self._lost = self._lost or lost
            self._condition.notify()


def _unfit(event: answers.Event, refusal: Permanent) -> answers.Event:
    """The failure in place of an answer the ledger refuses; raises the refusal where that was one already."""
    answer = event.answer
    if isinstance(answer, answers.Failed) and answer.code == "SYS_INTERNAL":
        raise refusal
    text = f"the answer was refused: {refusal.text}"
    return answers.Event(event.task, answers.Failed(answers.Kind.PERMANENT, "SYS_INTERNAL", text))
