"""The worker loop: claim due tasks, have the stages do them, record the answers, group by group.

One thread talks to the ledger: it records all answers that have come in meanwhile in one transaction, goes on
at once with the tasks those answers opened, and claims more when half of its places are free. Each stage has
threads of its own, so that a slow engine does not hold up deliveries. A heartbeat renews the lease and hears
which tasks shall stop. How many answers share a commit follows from how long a commit takes: while one runs,
the next ones gather.
"""

from __future__ import annotations

import logging
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Condition, Event, Thread
from typing import TYPE_CHECKING, Final, Protocol

from reportbus.core import events as answers
from reportbus.core.errors import Permanent, ReportbusError, Transient
from reportbus.core.pace import Pace, Slice

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reportbus.core.jobs import Stage, Task
    from reportbus.ports import Clock, WorkLedger

_log: Final = logging.getLogger(__name__)

_RECORDED_TOGETHER: Final = 500
"""At most this many answers share a transaction."""

_LISTEN_SECONDS: Final = 1.0
_PAUSE_SECONDS: Final = 0.5

_PATIENCE: Final = 0.5
"""How long to gather answers, as a share of how long the last record took."""

_ASK_SECONDS: Final = 0.02
"""How soon to claim again while tasks are under way."""

_QUICK_THREADS: Final = 2


class StageRunner(Protocol):
    """A stage, as the worker sees it."""

    def run(self, tasks: Sequence[Task]) -> list[answers.Event]:
        """An answer for each task of a slice of one lane, in order. Never raises."""


