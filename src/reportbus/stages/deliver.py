"""Deliver: bring staged reports to one destination."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportbus.core.errors import Permanent, ReportbusError
from reportbus.core.events import Answer, Delivered, Event, HandedBack
from reportbus.core.failure import failure
from reportbus.core.text import have
from reportbus.ports import Deadline, Delivery

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import BinaryIO

    from reportbus.core.jobs import Task
    from reportbus.core.model import Artifact, Target
    from reportbus.core.redact import Redactor
    from reportbus.ports import Clock, Destination, Staging


class Deliver:
    """The stage of deliver jobs. `run` answers for each task of a slice, in order, and never raises.

    A slice goes to one destination, in one call. `timeouts` holds seconds by lane, `default_timeout` those of
    other lanes. `cancelled` says whether to stop before a task is begun; then it is handed back.
    """

    def __init__(
        self,
        *,
        destinations: Mapping[str, Destination],
        staging: Staging,
        clock: Clock,
        redactor: Redactor,
        timeouts: Mapping[str, float],
        default_timeout: float,
        cancelled: Callable[[Task], bool],
    ) -> None:
        self._destinations = destinations
        self._staging = staging
        self._clock = clock
        self._redact = redactor.redact
        self._timeouts = timeouts
        self._default_timeout = default_timeout
        self._cancelled = cancelled

    def run(self, tasks: Sequence[Task]) -> list[Event]:
        """Deliver all that can be delivered, in one call of the destination."""
        started = self._clock.monotonic()
        answers: list[Answer] = [HandedBack()] * len(tasks)
        deliveries: dict[int, Delivery] = {}
        for index, task in enumerate(tasks):
            try:
                if not self._cancelled(task):
                    deliveries[index] = self._delivery(task)
            except Exception as error:  # noqa: BLE001 - the boundary: it is the answer of this one task
                answers[index] = failure(error, self._redact)
        if deliveries:
            answered = self._deliver(list(deliveries.values()))
            for index, answer in zip(deliveries, answered, strict=True):
                answers[index] = answer
        elapsed = self._clock.monotonic() - started
        return [Event(task, answer, elapsed) for task, answer in zip(tasks, answers, strict=True)]

    def _delivery(self, task: Task) -> Delivery:
        request, job = task.request, task.job
        target = _target(task)
        seconds = self._timeouts.get(job.lane, self._default_timeout)
        seconds = min(seconds, (task.expires_at - self._clock.now()).total_seconds())
        return Delivery(
            f"{request.request_id}-{target.number}",
            request,
            target,
            task.artifacts,
            self._open,
            Deadline(self._clock.monotonic() + seconds, self._clock),
            possible_duplicate=job.doubtful,
        )

    def _open(self, artifact: Artifact) -> BinaryIO:
        return self._staging.open(artifact.key)

    def _deliver(self, deliveries: Sequence[Delivery]) -> list[Answer]:
        try:
            attempts = self._destination(deliveries[0].target.destination).deliver(deliveries)
            return [
                failure(attempt, self._redact) if isinstance(attempt, ReportbusError) else Delivered(attempt)
                for _, attempt in zip(deliveries, attempts, strict=True)
            ]
        except Exception as error:  # noqa: BLE001 - the boundary: nothing of the slice is known to be delivered
            return [failure(error, self._redact)] * len(deliveries)

    def _destination(self, name: str) -> Destination:
        destination = self._destinations.get(name)
        if destination is None:
            raise Permanent("CFG_DESTINATION", f"no destination {name!r}; {have(self._destinations)}")
        return destination


def _target(task: Task) -> Target:
    for target in task.request.targets:
        if target.number == task.job.subject:
            return target
    raise LookupError(task.job.subject)
