"""The statuses of a run and what leads from one to the next."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from reportbus.core.model import Status


class Trigger(StrEnum):
    """What moves a run from one status to the next."""

    STARTED = "a worker takes the report up"
    STAGED = "the report is staged"
    DELIVERED = "every target has it"
    CLOSED = "nothing is left to do"
    GAVE_UP = "refused, out of retries, cancelled or expired"


NEXT: Final[dict[Status, dict[Trigger, Status]]] = {
    Status.PENDING: {Trigger.STARTED: Status.IN_PROGRESS, Trigger.GAVE_UP: Status.FAILED},
    Status.IN_PROGRESS: {Trigger.STAGED: Status.GENERATED, Trigger.GAVE_UP: Status.FAILED},
    Status.GENERATED: {Trigger.DELIVERED: Status.DISTRIBUTED, Trigger.GAVE_UP: Status.FAILED},
    Status.DISTRIBUTED: {Trigger.CLOSED: Status.COMPLETED},
    Status.COMPLETED: {},
    Status.FAILED: {},
}
"""The table.

The diagram of the documentation and the ledger's guard against illegal moves are made from it.
"""

ENTRY_STATUSES: Final = (Status.PENDING, Status.GENERATED)
"""Where a run may begin: the first run at PENDING, a later one also at GENERATED, from staging."""


class IllegalStep(ValueError):
    """A step the table does not have; nothing was changed."""


def next_status(status: Status, trigger: Trigger) -> Status:
    """Where `trigger` leads from `status`. Raises IllegalStep where it leads nowhere."""
    try:
        return NEXT[status][trigger]
    except KeyError:
        msg = f"no way from {status} by {trigger.name}"
        raise IllegalStep(msg) from None
