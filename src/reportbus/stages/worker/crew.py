"""The threads of a stage, and what becomes of those that hang."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from threading import Lock, Thread
from typing import TYPE_CHECKING, Final

from reportbus.core.events import Event, Failed, Kind
from reportbus.core.jobs import about

if TYPE_CHECKING:
    from collections.abc import Callable

    from reportbus.core.jobs import Stage, Task
    from reportbus.core.pace import Slice
    from reportbus.ports import Clock
    from reportbus.stages.worker.terms import StageRunner

_log: Final = logging.getLogger(__name__)

_BRIEF_THREADS: Final = 2
"""One computes while another waits for the disk; more would be in each other's way."""


class StageThread(Thread):
    """A thread that does a stage's work. It may hang for ever, and keeps no process from ending.

    `busy` while it is at a slice.
    """

    def __init__(self, name: str, work: Callable[[StageThread], None]) -> None:
        super().__init__(name=name, daemon=True)
        self.busy = False
        self._work = work

    def run(self) -> None:
        """Work until there is no more to do."""
        self._work(self)


@dataclass(slots=True, eq=False)
class Turn:
    """A slice in the hands of a crew; `began` is when a thread took it up, on the monotonic clock."""

    tasks: list[Task]
    pool: _Pool
    began: float = 0.0


class _Pool:
    """Threads that take turns from one queue: started when there is more to do than threads to do it.

    `open` counts the turns that wait or are being done by threads that do not hang.
    """

    def __init__(self, name: str, size: int) -> None:
        self.queue: SimpleQueue[Turn | None] = SimpleQueue()
        self.size = size
        self.threads = 0
        self.open = 0
        self._name = name
        self._names = 0

    def start(self, serve: Callable[[_Pool, StageThread], None]) -> None:
        """One thread more."""
        StageThread(f"{self._name}-{self._names}", partial(serve, self)).start()
        self._names += 1


class Crew:
    """A stage's threads: `threads` for tasks that wait, and two for brief ones.

    `answer` takes the answers to a slice and the seconds it took. What was given up is not answered.
    """

    def __init__(
        self,
        stage: Stage,
        runner: StageRunner,
        threads: int,
        clock: Clock,
        answer: Callable[[list[Event], float], None],
    ) -> None:
        self._stage = stage
        self._runner = runner
        self._threads = threads
        self._clock = clock
        self._answer = answer
        self._wide = _Pool(f"reportbus-{stage.lower()}", threads)
        self._narrow = _Pool(f"reportbus-{stage.lower()}-brief", min(threads, _BRIEF_THREADS))
        self._lock = Lock()
        self._waiting: set[Turn] = set()
        self._running: set[Turn] = set()
        self._hanging: set[Turn] = set()

    def do(self, slice_: Slice) -> None:
        """Have the slice done by the next thread that is free."""
        pool = self._narrow if slice_.brief else self._wide
        turn = Turn(slice_.tasks, pool)
        with self._lock:
            self._waiting.add(turn)
            pool.open += 1
            if pool.threads < min(pool.open, pool.size):
                pool.threads += 1
                pool.start(self._serve)
        pool.queue.put(turn)

    def idle(self) -> bool:
        """Whether a thread is free that nothing waits for; not so while brief work leaves most free."""
        return not self._narrow.open and self._wide.open < self._wide.size

    def give_up(self, patience: Callable[[str], float]) -> list[Turn]:
        """Give up the turns whose threads have hung for longer than their lane's `patience`.

        Each such thread is replaced; it ends when it comes back, and its answers are dropped.
        """
        now = self._clock.monotonic()
        with self._lock:
            late = [turn for turn in self._running if now - turn.began >= patience(turn.tasks[0].job.lane)]
            for turn in late:
                self._running.remove(turn)
                self._hanging.add(turn)
                turn.pool.open -= 1
                turn.pool.start(self._serve)
        return late

    def hanging(self) -> list[Turn]:
        """What was given up and has not come back."""
        with self._lock:
            return list(self._hanging)

    def exhausted(self) -> bool:
        """Whether as many threads hang as the stage has."""
        return len(self._hanging) >= self._threads

    def take_back(self) -> list[Task]:
        """Take back what no thread has begun."""
        with self._lock:
            turns, self._waiting = self._waiting, set()
            for turn in turns:
                turn.pool.open -= 1
        return [task for turn in turns for task in turn.tasks]

    def dismiss(self) -> None:
        """Begin nothing more; each thread ends with what it is at."""
        self.take_back()
        for pool in (self._wide, self._narrow):
            for _ in range(pool.threads):
                pool.queue.put(None)

    # -- in the threads

    def _serve(self, pool: _Pool, thread: StageThread) -> None:
        while (turn := pool.queue.get()) is not None:
            if not self._begin(turn):
                continue
            thread.busy = True
            events = self._run(turn.tasks)
            thread.busy = False
            elapsed = self._clock.monotonic() - turn.began
            if not self._end(turn):
                _log_late(turn, elapsed)
                return
            _log_failures(events)
            self._answer(events, elapsed)

    def _begin(self, turn: Turn) -> bool:
        """Whether the turn is still to be done."""
        with self._lock:
            if turn not in self._waiting:
                return False
            self._waiting.remove(turn)
            turn.began = self._clock.monotonic()
            self._running.add(turn)
            return True

    def _end(self, turn: Turn) -> bool:
        """Whether the turn's answers are still wanted."""
        with self._lock:
            if turn in self._hanging:
                self._hanging.remove(turn)
                return False
            self._running.remove(turn)
            turn.pool.open -= 1
            return True

    def _run(self, tasks: list[Task]) -> list[Event]:
        try:
            return self._runner.run(tasks)
        except Exception:  # noqa: BLE001 - a stage never raises; where one does, its tasks must not stay open
            _log.exception("a stage failed", extra=about(tasks[0].request.request_id, tasks[0].job))
            unfit = Failed(Kind.PERMANENT, "SYS_INTERNAL", f"the {self._stage} stage failed")
            return [Event(task, unfit) for task in tasks]


def _log_failures(events: list[Event]) -> None:
    for task, answer, _ in events:
        if isinstance(answer, Failed):
            _log.warning(
                "attempt %d failed: %s: %s",
                task.job.attempt,
                answer.code,
                answer.text,
                extra=about(task.request.request_id, task.job),
            )


def _log_late(turn: Turn, elapsed: float) -> None:
    for task in turn.tasks:
        _log.info(
            "the thread came back after %.0f s; its answer is dropped, since the job was given up",
            elapsed,
            extra=about(task.request.request_id, task.job),
        )
