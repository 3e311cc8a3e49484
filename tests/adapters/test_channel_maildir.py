from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from contracts.channel import FAILED, TARGETS, ChannelContract, notice, receipt
from contracts.mailboxes import mails_in, mark_read
from reportbus.adapters.channels.maildir import MaildirChannel
from reportbus.adapters.channels.notice_text import notice_subject, notice_text
from reportbus.core.codes import CODES
from reportbus.core.model import Outcome, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import EmailMessage
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "mail"


@pytest.fixture
def channel(folder: Path) -> Iterator[MaildirChannel]:
    opened = MaildirChannel(str(folder), "reports@example.com")
    yield opened
    opened.close()


@pytest.fixture
def told(folder: Path) -> Callable[[], list[str]]:
    return lambda: [f"{mail['Subject']}\n{text_of(mail)}" for mail in mails_in(folder)]


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body()
    assert body is not None
    return str(body.get_content())


class TestMaildirChannel(ChannelContract):
    pass


def test_a_notice_is_one_plain_mail_to_all(channel: MaildirChannel, folder: Path) -> None:
    made = receipt(channel.send([notice()])[0])
    (mail,) = mails_in(folder)
    assert (mail["From"], mail["To"]) == ("reports@example.com", "ops@example.com, ada@example.com")
    assert mail["Message-ID"] == made.location == "<notice-R-1-1-0@example.com>"
    assert mail["Date"].datetime == notice().at
    assert mail.get_content_type() == "text/plain"


def test_a_repeated_notice_is_recognised_though_it_was_read(channel: MaildirChannel, folder: Path) -> None:
    channel.send([notice()])
    mark_read(folder)
    assert receipt(channel.send([notice()])[0]).repeated
    assert len(mails_in(folder)) == 1


def test_the_text_of_a_completed_request_says_what_and_when() -> None:
    assert notice_subject(notice()) == "Report Monthly sales is ready"
    assert notice_text(notice()) == (
        'The report "Monthly sales" is ready.\n'
        "\n"
        "Request:   R-1\n"
        "Report:    Monthly sales (PYTHON, CSV)\n"
        "Asked for: 2026-01-01 12:00:00 UTC by ada\n"
        "Ended:     2026-01-01 12:03:00 UTC, COMPLETED\n"
        "\n"
        "Files:\n"
        "  sales.csv (CSV, 10,240 bytes, 1,234 rows)\n"
        "\n"
        "Delivered:\n"
        "  1. NAS archive: in/march/sales.csv\n"
        "  2. mail to 2 recipients\n"
        "  3. SFTP acme: in/sales.csv\n"
    )


def test_the_text_of_a_failed_request_says_why_and_what_to_do() -> None:
    failed = notice(outcome=FAILED)
    assert notice_subject(failed) == "Report Monthly sales failed: 2 of 3 delivered"
    text = notice_text(failed)
    assert "\nNot delivered:\n  3. SFTP acme: in/sales.csv\n" in text
    assert f"\nWhy:\n  {FAILED.text}\n  Code DST_PERMISSION: {CODES['DST_PERMISSION'].meaning}\n" in text
    assert f"\nWhat to do:\n  {CODES['DST_PERMISSION'].remedy}\n" in text
    assert "  reportbus request retry R-1   (delivers only what is missing)\n" in text


def test_a_request_that_is_wrong_in_itself_is_not_to_be_retried() -> None:
    """It never changes: the requester has to send another."""
    refused = replace(
        notice(outcome=Outcome(Status.FAILED, "VAL_REPORT_NAME", "REPORT_NAME: is empty")),
        delivered=(),
        missing=(),
        artifacts=(),
    )
    assert notice_subject(refused) == "Report Monthly sales failed: VAL_REPORT_NAME"
    assert "request retry" not in notice_text(refused)
    assert CODES["VAL_REPORT_NAME"].remedy in notice_text(refused)


def test_the_text_names_no_recipient_of_a_report() -> None:
    text = notice_text(notice())
    assert TARGETS[1].mail is not None
    for address in (*TARGETS[1].mail.to, *TARGETS[1].mail.bcc):
        assert address not in text


def test_a_code_nobody_knows_is_told_as_it_is() -> None:
    text = notice_text(notice(outcome=Outcome(Status.FAILED, "XYZ_NEW", "something new")))
    assert "something new" in text
    assert "XYZ_NEW" in text


def test_a_test_makes_nothing_and_tells_what_to_mend(channel: MaildirChannel, folder: Path) -> None:
    assert channel.test().ok
    assert not folder.exists()
    folder.write_bytes(b"a file")
    assert "DST_NO_FOLDER" in channel.test().text