class Hold(Protocol):
    """What tells the stages whether their tasks are still this worker's."""

    def hold(self, ledger: WorkLedger) -> None:
        """Tasks are of this ledger's worker from now on."""

    def renewed(self, until: float, stopping: frozenset[tuple[int, int]] = ...) -> None:
        """The lease stands until then; the tasks of these jobs shall stop."""

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
    due tasks without any sign. `grace` is what a stop allows for what is being done.
    """

    heartbeat: float = 5.0
    lease: float = 60.0
    round: float = 1.0
    grace: float = 30.0


class _Pools:
    """A stage's threads: many for tasks that wait, few for quick ones, which would be in each other's way."""

    def __init__(self, stage: Stage, threads: int) -> None:
        name = f"reportbus-{stage.lower()}"
        self._wide = ThreadPoolExecutor(threads, f"{name}-slow")
        self._narrow = ThreadPoolExecutor(min(threads, _QUICK_THREADS), f"{name}-quick")

    def of(self, slice_: Slice) -> ThreadPoolExecutor:
        """The threads that do this slice."""
        return self._narrow if slice_.quick else self._wide

    def shutdown(self) -> None:
        """Begin nothing more."""
        for pool in (self._wide, self._narrow):
            pool.shutdown(wait=False, cancel_futures=True)


class Worker:
    """One worker of a process."""

    def __init__(
        self,
        ledger: WorkLedger,
        stages: Mapping[Stage, StageRunner],
        *,
        grip: Hold,
        clock: Clock,
        places: Mapping[Stage, Places],
        limits: Mapping[str, int],
        rhythm: Rhythm,
    ) -> None:
        self._ledger = ledger
        self._stages = stages
        self._grip = grip
        self._clock = clock
        self._places = {stage: places[stage] for stage in stages}
        self._limits = limits
        self._rhythm = rhythm
        self._pace = Pace()
        self._busy = dict.fromkeys(stages, 0)
        self._condition = Condition()
        self._answered: deque[tuple[list[answers.Event], float]] = deque()
        self._futures: dict[Future[None], list[Task]] = {}
        self._rung = True
        self._lost = False
        self._recording = 0.0
        self._over = Event()

    def run(self, stop: Event) -> bool:
        """Work until `stop` is set, or the lease is lost; whether it was lost.

        After a stop nothing more is claimed; what is under way is finished, or handed back when the grace is
        over.
        """
        self._grip.hold(self._ledger)
        self._grip.renewed(self._clock.monotonic() + self._rhythm.lease)
        pools = {stage: _Pools(stage, place.threads) for stage, place in self._places.items()}
        helpers = [
            Thread(target=self._beat),
            Thread(target=self._listen),
            Thread(target=self._hear, args=(stop,)),
        ]
        for helper in helpers:
            helper.daemon = True
            helper.start()
        try:
            self._work(stop, pools)
            self._finish()
        finally:
            self._grip.let_go()
            self._over.set()
            for pool in pools.values():
                pool.shutdown()
            self._ledger.close()
        return self._lost

    # -- the thread that talks to the ledger

    def _work(self, stop: Event, pools: Mapping[Stage, _Pools]) -> None:
        more = True
        asked = self._clock.monotonic()
        while not stop.is_set() and not self._lost:
            rung, events = self._gather(self._rhythm.round, self._recording * _PATIENCE)
            now = self._clock.monotonic()
            more = more or rung or now - asked >= self._rhythm.round
            try:
                if events:
                    self._do(pools, self._record(events, self._room()))
                room = {stage: room for stage, room in self._room().items() if room}
                if more and self._worth_asking(room, now - asked):
                    asked = now
                    tasks = self._ledger.claim(room, self._limits)
                    more = len(tasks) >= min(room.values())
                    self._do(pools, tasks)
            except Transient as error:
                _log.warning("the ledger does not answer: %s", error.text)
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
        self._recording = self._clock.monotonic() - began
        return tasks

    def _record_apart(self, events: list[answers.Event], refusal: Permanent) -> None:
        """Record one by one what was refused together; an answer that is refused by itself is a failure."""
        if len(events) == 1:
            _log.error("an answer cannot be recorded: %s", refusal.text)
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

        At once where nothing is under way. Otherwise when some stage has half of its places free, and not too
        often: small claims cost as much as large ones.
        """
        if not any(self._busy.values()):
            return bool(room)
        return since >= _ASK_SECONDS and any(room_ > self._busy[stage] for stage, room_ in room.items())

    def _do(self, pools: Mapping[Stage, _Pools], tasks: Sequence[Task]) -> None:
        for slice_ in self._pace.slices(tasks):
            stage = slice_.tasks[0].job.stage
            self._busy[stage] += len(slice_.tasks)
            future = pools[stage].of(slice_).submit(self._run_slice, stage, slice_.tasks)
            self._futures[future] = slice_.tasks
            future.add_done_callback(self._futures.pop)

    def _finish(self) -> None:
        """Hand back what was not begun, wait for the rest, at most for the grace; record what comes of it."""
        until = self._clock.monotonic() + self._rhythm.grace
        for future, slice_ in list(self._futures.items()):
            if future.cancel():
                self._answer([answers.Event(task, answers.HandedBack()) for task in slice_], 0.0)
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
                    _log.warning("the ledger does not answer: %s", error.text)
                    self._over.wait(_PAUSE_SECONDS)

    # -- the stages' threads

    def _run_slice(self, stage: Stage, tasks: list[Task]) -> None:
        started = self._clock.monotonic()
        try:
            events = self._stages[stage].run(tasks)
        except Exception:  # noqa: BLE001 - a stage never raises; where one does, its tasks must not stay open
            _log.exception("a stage failed")
            unfit = answers.Failed(answers.Kind.PERMANENT, "SYS_INTERNAL", f"the {stage} stage failed")
            events = [answers.Event(task, unfit) for task in tasks]
        self._answer(events, self._clock.monotonic() - started)

    def _answer(self, events: list[answers.Event], elapsed: float) -> None:
        with self._condition:
            self._answered.append((events, elapsed))
            self._condition.notify()

    # -- the helpers' threads

    def _beat(self) -> None:
        """Renew the lease.

        Hear which tasks shall stop. A lease that cannot be renewed is let go before it lapses.
        """
        held = self._clock.monotonic()
        while not self._over.wait(self._rhythm.heartbeat):
            asked = self._clock.monotonic()
            try:
                pulse = self._ledger.renew()
            except Exception as error:  # noqa: BLE001 - without a heartbeat the worker would idle for ever
                _log.warning("the lease is not renewed: %s", error)
                if asked - held < self._rhythm.lease:
                    continue
                pulse = None
            if pulse is None or not pulse.alive:
                self._grip.let_go()
                self._signal(lost=True)
                return
            held = asked
            self._grip.renewed(asked + self._rhythm.lease, pulse.stop)

    def _listen(self) -> None:
        while not self._over.is_set():
            try:
                rung = self._ledger.wait(_LISTEN_SECONDS)
            except ReportbusError:
                self._over.wait(_PAUSE_SECONDS)
                continue
            if rung:
                self._signal()

    def _hear(self, stop: Event) -> None:
        while not self._over.is_set():
            if stop.wait(_LISTEN_SECONDS):
                self._signal()
                return

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
