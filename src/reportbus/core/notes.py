"""What is written down: the rows to be of the audit log and the error log."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportbus.core.model import JsonValue, Status


class EventType(StrEnum):
    """The EVENT_TYPE of an audit row."""

    STATUS_CHANGE = "STATUS_CHANGE"
    ATTEMPT = "ATTEMPT"
    GENERATION = "GENERATION"
    DISTRIBUTION = "DISTRIBUTION"
    NOTIFICATION = "NOTIFICATION"
    ERROR = "ERROR"
    RETRY = "RETRY"
    CANCEL = "CANCEL"
    IGNORED = "IGNORED"


class Component(StrEnum):
    """The COMPONENT of an audit or error row."""

    POLLER = "POLLER"
    ORCHESTRATOR = "ORCHESTRATOR"
    ENGINE = "ENGINE"
    DISTRIBUTOR = "DISTRIBUTOR"
    NOTIFIER = "NOTIFIER"
    OPERATOR = "OPERATOR"


class Note(NamedTuple):
    """One audit row to be: what happened, the status before and after, and the particulars."""

    type: EventType
    component: Component
    old: Status
    new: Status
    details: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class ErrorNote:
    """One error row to be."""

    code: str
    text: str
    component: Component
    retry_count: int = 0
    retry_eligible: bool = False
    trace: str = ""
