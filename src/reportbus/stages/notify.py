"""Notify: tell people and systems through one channel how requests ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportbus.core.errors import Permanent, ReportbusError
from reportbus.core.events import Answer, Event, HandedBack, Notified
from reportbus.core.failure import failure
from reportbus.core.text import have
from reportbus.ports import Notice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reportbus.core.jobs import Task
    from reportbus.core.model import NotifyRule
    from reportbus.core.redact import Redactor
    from reportbus.ports import Channel, Clock


class Notify:
    """The stage of notify jobs. `run` answers for each task of a slice, in order, and never raises.

    A slice goes through one channel, in one call. `cancelled` says whether to stop before a task is begun;
    then it is handed back.
    """

    def __init__(
        self,
        *,
        channels: Mapping[str, Channel],
        clock: Clock,
        redactor: Redactor,
        cancelled: Callable[[Task], bool],
    ) -> None:
        self._channels = channels
        self._clock = clock
        self._redact = redactor.redact
        self._cancelled = cancelled

    def run(self, tasks: Sequence[Task]) -> list[Event]:
        """Send all notices that can be sent, in one call of the channel."""
        started = self._clock.monotonic()
        answers: list[Answer] = [HandedBack()] * len(tasks)
        notices: dict[int, Notice] = {}
        for index, task in enumerate(tasks):
            try:
                if not self._cancelled(task):
                    notices[index] = self._notice(task)
            except Exception as error:  # noqa: BLE001 - the boundary: it is the answer of this one task
                answers[index] = failure(error, self._redact)
        if notices:
            rule = _rule(tasks[next(iter(notices))])
            answered = self._send(rule.channel, list(notices.values()))
            for index, answer in zip(notices, answered, strict=True):
                answers[index] = answer
        elapsed = self._clock.monotonic() - started
        return [Event(task, answer, elapsed) for task, answer in zip(tasks, answers, strict=True)]

    def _notice(self, task: Task) -> Notice:
        request, job = task.request, task.job
        if task.outcome is None:
            raise LookupError(job.number)
        return Notice(
            f"{request.request_id}-{job.run}-{job.subject}",
            request,
            _rule(task).to,
            task.outcome,
            task.artifacts,
            self._clock.now(),
            possible_duplicate=job.doubtful,
            delivered=tuple(t.number for t in request.targets if t.number not in task.outcome.missing),
            missing=task.outcome.missing,
        )

    def _send(self, name: str, notices: Sequence[Notice]) -> list[Answer]:
        try:
            attempts = self._channel(name).send(notices)
            return [
                failure(attempt, self._redact) if isinstance(attempt, ReportbusError) else Notified(attempt)
                for _, attempt in zip(notices, attempts, strict=True)
            ]
        except Exception as error:  # noqa: BLE001 - the boundary: nothing of the slice is known to be sent
            return [failure(error, self._redact)] * len(notices)

    def _channel(self, name: str) -> Channel:
        channel = self._channels.get(name)
        if channel is None:
            raise Permanent("CFG_CHANNEL", f"no channel {name!r}; {have(self._channels)}")
        return channel


def _rule(task: Task) -> NotifyRule:
    return task.request.notify[task.job.subject]
