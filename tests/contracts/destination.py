"""What every destination does: those that take files, and those that send mails."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import pytest

from contracts.crashes import watched
from contracts.samples import NOON, artifact, file_delivery, mail_delivery, staged
from reportbus.core.errors import Permanent, ReportbusError, Transient
from reportbus.core.model import Receipt

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import EmailMessage
    from typing import BinaryIO

    from reportbus.core.model import Artifact
    from reportbus.ports import Attempt, Delivery, Destination

SIZES = (0, 1, 10_240, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 5 << 20)


class Place(Protocol):
    """The folder behind a destination, seen from the partner's side."""

    def files(self) -> dict[str, bytes]:
        """Everything that stands there, by path; temporary files too."""

    def read(self, path: str) -> bytes | None:
        """The bytes of one file; None where there is none."""

    def put(self, path: str, content: bytes) -> None:
        """Write a file, as somebody else might; its folder is there."""


def codes(attempts: object) -> list[str]:
    """The code of each failed attempt, "" for each that succeeded."""
    assert isinstance(attempts, list | tuple)
    return [attempt.code if isinstance(attempt, ReportbusError) else "" for attempt in attempts]


def receipt(attempt: Attempt) -> Receipt:
    if isinstance(attempt, ReportbusError):
        raise attempt
    return attempt


