"""What stages may ask of the worker whose tasks they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportbus.core.errors import Permanent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportbus.core.jobs import Task
    from reportbus.core.model import JsonValue
    from reportbus.ports import Clock, WorkLedger


class Grip:
    """Whether one worker still has hold of its tasks; and the store for their checkpoints.

    Past `until`, on the monotonic clock, the lease may have lapsed while this process was not running:
    whatever has an effect outside must not be begun then.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ledger: WorkLedger | None = None
        self._until = 0.0
        self._let_go = False
        self._stopping: frozenset[tuple[int, int]] = frozenset()
        self._given_up: frozenset[tuple[int, int, int]] = frozenset()

    def cancelled(self, task: Task) -> bool:
        """Whether to stop working on the task, or not to begin."""
        held = not self._let_go and self._clock.monotonic() < self._until
        job = (task.request_key, task.job.number)
        return not held or job in self._stopping or (*job, task.fence) in self._given_up

    def save(self, task: Task, data: Mapping[str, JsonValue]) -> None:
        """Store what a later attempt needs. Permanent RUN_CANCELLED where the job is in other hands."""
        if self._ledger is None or not self._ledger.checkpoint(task, data):
            raise Permanent("RUN_CANCELLED", "the job is in other hands by now")

    def hold(self, ledger: WorkLedger) -> None:
        """Tasks are of this ledger's worker from now on; none is held before `renewed`."""
        self._ledger, self._until, self._stopping = ledger, 0.0, frozenset()

    def renewed(self, until: float, stopping: frozenset[tuple[int, int]] = frozenset()) -> None:
        """The lease stands until then, on the monotonic clock; the tasks of these jobs shall stop."""
        self._until, self._stopping = until, stopping

    def given_up(self, fences: frozenset[tuple[int, int, int]]) -> None:
        """The tasks of these jobs shall stop that have these fences: a later attempt has another one."""
        self._given_up = fences

    def let_go(self) -> None:
        """All tasks shall stop, for good: a lease that is renewed later is nothing to them."""
        self._let_go = True
