"""Mail: addresses and subjects read strictly, and messages composed from what was found good.

An address is one addr-spec in ASCII: `name@host.example`. Of what RFC 5322 allows before the "@", only the
characters in common use are taken; the others (% ! | " and their like) steer mail servers and shells.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from reportbus.core.errors import Problem
from reportbus.core.text import clean, kind_of, one_line, quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime
    from email.message import EmailMessage

    from reportbus.core.model import JsonValue

MAX_RECIPIENTS: Final = 50
"""Of one message, as the strictest gateway has it."""

MAX_SUBJECT: Final = 200
"""Characters of a subject."""

_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ATOM: Final = r"[A-Za-z0-9_'+&=~-]+"
_ADDRESS: Final = re.compile(
    rf"(?=.{{6,254}}\Z)(?=[^@]{{1,64}}@)(?!-)({_ATOM}(?:\.{_ATOM})*)@((?:{_LABEL}\.)+(?=[0-9-]*[A-Za-z]){_LABEL})"
)
_LINE_BREAKING: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_MEDIA_TYPE: Final = re.compile(r"([a-z0-9][a-z0-9.+-]*)/([a-z0-9][a-z0-9.+-]*)")
_NOT_FOR_BYTES: Final = frozenset({"message", "multipart"})


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a mail; its name may hold any character a file name may."""

    file_name: str
    media_type: str
    content: bytes


def parse_address(raw: object, *, field: str) -> str | Problem:
    """The addr-spec `raw` is, its domain in small letters. Problems: VAL_EMAIL, SEC_HEADER_INJECTION."""
    if not isinstance(raw, str):
        return Problem("VAL_EMAIL", f"an address must be text, not {kind_of(raw)}", field)
    address = _ADDRESS.fullmatch(raw.strip(" "))
    if address:
        return f"{address[1]}@{address[2].lower()}"
    if _LINE_BREAKING.search(raw):
        fault = f"{quoted(raw)} holds a line break or control character; an address has none"
        return Problem("SEC_HEADER_INJECTION", fault, field)
    fault = f"{quoted(raw)} is not one plain address like name@example.com"
    return Problem("VAL_EMAIL", fault, field)


def parse_recipients(
    raw: Sequence[JsonValue],
    *,
    field: str,
    allowed_domains: Collection[str] | None = None,
    already: Collection[str] = (),
) -> tuple[tuple[str, ...], list[Problem]]:
    """The addresses in `raw`, each once, in order, without those of `already` (another field).

    `allowed_domains` are whole domains in small letters; None allows any. MAX_RECIPIENTS holds for `already`
    and the new ones together.

    Problems: VAL_EMAIL, VAL_TOO_MANY_RECIPIENTS, SEC_HEADER_INJECTION, SEC_TARGET_FORBIDDEN.
    """
    seen = {address.lower() for address in already}
    found: list[str] = []
    problems: list[Problem] = []
    for item in raw:
        address = parse_address(item, field=field)
        if isinstance(address, Problem):
            problems.append(address)
        elif allowed_domains is not None and _domain(address) not in allowed_domains:
            problems.append(_forbidden(address, allowed_domains, field))
        elif address.lower() not in seen:
            seen.add(address.lower())
            found.append(address)
    if len(seen) > MAX_RECIPIENTS:
        fault = f"has {len(seen)} recipients; a message takes at most {MAX_RECIPIENTS}"
        problems.append(Problem("VAL_TOO_MANY_RECIPIENTS", fault, field))
    return tuple(found), problems


def check_subject(raw: object, *, field: str = "subject") -> str | Problem:
    """The subject in at most 200 characters, as `plain_header` writes it.

    Problems: SEC_HEADER_INJECTION for line breaks and control characters, VAL_SUBJECT for what is no text.
    """
    if not isinstance(raw, str):
        return Problem("VAL_SUBJECT", f"must be text, not {kind_of(raw)}", field)
    if _LINE_BREAKING.search(raw):
        fault = f"{quoted(raw)} holds a line break or control character; a subject has none"
        return Problem("SEC_HEADER_INJECTION", fault, field)
    return plain_header(raw.strip(" "), MAX_SUBJECT)


def plain_header(text: str, width: int | None = None) -> str:
    """Any text as a header takes it: one line, and nothing in it that reads as an encoded word (RFC 2047).

    Python's email package decodes such a word when a header is set, line breaks in it included, and older
    versions write these out as they are (CVE-2024-6923).
    """
    return one_line(text, width).replace("=?", "= ?")


def compose(  # noqa: PLR0913 - a message has this many parts
    *,
    sender: str,
    to: Iterable[str],
    subject: str,
    text: str,
    message_id: str,
    date: datetime,
    cc: Iterable[str] = (),
    attachments: Iterable[Attachment] = (),
) -> EmailMessage:
    """A message of checked parts, the same bytes for the same arguments.

    `message_id` has its angle brackets, `date` its zone. Bcc belongs to the envelope. Headers are encoded
    as RFC 2047 has it, file names as RFC 2231, lines end in CR LF. Any text may stand in `subject`, `text`
    and file names; ValueError where an address or the message id would break its header.
    """
    from email.message import EmailMessage  # noqa: PLC0415 - it brings the socket module, of no use to most commands
    from email.policy import SMTP  # noqa: PLC0415 - as above

    message = EmailMessage(SMTP)
    for header, value in (
        ("From", sender),
        ("To", ", ".join(to)),
        ("Cc", ", ".join(cc)),
        ("Message-ID", message_id),
    ):
        if plain_header(value) != value:
            raise ValueError(f"{header} {quoted(value)} cannot stand in a header")
        if value:
            message[header] = value
    message["Subject"] = plain_header(subject, MAX_SUBJECT)
    message["Date"] = date
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_body(text), cte="quoted-printable")
    for attachment in attachments:
        _attach(message, attachment)
    _set_boundaries(message, message_id)
    return message


def _body(text: str) -> str:
    return clean(text.replace("\r\n", "\n"))


def _attach(message: EmailMessage, attachment: Attachment) -> None:
    media = _MEDIA_TYPE.fullmatch(attachment.media_type)
    kind, subtype = (
        media.groups() if media and media[1] not in _NOT_FOR_BYTES else ("application", "octet-stream")
    )
    message.add_attachment(attachment.content, kind, subtype, filename=plain_header(attachment.file_name))


def _set_boundaries(message: EmailMessage, message_id: str) -> None:
    """Boundaries that follow from the message's id; "=_" stands in no quoted-printable and no base64 line."""
    name = sha256(message_id.encode()).hexdigest()[:32]
    multiparts = [part for part in message.walk() if part.is_multipart()]
    for number, part in enumerate(multiparts, start=1):
        part.set_boundary(f"=_{name}_{number}")


def _domain(address: str) -> str:
    return address.rpartition("@")[2]


def _forbidden(address: str, allowed_domains: Collection[str], field: str) -> Problem:
    have = ", ".join(sorted(allowed_domains)) or "none"
    return Problem(
        "SEC_TARGET_FORBIDDEN", f"mail to {quoted(address)} is not allowed; allowed domains: {have}", field
    )
