"""What is shown, as JSON has it: the field names of the views, times in UTC with a Z."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reportbus.core.model import JsonValue


def plain(value: object) -> JsonValue:
    """The value as JSON: objects by their fields, times as ISO-8601, sets in order, anything else as text."""
    if is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    elif isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()
    match value:
        case None | bool() | int() | float() | str():
            return value
        case datetime():
            return utc(value)
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case AbstractSet():
            return sorted((plain(item) for item in value), key=str)
        case Iterable():
            return [plain(item) for item in value]
        case _:
            return str(value)


def utc(at: datetime, timespec: str = "microseconds") -> str:
    """The moment in UTC: 2026-11-01T06:30:00.000000Z."""
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=timespec)}Z"
