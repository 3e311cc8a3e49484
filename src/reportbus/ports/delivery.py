"""Destinations take files, channels take notices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from typing import BinaryIO

    from reportbus.core.errors import ReportbusError
    from reportbus.core.model import Artifact, Outcome, Receipt, Request, Target
    from reportbus.ports.clock import Deadline
    from reportbus.ports.verdict import Verdict

Attempt: TypeAlias = "Receipt | ReportbusError"
"""What came of one item of a call that takes several.

The receipt, or the error it would have raised alone.
"""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One file (or several) for one target.

    `delivery_id` is the same for every attempt and run. `open` gives the staged bytes. `possible_duplicate`
    is set where an earlier attempt's outcome is not known, of whatever run: a mail then says so.
    """

    delivery_id: str
    request: Request
    target: Target
    artifacts: tuple[Artifact, ...]
    open: Callable[[Artifact], BinaryIO]
    deadline: Deadline
    possible_duplicate: bool = False


class Destination(Protocol):
    """One configured place that takes files or mails."""

    def deliver(self, deliveries: Sequence[Delivery]) -> Sequence[Attempt]:
        """Deliver each; the answers stand in the same order, and one bad delivery does not spoil the others.

        An error that it raises, rather than answers, says that none of them was begun.
        Files: written under a temporary name, made durable, hashed while they pass against the artifact's
        recorded hash (STG_MISMATCH), verified, then renamed: the final name shows whole files only. A repeat
        that finds the right bytes under the final name does nothing and says `repeated`. Where two requests
        want the same name the newer one's file stays, in whatever order they come, as far as the place can
        tell them apart; the older one then says that it is superseded.
        """

    def test(self) -> Verdict:
        """Whether a delivery would get through; leaves nothing behind."""

    def close(self) -> None:
        """Let go of connections."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What a channel tells: how a request ended. `notice_id` is the same for every attempt.

    `delivered` and `missing` name the targets; `artifacts` the files. No report content, no secret.
    """

    notice_id: str
    request: Request
    to: tuple[str, ...]
    outcome: Outcome
    artifacts: tuple[Artifact, ...]
    at: datetime
    possible_duplicate: bool = False
    delivered: tuple[int, ...] = ()
    missing: tuple[int, ...] = ()


class Channel(Protocol):
    """A way to tell people or systems how a request ended."""

    def send(self, notices: Sequence[Notice]) -> Sequence[Attempt]:
        """Send each; the answers stand in the same order. A repeat carries the same id.

        An error that it raises, rather than answers, says that none of them was begun.
        """

    def test(self) -> Verdict:
        """Whether a notice would get out; nobody is told anything, and nothing is left behind."""

    def close(self) -> None:
        """Let go of connections."""
