"""How a report's definition declares a parameter."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reportbus.adapters.engines.python.moments import MOMENTS, NOW
from reportbus.adapters.engines.python.parameters import DEFAULT_MAX_ITEMS, DEFAULT_MAX_LENGTH, Parameter
from reportbus.adapters.engines.python.pattern import bounded
from reportbus.adapters.engines.python.values import ORDERED, TYPES, BeyondLimit, Value, WrongType

if TYPE_CHECKING:
    import re

    from reportbus.adapters.engines.python.fields import Fields
    from reportbus.core.model import JsonValue

_MOST_LENGTH: Final = 100_000
_MOST_ITEMS: Final = 10_000


def read_parameter(name: str, fields: Fields) -> Parameter:
    """One entry of `parameters`; what is wrong with it is noted in `fields`."""
    type_ = fields.choice("type", tuple(TYPES), "text", required=True)
    parameter = Parameter(
        name=name,
        type=type_,
        many=fields.flag("list", default=False),
        required=fields.flag("required", default=False),
        default=fields.raw("default"),
        allowed=_allowed(type_, fields),
        minimum=_limit(type_, fields, "minimum"),
        maximum=_limit(type_, fields, "maximum"),
        max_length=fields.integer("max_length", DEFAULT_MAX_LENGTH, least=1, most=_MOST_LENGTH),
        max_items=fields.integer("max_items", DEFAULT_MAX_ITEMS, least=1, most=_MOST_ITEMS),
        pattern=_pattern(type_, fields),
        description=fields.text("description"),
    )
    fields.done()
    _check_default(parameter, fields)
    return parameter


def _read(type_: str, raw: JsonValue, fields: Fields, key: str) -> Value | None:
    try:
        return TYPES[type_](raw)
    except WrongType as error:
        fields.note("CFG_TYPE", f"has to be {error}", key)
    except BeyondLimit as error:
        fields.note("CFG_RANGE", f"has to be a number that {error}", key)
    return None


def _allowed(type_: str, fields: Fields) -> tuple[Value, ...]:
    raw = fields.raw("allowed")
    if raw is None:
        return ()
    if not isinstance(raw, list) or not raw:
        fields.note("CFG_TYPE", "has to be a list of values", "allowed")
        return ()
    values = (_read(type_, item, fields, f"allowed[{number}]") for number, item in enumerate(raw))
    return tuple(value for value in values if value is not None)


def _limit(type_: str, fields: Fields, key: str) -> Value | None:
    raw = fields.raw(key)
    if raw is None:
        return None
    if type_ not in ORDERED:
        fields.note("CFG_CHOICE", f"a {type_} has no {key}; {', '.join(sorted(ORDERED))} have", key)
        return None
    return _read(type_, raw, fields, key)


def _pattern(type_: str, fields: Fields) -> re.Pattern[str] | None:
    text = fields.text("pattern")
    if not text:
        return None
    if type_ != "text":
        fields.note("CFG_CHOICE", f"a {type_} has no pattern; text has", "pattern")
        return None
    try:
        return bounded(text)
    except ValueError as error:
        fields.note("CFG_RANGE", str(error), "pattern")
        return None


def _check_default(parameter: Parameter, fields: Fields) -> None:
    """A default has to be what a request could ask for; names such as `today` are good for dates."""
    default = parameter.default
    if default is None:
        return
    if parameter.required:
        fields.note("CFG_INCONSISTENT", "is required, so its default would never be used", "default")
    if parameter.type in {"date", "timestamp"} and isinstance(default, str):
        names = {*MOMENTS, NOW} if parameter.type == "timestamp" else set(MOMENTS)
        if default in names:
            if parameter.many:
                fields.note("CFG_TYPE", "has to be a list", "default")
            return
    try:
        replace(parameter, default=None).read(default)
    except (WrongType, BeyondLimit) as error:
        fields.note("CFG_RANGE", str(error), "default")
