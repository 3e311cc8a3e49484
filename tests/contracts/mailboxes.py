"""A Maildir, read back with nothing but the standard library."""

from __future__ import annotations

import email
import email.policy
import mailbox
from email.message import EmailMessage
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def mails_in(folder: Path) -> list[EmailMessage]:
    """Every mail of the Maildir, read or unread, in the order of the file names; none where it is missing."""
    if not folder.exists():
        return []
    box = mailbox.Maildir(folder, create=False)
    try:
        return [_parsed(box.get_bytes(key)) for key in sorted(box.keys())]
    finally:
        box.close()


def mark_read(folder: Path) -> None:
    """Do what a mail reader does: move everything from `new` to `cur`, with the flag for "seen"."""
    box = mailbox.Maildir(folder, create=False)
    for key in box.iterkeys():
        message = box[key]
        message.set_subdir("cur")
        message.add_flag("S")
        box[key] = message
    box.close()


def _parsed(content: bytes) -> EmailMessage:
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert message.defects == []
    return message
