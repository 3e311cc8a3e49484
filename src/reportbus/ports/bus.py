"""Named streams of messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


class Message(NamedTuple):
    """What is put on the bus: `body` is UTF-8 text of at most 256 KiB; `key` keeps equal things together."""

    key: str
    body: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages taken by one consumer, to be committed together. `token` is the adapter's own."""

    messages: tuple[Message, ...]
    token: str


class Consumer(Protocol):
    """One member of a consumer group; used by one thread at a time."""

    def poll(self, limit: int, timeout: float) -> Batch:
        """Up to `limit` messages that nobody else of the group holds.

        The batch is empty when none came in `timeout` seconds.
        At least once: what is not committed is handed out again, to this member or another, after the bus's
        limit, at once when the member is closed or its process is gone.
        """

    def commit(self, batch: Batch) -> None:
        """Done with these messages, for good. Committing twice, or too late, is harmless."""

    def close(self) -> None:
        """Leave the group; uncommitted messages go to the others."""


class Bus(Protocol):
    """Named streams of messages.

    It may lose, double or reorder: the ledger and the sweep make up for that.
    """

    def publish(self, topic: str, messages: Sequence[Message]) -> None:
        """Add messages to the stream, all or none; when it returns they can be polled."""

    def subscribe(self, topic: str, group: str) -> Consumer:
        """A new member of the group. A new group starts at the oldest message kept."""

    def depth(self, topic: str, group: str) -> int:
        """How many messages the group has not committed yet."""

    def trim(self, topic: str, before: datetime) -> int:
        """Drop messages published before that time which every group has committed; how many."""

    def close(self) -> None:
        """Let go of the bus."""
