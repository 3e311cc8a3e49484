"""The hops of a row between worktable and ledger, one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportbus.core.intake import row_to_text
from reportbus.core.redact import Redactor
from reportbus.ports import Batch, Message
from reportbus.stages.accept import Accept
from reportbus.stages.write_back import WriteBack
from reportbus.wiring.rules import intake_rules

if TYPE_CHECKING:
    from entry.command_line import CommandLine
    from reportbus.wiring.parts import Parts


class Messages:
    """A consumer of these messages."""

    def __init__(self, messages: list[Message]) -> None:
        self._messages = tuple(messages)

    def poll(self, limit: int, timeout: float) -> Batch:
        del limit, timeout
        return Batch(self._messages, "")

    def commit(self, batch: Batch) -> None:
        """Nobody asks for them again."""

    def close(self) -> None:
        """Nothing to let go of."""


def published(parts: Parts) -> list[Message]:
    """What a poller puts on the bus."""
    rows = parts.worktable.fetch(100, again=100, published_before=parts.clock.now())
    return [Message(row.ref, row_to_text(row.ref, row.columns, row.distribution)) for row in rows]


def take_in(parts: Parts, messages: list[Message]) -> None:
    """What an orchestrator does with it."""
    accept = Accept(
        consumer=Messages(messages),
        intake=parts.ledger.intake,
        rules=intake_rules(parts.settings, parts.engines),
        clock=parts.clock,
        redactor=Redactor(),
    )
    accept.run_once(0)


def write_back(parts: Parts) -> None:
    """What a notifier does with the answer."""
    WriteBack(operations=parts.ledger.operations, worktable=parts.worktable).run_once()


def run_line(shell: CommandLine) -> None:
    """All rows are taken in, and shown as they stand."""
    with shell.parts() as parts:
        take_in(parts, published(parts))
        write_back(parts)
