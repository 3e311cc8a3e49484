"""Mails with the report attached, put into a Maildir: the embedded stand-in for a mail gateway."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from reportbus.adapters.durable_files import file_sync, no_failpoint
from reportbus.adapters.maildir import Maildir, mail_name
from reportbus.core.errors import Permanent, ReportbusError, Transient
from reportbus.core.formats import FORMATS
from reportbus.core.mail import Attachment, compose
from reportbus.core.model import Receipt

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

    from reportbus.adapters.durable_files import Failpoint, SyncMaker
    from reportbus.core.model import Artifact, Mail
    from reportbus.ports import Attempt, Clock, Delivery, Verdict

_ENCODED_GROWTH: Final = 1.37
_UNKNOWN_MEDIA: Final = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class MaildirOptions:
    """`folder` is made where it is missing; `sender` is the From of all mails, `size_limit` in bytes."""

    folder: str
    sender: str
    size_limit: int = 25_000_000


class MaildirDestination:
    """One mail for each delivery, the same Message-ID on every attempt."""

    def __init__(
        self,
        options: MaildirOptions,
        clock: Clock,
        *,
        sync: SyncMaker = file_sync,
        failpoint: Failpoint = no_failpoint,
    ) -> None:
        self._options = options
        self._clock = clock
        self._maildir = Maildir(options.folder, sync=sync, failpoint=failpoint)

    def deliver(self, deliveries: Sequence[Delivery]) -> Sequence[Attempt]:
        names = [mail_name("delivery", delivery.delivery_id) for delivery in deliveries]
        mails = [
            (name, partial(self._composed, name, delivery))
            for name, delivery in zip(names, deliveries, strict=True)
        ]
        return [
            answer if isinstance(answer, ReportbusError) else self._receipt(name, delivery, repeated=answer)
            for name, delivery, answer in zip(names, deliveries, self._maildir.put(mails), strict=True)
        ]

    def test(self) -> Verdict:
        return self._maildir.test()

    def close(self) -> None:
        self._maildir.close()

    def _composed(self, name: str, delivery: Delivery) -> bytes:
        mail = delivery.target.mail
        if mail is None:
            raise Permanent(
                "CFG_TARGET_TYPE", f"target {delivery.target.number} has no recipients; it is no mail"
            )
        self._check_size(mail, delivery.artifacts)
        message = compose(
            sender=self._options.sender,
            to=mail.to,
            cc=mail.cc,
            subject=mail.subject,
            text=_text(mail, delivery),
            message_id=self._message_id(name),
            date=self._clock.now(),
            attachments=[_attachment(delivery, artifact) for artifact in delivery.artifacts],
        )
        return message.as_bytes()

    def _check_size(self, mail: Mail, artifacts: Sequence[Artifact]) -> None:
        size = int(sum(artifact.size for artifact in artifacts) * _ENCODED_GROWTH) + len(mail.body.encode())
        if size > self._options.size_limit:
            raise Permanent(
                "DST_MAIL_TOO_LARGE",
                f"the mail would have about {size:,} bytes; {self._options.size_limit:,} are allowed",
            )

    def _receipt(self, name: str, delivery: Delivery, *, repeated: bool) -> Receipt:
        """What proves the mail. Of one that was there already the name alone was looked at.

        It may hold what an earlier run made.
        """
        location = self._message_id(name)
        if repeated:
            return Receipt(location, verified="name", repeated=True)
        artifacts = delivery.artifacts
        return Receipt(
            location,
            verified="hash",
            size=sum(artifact.size for artifact in artifacts),
            sha256=artifacts[0].sha256 if len(artifacts) == 1 else "",
            possible_duplicate=delivery.possible_duplicate,
        )

    def _message_id(self, name: str) -> str:
        return f"<{name}@{self._options.sender.rpartition('@')[2]}>"


def _attachment(delivery: Delivery, artifact: Artifact) -> Attachment:
    if delivery.deadline.passed():
        raise Transient("ConnectionTimeout", f"no time is left to attach {artifact.key}")
    with delivery.open(artifact) as source:
        content = _read(source, artifact.size + 1)
    if len(content) != artifact.size or hashlib.sha256(content).hexdigest() != artifact.sha256:
        raise Permanent("STG_MISMATCH", f"the staged bytes of {artifact.key} are not what was recorded")
    known = FORMATS.get(artifact.format)
    alone = len(delivery.artifacts) == 1
    name = (delivery.target.file_name if alone else "") or artifact.file_name
    return Attachment(name, known.media_type if known else _UNKNOWN_MEDIA, content)


def _read(source: BinaryIO, limit: int) -> bytes:
    content = b""
    while len(content) < limit and (part := source.read(limit - len(content))):
        content += part
    return content


def _text(mail: Mail, delivery: Delivery) -> str:
    names = ", ".join(artifact.file_name for artifact in delivery.artifacts)
    text = mail.body or f'The report "{delivery.request.report_name}" is attached: {names}\n'
    if delivery.possible_duplicate:
        text += (
            "\n\nThe outcome of an earlier attempt to send this mail is not known: you may have it twice.\n"
        )
    return text
