"""The mails of this demo, read from the Maildir they were put into."""

from __future__ import annotations

from dataclasses import dataclass
from email import policy
from email.parser import BytesHeaderParser
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_NOTICE: Final = "<notice-"
_READY: Final = " is ready"


@dataclass(frozen=True, slots=True)
class MailKind:
    """Mails of one kind: how many, and the subject of one of them."""

    kind: str
    number: int
    subject: str


class Mails:
    """The mails that come into `maildir` from now on."""

    def __init__(self, maildir: Path) -> None:
        self.maildir = maildir
        self._before = set(self._names())

    def kinds(self) -> list[MailKind]:
        """What they are: reports, and notices of both kinds."""
        subjects: dict[str, list[str]] = {"with a report": [], "notice: ready": [], "notice: failed": []}
        parser = BytesHeaderParser(policy=policy.default)
        for name in sorted(set(self._names()) - self._before):
            with (self.maildir / "new" / name).open("rb") as file:
                mail = parser.parse(file)
            subject = str(mail["Subject"])
            if not str(mail["Message-ID"]).startswith(_NOTICE):
                kind = "with a report"
            else:
                kind = "notice: ready" if subject.endswith(_READY) else "notice: failed"
            subjects[kind].append(subject)
        return [MailKind(kind, len(found), found[0]) for kind, found in subjects.items() if found]

    def _names(self) -> list[str]:
        folder = self.maildir / "new"
        return [path.name for path in folder.iterdir()] if folder.is_dir() else []
