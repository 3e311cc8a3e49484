"""The types a report's parameter can have, each with how strictly its values are read.

A value comes as JSON. Nothing is guessed: no true for 1, no text for a number, no blanks, no digits of other
scripts, no day that is not in the calendar. Decimals may be written as text, since JSON's numbers are not
exact.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from reportbus.core.model import JsonValue

Value: TypeAlias = "str | int | float | bool | Decimal | date | datetime"
"""What a parameter holds once it is read. Timestamps are UTC, without zone."""

_DECIMAL: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,27})(?:\.[0-9]{1,18})?")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIMESTAMP: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})?"
)
_SOME_DATE: Final = re.compile(r"[0-9]{1,4}([./-])[0-9]{1,2}\1[0-9]{1,4}(?:[T ][0-9:.+Z-]{1,24})?")
_DAY: Final = "a day of the calendar as YYYY-MM-DD"
_TIME: Final = "a time as YYYY-MM-DDTHH:MM:SS, with Z or an offset where it is not UTC"
_LARGEST_INTEGER: Final = 2**63 - 1


class WrongType(ValueError):
    """The value is none of the declared type; its text says what is expected, `given` what is there."""

    def __init__(self, expected: str, given: str = "") -> None:
        super().__init__(expected)
        self.given = given


class BeyondLimit(ValueError):
    """The value has the declared type and breaks a limit; its text says which."""


def _text(raw: JsonValue) -> str:
    if type(raw) is not str:
        raise WrongType("text")
    return raw


def _integer(raw: JsonValue) -> int:
    if type(raw) is not int:
        raise WrongType("a whole number")
    if not -_LARGEST_INTEGER <= raw <= _LARGEST_INTEGER:
        raise BeyondLimit("fits in 64 bits")
    return raw


def _number(raw: JsonValue) -> float:
    if type(raw) is not int and type(raw) is not float:
        raise WrongType("a number")
    if isinstance(raw, float) and not math.isfinite(raw):
        raise WrongType("a finite number")
    if abs(raw) > 1e300:  # noqa: PLR2004 - near the end of what a double holds
        raise BeyondLimit("is between -1e300 and 1e300")
    return raw


def _decimal(raw: JsonValue) -> Decimal:
    if type(raw) is str:
        text = raw
    elif type(raw) is int or type(raw) is float:
        text = format(Decimal(repr(raw)), "f")
    else:
        text = ""
    if not _DECIMAL.fullmatch(text):
        raise WrongType(
            "a decimal number such as 12.50, of at most 28 digits before the point and 18 behind it"
        )
    return Decimal(text)


def _boolean(raw: JsonValue) -> bool:
    if type(raw) is not bool:
        raise WrongType("true or false")
    return raw


def _date(raw: JsonValue) -> date:
    if type(raw) is str and _DATE.fullmatch(raw):
        try:
            return date.fromisoformat(raw)
        except ValueError:
            raise WrongType(_DAY, f"there is no day {raw}") from None
    raise WrongType(_DAY, _dated(raw))


def _timestamp(raw: JsonValue) -> datetime:
    if type(raw) is str and _TIMESTAMP.fullmatch(raw):
        try:
            moment = datetime.fromisoformat(raw)
            return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
        except (ValueError, OverflowError):
            raise WrongType(_TIME, f"there is no time {raw}") from None
    raise WrongType(_TIME, _dated(raw))


def _dated(raw: JsonValue) -> str:
    """A value in some other form of a date, which is no secret; nothing of any other one."""
    return f"got {raw}" if isinstance(raw, str) and _SOME_DATE.fullmatch(raw) else ""


TYPES: Final[dict[str, Callable[[JsonValue], Value]]] = {
    "text": _text,
    "integer": _integer,
    "decimal": _decimal,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "timestamp": _timestamp,
}
"""How a value of each type is read; raises WrongType or BeyondLimit."""

ORDERED: Final = frozenset({"integer", "decimal", "number", "date", "timestamp"})
"""The types that can have a minimum and a maximum."""
