"""Accept: take requests from the bus into the ledger, a batch in one transaction."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reportbus.core.errors import Problem, Transient
from reportbus.core.failure import failure
from reportbus.core.inline_secrets import without_secrets
from reportbus.core.intake import WIDTHS, read_row, refuse_row, row_from_text, without_secrets_in
from reportbus.core.text import one_line
from reportbus.ports import Intaken, Submission

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from reportbus.core.intake import IntakeRules, RawRow, Reading
    from reportbus.core.redact import Redactor
    from reportbus.ports import Batch, Clock, Consumer, Intake, Message

_log: Final = logging.getLogger(__name__)

_SHOWN: Final = 100  # characters of a message's key
_ALERTED: Final = 5  # ids in one line of the log


class Accept:
    """The pump between the bus and the ledger; used by one thread at a time.

    `ignored` counts the messages so far that were no rows.
    """

    def __init__(
        self,
        *,
        consumer: Consumer,
        intake: Intake,
        rules: IntakeRules,
        clock: Clock,
        redactor: Redactor,
        batch: int = 500,
    ) -> None:
        self._consumer = consumer
        self._intake = intake
        self._rules = rules
        self._clock = clock
        self._redact = redactor.redact
        self._batch = batch
        self._waiting: Batch | None = None
        self.ignored = 0

    def run_once(self, timeout: float) -> int:
        """Take in what comes within `timeout` seconds, up to a batch; how many messages that was.

        They are committed once the ledger has them. Where it raises, nothing is committed: they come again,
        and while the ledger is away they stay in hand for the next call, since the bus would give them out
        anew only when it has lost patience with this member.
        """
        batch, self._waiting = self._waiting or self._consumer.poll(self._batch, timeout), None
        if not batch.messages:
            return 0
        try:
            self._accept(batch)
        except Transient:
            self._waiting = batch
            raise
        self._consumer.commit(batch)
        return len(batch.messages)

    def _accept(self, batch: Batch) -> None:
        now = self._clock.now()
        submissions = [
            self._submission(self._reading(row, now))
            for message in batch.messages
            if (row := self._row(message)) is not None
        ]
        if submissions:
            _alert(submissions, self._intake.accept(submissions))

    def _row(self, message: Message) -> RawRow | None:
        """The row of a message; a message that holds none is passed over, or it would come again for ever.

        A request is not lost by that: its row stays PENDING and is published again.
        """
        try:
            return row_from_text(message.body)
        except ValueError as error:
            self.ignored += 1
            key, fault = self._hidden(message.key, _SHOWN), self._redact(str(error))
            _log.warning("EVT_IGNORED: the message with key %r is no worktable row: %s", key, fault)
            return None

    def _reading(self, row: RawRow, now: datetime) -> Reading:
        try:
            return read_row(row, self._rules, now)
        except Exception as error:  # noqa: BLE001 - the boundary: a fault of ours stops one row, not all of them
            fault = failure(error, self._redact)
            # Not `exception`: the exception's own message may hold anything, report content above all.
            trace = "%s while a row was read: %s\n%s"
            reading = refuse_row(row, Problem(fault.code, fault.text), now)
            fields = {"request_id": reading.request_id}
            _log.error(trace, fault.code, fault.text, fault.trace, extra=fields)
            return reading

    def _submission(self, reading: Reading) -> Submission:
        submission = Submission(
            ref=reading.ref,
            request_id=reading.request_id,
            digest=reading.digest,
            report_type=reading.report_type,
            report_name=reading.report_name,
            requested_by=reading.requested_by,
            priority=reading.priority,
            requested_at=reading.requested_at,
            content=reading.content,
            request=reading.request,
            problems=reading.problems,
        )
        return self._without_secrets(submission) if reading.problems else submission

    def _without_secrets(self, refused: Submission) -> Submission:
        """As it is kept: nobody will run it, and people who look for what was wrong with it will read it."""
        return refused._replace(
            report_type=self._hidden(refused.report_type, WIDTHS["REPORT_TYPE"]),
            report_name=self._hidden(refused.report_name, WIDTHS["REPORT_NAME"]),
            requested_by=self._hidden(refused.requested_by, WIDTHS["REQUESTED_BY"]),
            content=self._redact(without_secrets_in(refused.content)),
            problems=tuple(
                [
                    replace(problem, text=self._redact(problem.text), field=self._hidden(problem.field))
                    for problem in refused.problems
                ]
            ),
        )

    def _hidden(self, text: str, width: int | None = None) -> str:
        return one_line(self._redact(without_secrets(text)), width)


def _alert(submissions: Sequence[Submission], became: Sequence[Intaken]) -> None:
    """Warn of what was refused for its security: a line a code, however many requests there are."""
    found: dict[str, list[str]] = {}
    for submission, intaken in zip(submissions, became, strict=True):
        if intaken is Intaken.REFUSED:
            for code in {problem.code for problem in submission.problems if problem.code.startswith("SEC_")}:
                found.setdefault(code, []).append(submission.request_id)
    for code, ids in sorted(found.items()):
        more = f" and {len(ids) - _ALERTED} more" if len(ids) > _ALERTED else ""
        fields = {"request_id": ids[0]} if len(ids) == 1 else {}
        _log.warning("%s: refused: %s%s", code, ", ".join(ids[:_ALERTED]), more, extra=fields)
