"""What every channel does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from contracts.samples import NOON, artifact, request
from reportbus.core.errors import ReportbusError
from reportbus.core.model import Mail, Outcome, Receipt, Status, Target, TargetType
from reportbus.ports import Notice

if TYPE_CHECKING:
    from collections.abc import Callable

    from reportbus.ports import Attempt, Channel

TARGETS = (
    Target(1, TargetType.NAS, "archive", "in/march", "sales.csv"),
    Target(2, TargetType.EMAIL, "mail", mail=Mail(("cfo@example.com",), "Sales", bcc=("audit@example.com",))),
    Target(3, TargetType.SFTP, "acme", "in", "sales.csv"),
)

COMPLETED = Outcome(Status.COMPLETED)
FAILED = Outcome(Status.FAILED, "DST_PERMISSION", "target 3: writing in/sales.csv: permission denied")


def notice(number: int = 1, outcome: Outcome = COMPLETED, *, possible_duplicate: bool = False) -> Notice:
    """How request `number`, with three targets, ended; the third target is the one that is missing."""
    done = outcome.status is Status.COMPLETED
    return Notice(
        notice_id=f"R-{number}-1-0",
        request=request(number, targets=TARGETS),
        to=("ops@example.com", "ada@example.com"),
        outcome=outcome,
        artifacts=(replace(artifact(b"x" * 10_240, number=number), rows=1234),),
        at=NOON + timedelta(minutes=3),
        possible_duplicate=possible_duplicate,
        delivered=(1, 2, 3) if done else (1, 2),
        missing=() if done else (3,),
    )


def receipt(attempt: Attempt) -> Receipt:
    if isinstance(attempt, ReportbusError):
        raise attempt
    return attempt


class ChannelContract:
    """The subclass has the fixtures `channel` and `told`, which gives each notice that got out, as text."""

    def test_a_notice_tells_which_request_ended_how(
        self, channel: Channel, told: Callable[[], list[str]]
    ) -> None:
        receipt(channel.send([notice()])[0])
        (text,) = told()
        for part in ("R-1", "Monthly sales", "COMPLETED", "sales.csv"):
            assert part in text

    def test_a_notice_of_a_failure_tells_why(self, channel: Channel, told: Callable[[], list[str]]) -> None:
        receipt(channel.send([notice(outcome=FAILED)])[0])
        (text,) = told()
        for part in ("FAILED", "DST_PERMISSION", FAILED.text):
            assert part in text

    def test_several_are_sent_and_answered_in_order(
        self, channel: Channel, told: Callable[[], list[str]]
    ) -> None:
        attempts = channel.send([notice(number) for number in range(1, 31)])
        assert len([receipt(attempt) for attempt in attempts]) == 30
        texts = told()
        assert len(texts) == 30
        assert all(any(f"R-{number}" in text for text in texts) for number in range(1, 31))

    def test_every_attempt_of_a_notice_carries_the_same_id(
        self, channel: Channel, told: Callable[[], list[str]]
    ) -> None:
        first, again = (receipt(channel.send([notice()])[0]) for _ in range(2))
        assert first.location == again.location
        assert len(told()) == (1 if again.repeated else 2)

    def test_a_notice_sent_after_an_unknown_outcome_says_so(
        self, channel: Channel, told: Callable[[], list[str]]
    ) -> None:
        assert receipt(channel.send([notice(possible_duplicate=True)])[0]).possible_duplicate
        plain = receipt(channel.send([notice(2)])[0])
        assert not plain.possible_duplicate
        flagged, other = told()
        assert flagged != other.replace("R-2", "R-1")

    def test_sending_nothing_answers_nothing(self, channel: Channel) -> None:
        assert list(channel.send([])) == []

    def test_a_test_says_yes_and_tells_nobody(self, channel: Channel, told: Callable[[], list[str]]) -> None:
        verdict = channel.test()
        assert verdict.ok, verdict.text
        assert told() == []

    def test_it_may_be_closed_twice(self, channel: Channel) -> None:
        channel.close()
        channel.close()
