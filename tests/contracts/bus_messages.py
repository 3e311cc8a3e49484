"""Messages, and ways to take them, that the suites of the bus share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportbus.ports import Message

if TYPE_CHECKING:
    from reportbus.ports import Batch, Consumer

TOPIC = "report-requests"
GROUP = "orchestrator"
WAIT_SECONDS = 20
MAX_BODY = 262_144


def messages(*keys: str) -> list[Message]:
    return [Message(key, f"body of {key}") for key in keys]


def numbered(count: int) -> list[Message]:
    return messages(*(f"{number:04}" for number in range(count)))


def keys(batch: Batch) -> list[str]:
    return [message.key for message in batch.messages]


def take(consumer: Consumer, limit: int = 500) -> list[str]:
    """What is there now, committed."""
    batch = consumer.poll(limit, 0)
    consumer.commit(batch)
    return keys(batch)


def drain(consumer: Consumer, limit: int = 500) -> list[str]:
    """All that comes, committed, until nothing comes for a while."""
    found: list[str] = []
    while True:
        batch = consumer.poll(limit, 0.3)
        if not batch.messages:
            return found
        consumer.commit(batch)
        found += keys(batch)
