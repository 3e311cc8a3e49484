from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from signal import SIGKILL
from typing import TYPE_CHECKING

import pytest

from adapters import folder_writers
from contracts.crashes import run_script, watched
from contracts.destination import MailDestinationContract, codes, nothing_is_staged, receipt
from contracts.mailboxes import mails_in, mark_read
from contracts.samples import mail_delivery
from contracts.syncs import WatchedSync, failing
from reportbus.adapters.clock import ManualClock
from reportbus.adapters.destinations.maildir import MaildirDestination, MaildirOptions
from reportbus.adapters.durable_files import FAILPOINTS, SeparateSync, file_sync

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import EmailMessage

    from reportbus.adapters.durable_files import SyncMaker

SCRIPT = Path(folder_writers.__file__)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "mail"


@pytest.fixture
def options(folder: Path) -> MaildirOptions:
    return MaildirOptions(str(folder), "reports@example.com", size_limit=1_000_000)


@pytest.fixture
def sync() -> SyncMaker:
    return file_sync


@pytest.fixture
def destination(options: MaildirOptions, sync: SyncMaker) -> Iterator[MaildirDestination]:
    opened = MaildirDestination(options, ManualClock(), sync=sync)
    yield opened
    opened.close()


@pytest.fixture
def mailbox(folder: Path) -> Callable[[], list[EmailMessage]]:
    return lambda: mails_in(folder)


class TestMaildirDestination(MailDestinationContract):
    pass


class TestMaildirDestinationSyncedFileByFile(MailDestinationContract):
    @pytest.fixture
    def sync(self) -> SyncMaker:
        return lambda _: SeparateSync()


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_mail_is_a_file_named_after_its_delivery(destination: MaildirDestination, folder: Path) -> None:
    made = receipt(destination.deliver([mail_delivery(b"bytes")])[0])
    assert files(folder) == ["new/delivery-R-1-1"]
    assert made.location == "<delivery-R-1-1@example.com>"


def test_a_mail_has_its_sender_and_the_time_it_was_made(
    destination: MaildirDestination, folder: Path
) -> None:
    destination.deliver([mail_delivery(b"bytes")])
    (mail,) = mails_in(folder)
    assert mail["From"] == "reports@example.com"
    assert mail["Date"].datetime == datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_hidden_recipients_stay_hidden(destination: MaildirDestination, folder: Path) -> None:
    delivery = mail_delivery(b"bytes")
    assert delivery.target.mail is not None
    hidden = replace(delivery.target.mail, bcc=("audit@example.com",))
    destination.deliver([replace(delivery, target=replace(delivery.target, mail=hidden))])
    assert b"audit@example.com" not in (folder / "new" / "delivery-R-1-1").read_bytes()


def test_a_mail_without_a_text_says_what_is_attached(destination: MaildirDestination, folder: Path) -> None:
    delivery = mail_delivery(b"bytes")
    assert delivery.target.mail is not None
    wordless = replace(delivery.target, mail=replace(delivery.target.mail, body=""))
    destination.deliver([replace(delivery, target=wordless)])
    body = mails_in(folder)[0].get_body()
    assert body is not None
    assert 'The report "Monthly sales" is attached: sales.csv' in body.get_content()


def test_a_mail_that_was_read_meanwhile_is_recognised(
    destination: MaildirDestination, options: MaildirOptions, folder: Path
) -> None:
    """By the process that sent it and by one that starts afterwards."""
    destination.deliver([mail_delivery(b"bytes")])
    mark_read(folder)
    assert files(folder) == ["cur/delivery-R-1-1:2,S"]
    for each in (destination, MaildirDestination(options, ManualClock())):
        assert receipt(each.deliver([mail_delivery(b"bytes")])[0]).repeated
    assert len(mails_in(folder)) == 1


def test_a_mail_is_recognised_however_long_ago_it_was_read(
    destination: MaildirDestination, folder: Path
) -> None:
    """What `cur` holds is only remembered once its time has settled; later changes are seen."""
    for number in range(1, 4):
        destination.deliver([mail_delivery(b"bytes", number=number)])
        mark_read(folder)
        os.utime(folder / "cur", (number * 1000, number * 1000))
        assert receipt(destination.deliver([mail_delivery(b"bytes", number=number)])[0]).repeated
    assert len(mails_in(folder)) == 3


