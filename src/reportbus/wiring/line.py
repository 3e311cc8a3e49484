"""The line: which loops each role runs, and all of them together."""

from __future__ import annotations

import gc
import logging
import threading
from functools import partial
from threading import Event, Thread
from typing import TYPE_CHECKING, Final, Protocol

from reportbus.core.errors import Transient
from reportbus.core.jobs import Stage
from reportbus.stages.accept import Accept
from reportbus.stages.deliver import Deliver
from reportbus.stages.generate import Generate
from reportbus.stages.grip import Grip
from reportbus.stages.notify import Notify
from reportbus.stages.poll import Poll
from reportbus.stages.pump import Pump, every, no_wait
from reportbus.stages.staged import Staged
from reportbus.stages.tidy import Tidy
from reportbus.stages.worker import Absence, Places, Rhythm, StageThread, Worker
from reportbus.stages.write_back import WriteBack
from reportbus.wiring.parts import GROUP, STAGED_TOPIC
from reportbus.wiring.policies import limits, timeouts
from reportbus.wiring.roles import STAGE_OF
from reportbus.wiring.rules import intake_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from reportbus.stages.worker import StageRunner
    from reportbus.wiring.parts import Parts

_log: Final = logging.getLogger(__name__)

_WAIT_SECONDS: Final = 1.0
_TIDY_SECONDS: Final = 3600.0
_PAUSE_SECONDS: Final = 1.0
_COLLECT_AFTER: Final = 50_000


class Loop(Protocol):
    """Something that runs until told to stop."""

    name: str

    def run(self, stop: Event) -> None:
        """Run until `stop` is set."""


class Work:
    """The worker loop of some stages; a worker whose lease is lost is followed by a new one."""

    name = "work"

    def __init__(self, parts: Parts, stages: Collection[Stage]) -> None:
        self._parts = parts
        self._stages = tuple(stages)
        worker, stop = parts.settings.worker, parts.settings.stop
        self._places = dict.fromkeys(self._stages, Places(worker.batch, worker.threads))
        self._rhythm = Rhythm(
            worker.heartbeat_seconds,
            worker.lease_seconds,
            grace=stop.grace_seconds,
            timeouts=timeouts(parts.settings),
        )
        self._absence = Absence(parts.clock)
        self._ledger = parts.ledger  # what cannot be made is told before anything runs
        for stage in self._stages:
            self._runner(stage, Grip(parts.clock))

    def run(self, stop: Event) -> None:
        """Work until `stop` is set; while the ledger is away, try again each second.

        Raises Permanent SYS_HANGING where the threads of a stage hang: only a new process has new ones.
        """
        while not stop.is_set():
            try:
                self._worker().run(stop)
            except Transient as error:
                self._absence.away(error)
                stop.wait(_PAUSE_SECONDS)

    def _worker(self) -> Worker:
        """A new worker, with a grip of its own: tasks that an earlier one left running are not held by it."""
        grip = Grip(self._parts.clock)
        return Worker(
            self._ledger.worker(),
            {stage: self._runner(stage, grip) for stage in self._stages},
            grip=grip,
            clock=self._parts.clock,
            places=self._places,
            limits=limits(self._parts.settings),
            rhythm=self._rhythm,
            absence=self._absence,
        )

    def _runner(self, stage: Stage, grip: Grip) -> StageRunner:
        parts = self._parts
        seconds = timeouts(parts.settings)
        match stage:
            case Stage.GENERATE:
                return Generate(
                    engines=parts.engines,
                    staging=parts.staging,
                    clock=parts.clock,
                    redactor=parts.redactor,
                    timeouts=seconds,
                    default_timeout=self._rhythm.timeout,
                    output_limit=parts.settings.staging.max_report_bytes,
                    save_checkpoint=grip.save,
                    cancelled=grip.cancelled,
                )
            case Stage.DELIVER:
                return Deliver(
                    destinations=parts.destinations,
                    staging=parts.staging,
                    clock=parts.clock,
                    redactor=parts.redactor,
                    timeouts=seconds,
                    default_timeout=self._rhythm.timeout,
                    cancelled=grip.cancelled,
                )
            case Stage.NOTIFY:
                return Notify(
                    channels=parts.channels,
                    clock=parts.clock,
                    redactor=parts.redactor,
                    cancelled=grip.cancelled,
                )


def loops(parts: Parts, roles: Collection[str]) -> list[Loop]:
    """The loops of these roles; the stages of several roles share one worker.

    What they need is opened here: what is not there, or not as it has to be, raises its own error.
    """
    found: list[Loop] = []
    if "poller" in roles:
        found += _poller(parts)
    if "orchestrator" in roles:
        found += _orchestrator(parts)
    stages = [stage for role, stage in STAGE_OF.items() if role in roles]
    if stages:
        found.append(Work(parts, stages))
    if "distributor" in roles:
        found += _distributor(parts)
    if "notifier" in roles:
        found += _notifier(parts)
    return found