class FileDestinationContract:
    """The subclass has the fixtures `destination` and `place`; the folder `in/march` exists."""

    @pytest.mark.parametrize("size", SIZES)
    def test_a_file_arrives_whole_under_its_final_name(
        self, destination: Destination, place: Place, size: int
    ) -> None:
        content = (b"0123456789abcdef" * (size // 16 + 1))[:size]
        delivery = file_delivery(content, path="in/march")
        made = receipt(destination.deliver([delivery])[0])
        assert place.files() == {"in/march/sales.csv": content}
        assert (made.size, made.sha256) == (size, delivery.artifacts[0].sha256)
        assert (made.verified, made.repeated) == ("hash", False)
        assert made.location.endswith("in/march/sales.csv")

    def test_several_are_answered_in_order_and_one_bad_one_does_not_spoil_the_others(
        self, destination: Destination, place: Place
    ) -> None:
        deliveries = [
            file_delivery(b"one", number=1, path="in/march", name="1.csv"),
            file_delivery(b"two", number=2, path="in/march", name="2.csv", stands=b"TWO"),
            file_delivery(b"three", number=3, name="3.csv"),
            file_delivery(b"four", number=4, path="../outside", name="4.csv"),
        ]
        assert codes(destination.deliver(deliveries)) == ["", "STG_MISMATCH", "", "SEC_PATH"]
        assert place.files() == {"in/march/1.csv": b"one", "3.csv": b"three"}

    def test_a_repeated_delivery_is_recognised_and_does_nothing(
        self, destination: Destination, place: Place
    ) -> None:
        delivery = file_delivery(b"bytes", path="in/march")
        first = receipt(destination.deliver([delivery])[0])
        again = receipt(destination.deliver([replace(delivery, open=nothing_is_staged)])[0])
        assert again == replace(first, repeated=True)
        assert place.files() == {"in/march/sales.csv": b"bytes"}

    @pytest.mark.parametrize("stands", [b"", b"byte", b"bytes!", b"BYTES", b"bytes" * 100_000])
    def test_bytes_that_are_not_the_recorded_ones_are_not_delivered(
        self, destination: Destination, place: Place, stands: bytes
    ) -> None:
        attempts = destination.deliver([file_delivery(b"bytes", path="in/march", stands=stands)])
        assert codes(attempts) == ["STG_MISMATCH"]
        assert isinstance(attempts[0], Permanent)
        assert place.files() == {}

    def test_a_staged_file_that_is_gone_is_told_as_it_is(
        self, destination: Destination, place: Place
    ) -> None:
        delivery = replace(file_delivery(b"bytes"), open=nothing_is_staged)
        assert codes(destination.deliver([delivery])) == ["STG_MISSING"]
        assert place.files() == {}

    def test_other_content_under_the_name_is_replaced(self, destination: Destination, place: Place) -> None:
        for old in (b"older", b"older and longer", b""):
            place.put("in/march/sales.csv", old)
            made = receipt(destination.deliver([file_delivery(b"newer", path="in/march")])[0])
            assert place.files() == {"in/march/sales.csv": b"newer"}
            assert not made.repeated

    def test_whoever_looks_sees_whole_files_only(self, destination: Destination, place: Place) -> None:
        contents = [bytes([letter]) * 300_000 for letter in b"abcdefgh"]
        with watched(lambda: place.read("in/march/sales.csv")) as seen:
            for number, content in enumerate(contents):
                receipt(destination.deliver([file_delivery(content, number=number, path="in/march")])[0])
        assert seen <= {None, *contents}

    def test_of_two_requests_for_one_name_the_newer_gets_it(
        self, destination: Destination, place: Place
    ) -> None:
        older = file_delivery(b"older", number=1, at=NOON)
        newer = file_delivery(b"newer", number=2, at=NOON + timedelta(minutes=1))
        assert codes(destination.deliver([newer, older])) == ["", ""]
        assert place.files() == {"sales.csv": b"newer"}

    def test_several_files_of_one_delivery_arrive_under_their_own_names(
        self, destination: Destination, place: Place
    ) -> None:
        made = receipt(destination.deliver([several(b"one", b"two")])[0])
        assert place.files() == {"in/march/0.csv": b"one", "in/march/1.csv": b"two"}
        assert made.size == 6

    def test_where_one_file_of_a_delivery_is_bad_none_of_them_is_seen(
        self, destination: Destination, place: Place
    ) -> None:
        delivery = several(b"one", b"two", b"three")
        held = {
            each.key: content
            for each, content in zip(delivery.artifacts, (b"one", b"TWO", b"three"), strict=True)
        }
        attempts = destination.deliver([replace(delivery, open=lambda each: staged(held, each))])
        assert codes(attempts) == ["STG_MISMATCH"]
        assert place.files() == {}

    def test_a_delivery_that_is_half_there_is_completed(self, destination: Destination, place: Place) -> None:
        place.put("in/march/0.csv", b"one")
        made = receipt(destination.deliver([several(b"one", b"two")])[0])
        assert place.files() == {"in/march/0.csv": b"one", "in/march/1.csv": b"two"}
        assert not made.repeated

    def test_two_files_of_one_delivery_cannot_have_one_name(
        self, destination: Destination, place: Place
    ) -> None:
        delivery = several(b"one", b"two")
        twins = tuple(replace(each, file_name="same.csv") for each in delivery.artifacts)
        assert codes(destination.deliver([replace(delivery, artifacts=twins)])) == ["CFG_NAME_COLLISION"]
        assert place.files() == {}

    @pytest.mark.parametrize(
        "path", ["..", "../x", "/etc", "in/../../x", "in/./march", "in//march", "in/march/", "in\0/march"]
    )
    def test_no_path_leads_out_of_the_root(self, destination: Destination, place: Place, path: str) -> None:
        assert codes(destination.deliver([file_delivery(b"bytes", path=path)])) == ["SEC_PATH"]
        assert place.files() == {}

    @pytest.mark.parametrize("name", ["..", ".", "../sales.csv", "/etc/passwd", "in/sales.csv", "a\0b"])
    def test_no_name_leads_out_of_its_folder(self, destination: Destination, place: Place, name: str) -> None:
        assert codes(destination.deliver([file_delivery(b"bytes", name=name)])) == ["SEC_PATH"]
        assert place.files() == {}

    def test_a_delivery_out_of_time_is_broken_off(self, destination: Destination, place: Place) -> None:
        attempts = destination.deliver(
            [file_delivery(b"bytes", seconds=0), file_delivery(b"in time", name="b.csv")]
        )
        assert codes(attempts) == ["ConnectionTimeout", ""]
        assert isinstance(attempts[0], Transient)
        assert place.files() == {"b.csv": b"in time"}

    def test_attempts_that_run_at_the_same_time_do_not_harm_each_other(
        self, destination: Destination, place: Place
    ) -> None:
        """A worker that was thought dead goes on beside its successor."""
        content = b"0123456789abcdef" * 8192
        with ThreadPoolExecutor(4) as pool, watched(lambda: place.read("in/march/sales.csv")) as seen:
            runs = [
                pool.submit(destination.deliver, [file_delivery(content, path="in/march")]) for _ in range(24)
            ]
            attempts = [run.result(30)[0] for run in runs]
        assert seen <= {None, content}
        assert place.files() == {"in/march/sales.csv": content}
        assert "" in codes(attempts)
        assert all(isinstance(attempt, Receipt | Transient) for attempt in attempts)

    def test_delivering_nothing_answers_nothing(self, destination: Destination) -> None:
        assert list(destination.deliver([])) == []

    def test_a_test_says_yes_and_leaves_nothing_behind(self, destination: Destination, place: Place) -> None:
        verdict = destination.test()
        assert verdict.ok, verdict.text
        assert place.files() == {}

    def test_it_may_be_closed_twice(self, destination: Destination) -> None:
        destination.close()
        destination.close()


class MailDestinationContract:
    """The subclass has the fixtures `destination`, which takes mails of 1,000,000 bytes, and `mailbox`."""

    def test_a_mail_arrives_with_the_report_attached(
        self, destination: Destination, mailbox: Callable[[], list[EmailMessage]]
    ) -> None:
        content = bytes(range(256)) * 40
        made = receipt(destination.deliver([mail_delivery(content)])[0])
        (mail,) = mailbox()
        (attached,) = mail.iter_attachments()
        body = mail.get_body()
        assert body is not None
        assert attached.get_payload(decode=True) == content
        assert (attached.get_filename(), attached.get_content_type()) == ("sales.csv", "text/csv")
        assert (mail["To"], mail["Cc"]) == ("cfo@example.com, ceo@example.com", "ops@example.com")
        assert (mail["Subject"], body.get_content().strip()) == ("Sales in März", "Good morning")
        assert made.location == mail["Message-ID"]
        assert (made.size, made.repeated, made.possible_duplicate) == (len(content), False, False)

    def test_a_repeated_mail_is_recognised_and_not_sent_again(
        self, destination: Destination, mailbox: Callable[[], list[EmailMessage]]
    ) -> None:
        first = receipt(destination.deliver([mail_delivery(b"bytes")])[0])
        again = receipt(destination.deliver([replace(mail_delivery(b"bytes"), open=nothing_is_staged)])[0])
        assert again.repeated
        assert again.location == first.location
        assert len(mailbox()) == 1

    def test_of_a_repeated_mail_no_more_is_claimed_than_was_looked_at(
        self, destination: Destination, mailbox: Callable[[], list[EmailMessage]]
    ) -> None:
        """The report was made anew meanwhile: the mail that is there holds other bytes."""
        destination.deliver([mail_delivery(b"bytes of the first run")])
        again = receipt(destination.deliver([mail_delivery(b"others")])[0])
        assert (again.verified, again.size, again.sha256) == ("name", 0, "")

    def test_several_are_answered_in_order_and_one_bad_one_does_not_spoil_the_others(
        self, destination: Destination, mailbox: Callable[[], list[EmailMessage]]
    ) -> None:
        deliveries = [
            mail_delivery(b"one", number=1),
            mail_delivery(b"two", number=2, stands=b"TWO"),
            mail_delivery(b"three", number=3),
        ]
        attempts = destination.deliver(deliveries)
        assert codes(attempts) == ["", "STG_MISMATCH", ""]
        sent = [receipt(attempts[0]).location, receipt(attempts[2]).location]
        assert sorted(mail["Message-ID"] for mail in mailbox()) == sorted(sent)

    def test_a_mail_that_would_be_too_large_is_refused_before_anything_is_read(
        self, destination: Destination, mailbox: Callable[[], list[EmailMessage]]
    ) -> None:
        """Base64 makes it a third larger: 740,000 bytes do not fit into a mail of 1,000,000."""
        delivery = mail_delivery(b"x" * 740_000)
        assert codes(destination.deliver([replace(delivery, open=nothing_is_staged)])) == [
            "DST_MAIL_TOO_LARGE"
        ]
        assert mailbox() == []

    def test_a_mail_sent_after_an_unknown_outcome_says_so(
        self, destination: Destination, mailbox: Callable[[], list[EmailMessage]]
    ) -> None:
        made = receipt(destination.deliver([mail_delivery(b"bytes", possible_duplicate=True)])[0])
        body = mailbox()[0].get_body()
        assert body is not None
        assert "you may have it twice" in body.get_content()
        assert made.possible_duplicate

    def test_a_target_without_recipients_is_no_mail(
        self, destination: Destination, mailbox: Callable[[], list[EmailMessage]]
    ) -> None:
        assert codes(destination.deliver([file_delivery(b"bytes")])) == ["CFG_TARGET_TYPE"]
        assert mailbox() == []

    def test_a_test_says_yes_and_sends_nothing(
        self, destination: Destination, mailbox: Callable[[], list[EmailMessage]]
    ) -> None:
        verdict = destination.test()
        assert verdict.ok, verdict.text
        assert mailbox() == []

    def test_it_may_be_closed_twice(self, destination: Destination) -> None:
        destination.close()
        destination.close()


def nothing_is_staged(file: Artifact) -> BinaryIO:
    """What staging answers when it has lost everything."""
    raise Permanent("STG_MISSING", "nothing is staged")


def several(*contents: bytes) -> Delivery:
    """One delivery of so many files: 0.csv, 1.csv and so on."""
    files = tuple(artifact(content, name=f"{number}.csv") for number, content in enumerate(contents))
    held = {each.key: content for each, content in zip(files, contents, strict=True)}
    delivery = file_delivery(b"", path="in/march", name="")
    return replace(delivery, artifacts=files, open=lambda each: staged(held, each))
