"""The parameters of a report: what a request may set, and what the query is given."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, TypeAlias

from reportbus.adapters.engines.python.moments import MOMENTS, NOW, day_of, moment_of
from reportbus.adapters.engines.python.values import TYPES, BeyondLimit, Value, WrongType
from reportbus.core.errors import Problem
from reportbus.core.text import have, kind_of, quoted

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from reportbus.core.model import JsonValue

Given: TypeAlias = "Value | tuple[Value, ...] | None"
"""What the query is given for one parameter; a tuple for a list."""

DEFAULT_MAX_LENGTH: Final = 1_000
DEFAULT_MAX_ITEMS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Parameter:
    """One declared parameter. `default` is as in the file; `minimum`, `maximum`, `allowed` are read values.

    `type` is a key of `values.TYPES`; `many` is set for a list of that type, and the limits then hold for its
    items.
    """

    name: str
    type: str
    many: bool = False
    required: bool = False
    default: JsonValue = None
    allowed: tuple[Value, ...] = ()
    minimum: Value | None = None
    maximum: Value | None = None
    max_length: int = DEFAULT_MAX_LENGTH
    max_items: int = DEFAULT_MAX_ITEMS
    pattern: re.Pattern[str] | None = None
    description: str = ""

    def read(self, raw: JsonValue) -> Given:
        """The value of `raw`. Raises WrongType or BeyondLimit with a sentence about it."""
        if not self.many:
            return self._one(raw, "")
        if not isinstance(raw, list):
            msg = f"has to be a list; got {kind_of(raw)}"
            raise WrongType(msg)
        if len(raw) > self.max_items:
            msg = f"has {len(raw)} items; allowed are {self.max_items}"
            raise BeyondLimit(msg)
        return tuple(self._one(item, f"item {number} ") for number, item in enumerate(raw, 1))

    def given(self, parameters: Mapping[str, JsonValue], requested_at: datetime) -> Given:
        """What the query gets: the request's value, else the default, else nothing."""
        raw = parameters.get(self.name)
        return self.otherwise(requested_at) if raw is None else self.read(raw)

    def otherwise(self, requested_at: datetime) -> Given:
        """What the query gets where the request says nothing."""
        match self.default:
            case None:
                return () if self.many else None
            case str() as name if self.type == "date" and name in MOMENTS:
                return day_of(name, requested_at)
            case str() as name if self.type == "timestamp" and (name == NOW or name in MOMENTS):
                return moment_of(name, requested_at)
            case default:
                return self.read(default)

    def _one(self, raw: JsonValue, which: str) -> Value:
        try:
            value = TYPES[self.type](raw)
        except WrongType as error:
            msg = f"{which}has to be {error}; {error.given or f'got {kind_of(raw)}'}"
            raise WrongType(msg) from None
        except BeyondLimit as error:
            msg = f"{which}has to be a number that {error}"
            raise BeyondLimit(msg) from None
        if fault := self._fault(value):
            raise BeyondLimit(which + fault)
        return value

    def _fault(self, value: Value) -> str:
        if self.allowed and value not in self.allowed:
            return f"has to be one of {', '.join(map(str, self.allowed[:20]))}"
        if self.minimum is not None and value < self.minimum:  # type: ignore[operator]  # both of one ordered type
            return f"has to be at least {self.minimum}"
        if self.maximum is not None and value > self.maximum:  # type: ignore[operator]  # both of one ordered type
            return f"has to be at most {self.maximum}"
        return self._text_fault(value) if type(value) is str else ""

    def _text_fault(self, value: str) -> str:
        if len(value) > self.max_length:
            return f"has {len(value)} characters; allowed are {self.max_length}"
        if self.pattern is not None and not self.pattern.fullmatch(value):
            return f"has to match {self.pattern.pattern}"
        return ""


def faults(declared: Mapping[str, Parameter], parameters: Mapping[str, JsonValue]) -> Sequence[Problem]:
    """Everything wrong with a request's parameters."""
    problems = []
    for name, raw in parameters.items():
        parameter = declared.get(name)
        if parameter is None:
            problems.append(Problem("VAL_PARAM_UNKNOWN", _unknown(name, declared), "PARAMETERS"))
        elif raw is not None:
            try:
                parameter.read(raw)
            except WrongType as error:
                problems.append(
                    Problem("VAL_PARAM_TYPE", f"parameter {name!r} {error}", f"PARAMETERS.{name}")
                )
            except BeyondLimit as error:
                problems.append(
                    Problem("VAL_PARAM_LIMIT", f"parameter {name!r} {error}", f"PARAMETERS.{name}")
                )
    for name, parameter in declared.items():
        if parameter.required and parameters.get(name) is None:
            text = f"parameter {name!r} is required ({parameter.type}{', a list' * parameter.many})"
            problems.append(Problem("VAL_PARAM_MISSING", text, f"PARAMETERS.{name}"))
    return problems


def _unknown(name: str, declared: Mapping[str, Parameter]) -> str:
    near = get_close_matches(name, declared, n=1)
    hint = f"did you mean {near[0]!r}?" if near else have(map(repr, declared))
    return f"no parameter {quoted(name)}; {hint}"