def run(loops: Collection[Loop], stop: Event) -> bool:
    """Run the loops until `stop` is set, each in a thread; whether all of them ended well.

    A loop that dies of a fault ends the others too: half a line would only look as if it worked.
    """
    well = True

    def go(loop: Loop) -> None:
        nonlocal well
        try:
            loop.run(stop)
        except Exception:  # noqa: BLE001 - the boundary of a thread
            _log.exception("the %s loop died", loop.name)
            well = False
        finally:
            stop.set()

    _spare_collections()
    threads = [Thread(target=go, args=(loop,), name=f"reportbus-{loop.name}") for loop in loops]
    threads.append(Thread(target=_tell, args=(stop,), name="reportbus-stop"))
    for thread in threads:
        thread.start()
    for thread in threads:
        _join(thread)
    gc.unfreeze()  # some libraries complain of what they find uncollected when the process ends
    return well


def _join(thread: Thread) -> None:
    """Wait for the thread where signals are heard.

    Not in one piece: a signal that comes just before a wait is heard when it is over. And without a deadline:
    the process has one for its whole stop (stop.grace_seconds).
    """
    while thread.is_alive():
        thread.join(_PAUSE_SECONDS)


def _tell(stop: Event) -> None:
    stop.wait()
    _log.info("stopping: work in hand is finished or handed back")


def at_work() -> bool:
    """Whether threads of a stage are still at something although the line has ended: they may hang."""
    return any(isinstance(thread, StageThread) and thread.busy for thread in threading.enumerate())


def _spare_collections() -> None:
    """Collect cycles less often: of the line's many short-lived objects hardly any lies in one."""
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 100)


def _poller(parts: Parts) -> Iterator[Loop]:
    settings = parts.settings
    poll = Poll(
        worktable=parts.worktable,
        bus=parts.bus,
        clock=parts.clock,
        topic=settings.bus.topic,
        batch=settings.poll.batch,
        republish_seconds=settings.poll.republish_seconds,
        republish_per_second=settings.poll.republish_per_second,
    )
    yield Pump("poll", poll.run_once, _worktable_wait(parts))


def _worktable_wait(parts: Parts) -> Callable[[Event], object]:
    seconds = parts.settings.poll.interval_seconds
    if not parts.settings.wakeups:
        return every(seconds)
    return lambda _stop: parts.worktable.changed(seconds)


def _orchestrator(parts: Parts) -> Iterator[Loop]:
    accept = Accept(
        consumer=parts.bus.subscribe(parts.settings.bus.topic, GROUP),
        intake=parts.ledger.intake,
        rules=intake_rules(parts.settings, parts.engines),
        clock=parts.clock,
        redactor=parts.redactor,
        batch=parts.settings.poll.batch,
    )
    yield Pump("accept", partial(accept.run_once, _bus_wait(parts)), no_wait)
    yield Pump("sweep", _sweep(parts), every(parts.settings.sweep.interval_seconds))


def _bus_wait(parts: Parts) -> float:
    """Seconds to wait for messages, and so for a stop to be noticed."""
    return min(_WAIT_SECONDS, parts.settings.poll.interval_seconds)


def _sweep(parts: Parts) -> Callable[[], int]:
    def step() -> int:
        swept = parts.ledger.operations.sweep()
        if swept.workers or swept.jobs or swept.expired:
            _log.info(
                "swept: %d workers gone, %d jobs taken back, %d runs expired",
                swept.workers,
                swept.jobs,
                swept.expired,
            )
        return 0

    return step


def _distributor(parts: Parts) -> Iterator[Loop]:
    staged = Staged(
        consumer=parts.bus.subscribe(STAGED_TOPIC, GROUP),
        operations=parts.ledger.operations,
        wake=parts.ledger.ring,
        redactor=parts.redactor,
    )
    yield Pump("staged", partial(staged.run_once, _bus_wait(parts)), no_wait)
    tidy = Tidy(
        staging=parts.staging,
        bus=parts.bus,
        clock=parts.clock,
        staging_days=parts.settings.staging.retention_days,
        bus_days=parts.settings.bus.retention_days,
        topics=(parts.settings.bus.topic, STAGED_TOPIC),
    )
    yield Pump("tidy", tidy.run_once, every(_TIDY_SECONDS))


def _notifier(parts: Parts) -> Iterator[Loop]:
    batch = parts.settings.poll.batch
    write_back = WriteBack(operations=parts.ledger.operations, worktable=parts.worktable, batch=batch)
    # It waits unless more is due than it could take: of a report that is quick only the end is written.
    wait = every(parts.settings.write_back.interval_seconds)
    yield Pump("write-back", write_back.run_once, wait, full=batch)
