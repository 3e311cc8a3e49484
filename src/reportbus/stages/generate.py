"""Generate: have the right engine make each report, judge it, and stage what is good."""

from __future__ import annotations

import logging
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from reportbus.core.errors import Permanent, ReportbusError
from reportbus.core.events import Answer, Event, Generated, HandedBack
from reportbus.core.failure import failure
from reportbus.core.jobs import about
from reportbus.core.model import Artifact
from reportbus.core.names import staging_key
from reportbus.core.output_check import check_output
from reportbus.core.text import have
from reportbus.ports import Deadline, Work

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reportbus.core.jobs import Task
    from reportbus.core.model import JsonValue
    from reportbus.core.redact import Redactor
    from reportbus.ports import Clock, Engine, Produced, StagedObject, StagedWriter, Staging

_log: Final = logging.getLogger(__name__)

ADOPTED: Final = "found on staging, made by an earlier attempt"


@dataclass(slots=True)
class _Attempt:
    """One task on its way; `writer` is set while its report waits to be published."""

    task: Task
    answer: Answer
    elapsed: float = 0.0
    writer: StagedWriter | None = None
    produced: Produced | None = None


class Generate:
    """The stage of generate jobs. `run` answers for each task of a slice, in order, and never raises.

    `engines` are found by report type. `timeouts` has seconds by lane, `default_timeout` those of the others.
    `output_limit` is the largest report, in bytes. `save_checkpoint` returns once the data is durable.
    `cancelled` says whether to stop working on a task; then it is handed back, and whoever asked for the stop
    decides what becomes of it.
    """

    def __init__(  # noqa: PLR0913 - what it depends on, each by its name
        self,
        *,
        engines: Mapping[str, Engine],
        staging: Staging,
        clock: Clock,
        redactor: Redactor,
        timeouts: Mapping[str, float],
        default_timeout: float,
        output_limit: int,
        save_checkpoint: Callable[[Task, Mapping[str, JsonValue]], None],
        cancelled: Callable[[Task], bool],
    ) -> None:
        self._engines = engines
        self._staging = staging
        self._clock = clock
        self._redact = redactor.redact
        self._timeouts = timeouts
        self._default_timeout = default_timeout
        self._output_limit = output_limit
        self._save_checkpoint = save_checkpoint
        self._cancelled = cancelled

    def run(self, tasks: Sequence[Task]) -> list[Event]:
        """Make the reports one after the other, then stage them all together."""
        attempts = [_Attempt(task, HandedBack()) for task in tasks]
        # What cannot be discarded is left to the sweep of the staging; the answers stand by then.
        with suppress(ReportbusError), ExitStack() as unpublished:
            for attempt in attempts:
                self._make(attempt, unpublished)
            self._publish([attempt for attempt in attempts if attempt.writer])
        return [Event(attempt.task, attempt.answer, attempt.elapsed) for attempt in attempts]

    def _make(self, attempt: _Attempt, unpublished: ExitStack) -> None:
        started = self._clock.monotonic()
        try:
            self._generate(attempt, unpublished)
        except Exception as error:  # noqa: BLE001 - the boundary: whatever fails is the answer of this one task
            attempt.answer = self._failure(attempt.task, error)
        attempt.elapsed = self._clock.monotonic() - started

    def _generate(self, attempt: _Attempt, unpublished: ExitStack) -> None:
        task = attempt.task
        if self._cancelled(task):
            return
        job, request = task.job, task.request
        key = staging_key(request.request_id, job.run, job.number, request.file_name)
        # Whoever had the job before may have staged the report, also one that handed it back in a hurry.
        if adopted := self._adopted(task):
            attempt.answer = adopted
            return
        engine = self._engines.get(request.report_type)
        if engine is None:
            text = f"no engine {request.report_type!r} here; {have(self._engines)}"
            raise Permanent("VAL_ENGINE_DISABLED", text)
        with ExitStack() as unfinished:
            writer = unfinished.enter_context(self._staging.writer(key, limit=self._output_limit))
            produced = engine.generate(self._work(task, key), writer)
            error = check_output(
                request.format, writer.size, writer.head, writer.tail, empty_allowed=produced.rows == 0
            )
            if error is not None:
                raise error
            unpublished.push(unfinished.pop_all())
        attempt.writer, attempt.produced = writer, produced
        if produced.note:
            note = self._redact(produced.note)
            _log.info("the engine notes: %s", note, extra=about(request.request_id, job))

    def _work(self, task: Task, key: str) -> Work:
        seconds = self._timeouts.get(task.job.lane, self._default_timeout)
        seconds = min(seconds, (task.expires_at - self._clock.now()).total_seconds())
        return Work(
            key,
            task.request,
            Deadline(self._clock.monotonic() + seconds, self._clock),
            task.checkpoint,
            partial(self._save_checkpoint, task),
            partial(self._cancelled, task),
        )

    def _publish(self, attempts: list[_Attempt]) -> None:
        if not attempts:
            return
        started = self._clock.monotonic()
        try:
            writers = [attempt.writer for attempt in attempts if attempt.writer]
            for attempt, staged in zip(attempts, self._staging.publish(writers), strict=True):
                attempt.answer = self._published(attempt, staged)
        except Exception as error:  # noqa: BLE001 - the boundary: no report of the slice is known to be staged
            for attempt in attempts:
                attempt.answer = failure(error, self._redact)
        share = (self._clock.monotonic() - started) / len(attempts)
        for attempt in attempts:
            attempt.elapsed += share

    def _published(self, attempt: _Attempt, staged: StagedObject | ReportbusError) -> Answer:
        if isinstance(staged, ReportbusError):
            # Whoever had the job before may also have woken up just now, and staged what it had made.
            outrun = staged.code == "STG_MISMATCH"
            return (self._adopted(attempt.task) if outrun else None) or failure(staged, self._redact)
        produced = attempt.produced
        rows, note = (produced.rows, produced.note) if produced else (None, "")
        note = note and self._redact(note)
        return Generated((_artifact(attempt.task, staged, rows),), note)

    def _adopted(self, task: Task) -> Generated | None:
        """The report as an earlier owner of the job has staged it."""
        if task.fence == 1:
            return None
        request, job = task.request, task.job
        found = self._staging.find(staging_key(request.request_id, job.run, job.number, request.file_name))
        return Generated((_artifact(task, found, None),), ADOPTED) if found else None

    def _failure(self, task: Task, error: Exception) -> Answer:
        """A report that was stopped because we asked for it has not failed."""
        stopped = isinstance(error, Permanent) and error.code == "RUN_CANCELLED" and self._cancelled(task)
        return HandedBack() if stopped else failure(error, self._redact)


def _artifact(task: Task, staged: StagedObject, rows: int | None) -> Artifact:
    request = task.request
    return Artifact(staged.key, request.file_name, request.format, staged.size, staged.sha256, rows)
