"""Notices as mails in a Maildir: the embedded stand-in for a mail gateway."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from reportbus.adapters.channels.notice_text import notice_subject, notice_text
from reportbus.adapters.durable_files import file_sync, no_failpoint
from reportbus.adapters.maildir import Maildir, mail_name
from reportbus.core.errors import ReportbusError
from reportbus.core.mail import compose
from reportbus.core.model import Receipt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reportbus.adapters.durable_files import Failpoint, SyncMaker
    from reportbus.ports import Attempt, Notice, Verdict


class MaildirChannel:
    """One mail for each notice, from `sender`, with the same Message-ID on every attempt."""

    def __init__(
        self,
        folder: str,
        sender: str,
        *,
        sync: SyncMaker = file_sync,
        failpoint: Failpoint = no_failpoint,
    ) -> None:
        self._sender = sender
        self._maildir = Maildir(folder, sync=sync, failpoint=failpoint)

    def send(self, notices: Sequence[Notice]) -> Sequence[Attempt]:
        names = [mail_name("notice", notice.notice_id) for notice in notices]
        mails = [
            (name, partial(self._composed, name, notice)) for name, notice in zip(names, notices, strict=True)
        ]
        return [
            answer
            if isinstance(answer, ReportbusError)
            else Receipt(
                location=self._message_id(name),
                verified="reply",
                repeated=answer,
                possible_duplicate=notice.possible_duplicate and not answer,
            )
            for name, notice, answer in zip(names, notices, self._maildir.put(mails), strict=True)
        ]

    def test(self) -> Verdict:
        return self._maildir.test()

    def close(self) -> None:
        self._maildir.close()

    def _composed(self, name: str, notice: Notice) -> bytes:
        return compose(
            sender=self._sender,
            to=notice.to,
            subject=notice_subject(notice),
            text=notice_text(notice),
            message_id=self._message_id(name),
            date=notice.at,
        ).as_bytes()

    def _message_id(self, name: str) -> str:
        return f"<{name}@{self._sender.rpartition('@')[2]}>"