def test_a_mail_read_within_one_tick_of_the_filesystems_clock_is_recognised(
    destination: MaildirDestination, folder: Path
) -> None:
    """The time of `cur` need not change with its content; what was listed a moment ago is not believed."""
    destination.deliver([mail_delivery(b"bytes", number=1)])
    mark_read(folder)
    destination.deliver([mail_delivery(b"bytes", number=1)])
    tick = (folder / "cur").stat().st_mtime_ns
    destination.deliver([mail_delivery(b"bytes", number=2)])
    mark_read(folder)
    os.utime(folder / "cur", ns=(tick, tick))
    assert receipt(destination.deliver([mail_delivery(b"bytes", number=2)])[0]).repeated


def test_the_same_mail_twice_in_one_call_is_one_mail(destination: MaildirDestination, folder: Path) -> None:
    attempts = destination.deliver([mail_delivery(b"bytes"), mail_delivery(b"bytes")])
    assert [receipt(attempt).repeated for attempt in attempts] == [False, True]
    assert files(folder) == ["new/delivery-R-1-1"]


@pytest.mark.parametrize("point", FAILPOINTS)
def test_a_process_killed_while_it_sends_leads_to_one_mail(
    point: str, folder: Path, options: MaildirOptions
) -> None:
    """The next attempt recognises or repeats, and removes what was left; nobody sees a part of a mail."""
    with watched(lambda: frozenset(path.stat().st_size for path in (folder / "new").glob("*"))) as seen:
        assert run_script(SCRIPT, "mail", str(folder), point) == -SIGKILL
        destination = MaildirDestination(options, ManualClock())
        made = receipt(destination.deliver([mail_delivery(folder_writers.CONTENT)])[0])
    assert made.repeated == (point in {"renamed", "settled"})
    assert files(folder) == ["new/delivery-R-1-1"]
    assert seen <= {frozenset(), frozenset({(folder / "new/delivery-R-1-1").stat().st_size})}


def test_the_bytes_are_synced_before_their_name_and_the_name_before_the_answer(
    options: MaildirOptions, folder: Path
) -> None:
    names: list[list[str]] = []
    sync = WatchedSync(lambda _: names.append(files(folder)))
    MaildirDestination(options, ManualClock(), sync=sync).deliver([mail_delivery(b"bytes")])
    temporary, final = names
    assert [name.split("/")[0] for name in temporary] == ["tmp"]
    assert final == ["new/delivery-R-1-1"]


def test_what_could_not_be_synced_is_not_sent_and_leaves_nothing(
    options: MaildirOptions, folder: Path
) -> None:
    destination = MaildirDestination(options, ManualClock(), sync=failing(1))
    assert codes(destination.deliver([mail_delivery(b"bytes")])) == ["TemporaryFailure"]
    assert files(folder) == []


def test_what_may_lose_its_name_again_is_not_acknowledged(options: MaildirOptions) -> None:
    destination = MaildirDestination(options, ManualClock(), sync=failing(2))
    assert codes(destination.deliver([mail_delivery(b"bytes")])) == ["TemporaryFailure"]
    assert receipt(destination.deliver([mail_delivery(b"bytes")])[0]).repeated


def test_what_broken_off_attempts_left_goes_with_the_next_one_or_with_age(
    destination: MaildirDestination, folder: Path
) -> None:
    (folder / "tmp").mkdir(parents=True)
    mine, others, old = (
        folder / "tmp" / name for name in ("delivery-R-1-1~aa1", "delivery-R-2-1~aa1", "somebody-else")
    )
    for path in (mine, others, old):
        path.write_bytes(b"half")
    os.utime(old, (1, 1))
    destination.deliver([mail_delivery(b"bytes")])
    assert [path.exists() for path in (mine, others, old)] == [False, True, False]


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    destination = MaildirDestination(MaildirOptions(str(tmp_path / "file"), "a@example.com"), ManualClock())
    assert codes(destination.deliver([mail_delivery(b"bytes")])) == ["DST_NO_FOLDER"]
    assert not destination.test().ok


def test_an_id_that_is_no_plain_name_is_no_danger(destination: MaildirDestination, folder: Path) -> None:
    delivery = replace(mail_delivery(b"bytes"), delivery_id="../../x/\0é\ud800")
    first = receipt(destination.deliver([delivery])[0])
    assert receipt(destination.deliver([replace(delivery, open=nothing_is_staged)])[0]).repeated
    assert [mail["Message-ID"] for mail in mails_in(folder)] == [first.location]
