"""What may stand between `{{` and `}}` in a template: a name, and filters on its value.

Filters take constant arguments, in order. All of them together keep a value within `MAX_VALUE` characters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import TYPE_CHECKING, Final, NoReturn, TypeAlias
from zoneinfo import ZoneInfo

from reportbus.core.errors import Problem, Refused
from reportbus.core.text import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import UnionType

    from reportbus.core.model import JsonValue

MAX_VALUE: Final = 10_000
"""Characters a value may have before, between and after its filters."""

Step: TypeAlias = "Callable[[JsonValue], JsonValue]"
"""What a filter with its arguments does to a value; raises TemplateFault."""

_DATE_FORMAT: Final = re.compile(r"(?:%[YymdHMSfjbBaAGVu]|[A-Za-z0-9 ._-]){1,100}", re.ASCII)
_ZONE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+/-]{0,63}", re.ASCII)
_LONGEST_DAY: Final = 10  # of ISO 8601's ways to write one; a time takes more
_LONGEST_TIME: Final = 40


class TemplateFault(Exception):
    """A part of a template that cannot be used, or a value that has no text; where stands not in it yet."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(code)
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One `{{ … }}`: the name of a value and what is done to it.

    `optional` is set where the first filter is `default`, `leading` where a file's or folder's name begins.
    """

    name: str
    steps: tuple[Step, ...] = ()
    optional: bool = False
    leading: bool = False

    def text(self, value: JsonValue, field: str) -> str:
        """The value as text, filters applied. Raises Refused (TPL_VALUE, TPL_LIMIT)."""
        try:
            for step in self.steps:
                value = step(value)
            return as_text(value)
        except TemplateFault as error:
            raise Refused(
                [Problem(error.code, f"the value of {quoted(self.name)} {error.text}", field)]
            ) from None


Part: TypeAlias = str | Placeholder
"""A template is a row of these: text as it stands, and placeholders."""


@dataclass(frozen=True, slots=True)
class Filter:
    """How a filter is written and made; of its arguments' `types`, the last `optional` may be left out."""

    usage: str
    make: Callable[..., Step]
    types: tuple[type | UnionType, ...] = ()
    optional: int = 0

    def with_arguments(self, arguments: Sequence[object]) -> Step:
        """The filter for these constants. TemplateFault: TPL_SYNTAX, TPL_FORBIDDEN, TPL_LIMIT, TPL_TZ."""
        fewest = len(self.types) - self.optional
        counted = fewest <= len(arguments) <= len(self.types)
        if not counted or not all(map(isinstance, arguments, self.types)):
            raise TemplateFault("TPL_SYNTAX", f"a filter is used wrongly; write {self.usage}")
        return self.make(*arguments)


def as_text(value: JsonValue) -> str:
    """A value as a template shows it, a list's items joined by "_". TemplateFault: TPL_VALUE, TPL_LIMIT."""
    if isinstance(value, list):
        if any(isinstance(item, list | dict) for item in value):
            raise TemplateFault(
                "TPL_VALUE", "is a list of lists or objects; a list of plain values has a text"
            )
        return _limited("_".join(map(as_text, value[: MAX_VALUE + 1])))
    if isinstance(value, str):
        return _limited(value)
    match value:
        case None:
            raise TemplateFault("TPL_VALUE", 'is null; say what to write then: {{ name | default("…") }}')
        case bool():
            return "true" if value else "false"
        case int() | float() if abs(value) < 10**300:
            return str(value)
        case _:
            raise TemplateFault("TPL_VALUE", "is an object or too large a number; neither has a text")


def _limited(text: str) -> str:
    if len(text) > MAX_VALUE:
        raise TemplateFault("TPL_LIMIT", f"has more than {MAX_VALUE:,} characters")
    return text


def _lower() -> Step:
    return lambda value: as_text(value).lower()


def _upper() -> Step:
    return lambda value: as_text(value).upper()


def _trim() -> Step:
    return lambda value: as_text(value).strip()


def _replace(old: str, new: str) -> Step:
    if not old:
        raise TemplateFault(
            "TPL_FORBIDDEN", "replace needs something to look for; its first argument is empty"
        )
    return lambda value: _limited(as_text(value).replace(old, new))


def _truncate(length: int) -> Step:
    if not 1 <= length <= MAX_VALUE:
        raise TemplateFault("TPL_LIMIT", f"truncate takes a length from 1 to {MAX_VALUE:,}")
    return lambda value: as_text(value)[:length]


def _default(text: str | float, also_empty: bool = False) -> Step:  # noqa: FBT001, FBT002 - as templates write it
    return lambda value: text if value is None or (also_empty and not value) else value


def _date(format_: str, zone_name: str = "UTC") -> Step:
    if not _DATE_FORMAT.fullmatch(format_):
        allowed = "%Y %y %m %d %H %M %S %f %j %b %B %a %A %G %V %u, letters, digits, blanks and . _ -"
        raise TemplateFault(
            "TPL_FORBIDDEN", f"a date format has up to 100 of {allowed}; not {quoted(format_)}"
        )
    zone = _zone(zone_name)
    return lambda value: _moment(value, zone).strftime(format_)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name) if _ZONE.fullmatch(name) else _no_zone(name)
    except (KeyError, ValueError, OSError):  # not there; not a zone's name; a folder of zones
        _no_zone(name)


def _no_zone(name: str) -> NoReturn:
    raise TemplateFault("TPL_TZ", f"there is no time zone {quoted(name)}; write one like Europe/Berlin")


def _moment(value: JsonValue, zone: tzinfo) -> date:
    """A day as it is; a time in `zone`, taken for UTC where it does not say.

    The result is a local time computed from an instant: the gap of a clock change is no question here.
    """
    try:
        if isinstance(value, str) and len(value) <= _LONGEST_TIME:
            time = datetime.fromisoformat(value)
            if len(value) <= _LONGEST_DAY:
                return time
            return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(zone)
    except (ValueError, OverflowError):
        pass
    raise TemplateFault(
        "TPL_VALUE", "is no date or time; the date filter takes text like 2026-11-01 or 2026-11-01T06:30Z"
    )


FILTERS: Final[dict[str, Filter]] = {
    "lower": Filter("lower", _lower),
    "upper": Filter("upper", _upper),
    "trim": Filter("trim", _trim),
    "replace": Filter('replace("old", "new")', _replace, (str, str)),
    "truncate": Filter("truncate(20)", _truncate, (int,)),
    "default": Filter('default("text")', _default, (str | int | float, bool), optional=1),
    "date": Filter('date("%Y-%m-%d", "Europe/Berlin")', _date, (str, str), optional=1),
}
