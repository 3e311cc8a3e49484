"""Options that are numbers, each in a range."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeVar

from reportbus.config.kinds import WITH_VARIABLE, Bases, Kind, scalar
from reportbus.config.nodes import Node, Style
from reportbus.config.problems import unfit
from reportbus.core.text import quoted

if TYPE_CHECKING:
    from reportbus.core.model import JsonValue

_WHOLE: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_NUMBER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")

N = TypeVar("N", int, float)


def plain(number: float) -> str:
    """A number without a needless fraction."""
    return str(int(number)) if number == int(number) else str(number)


class _Ranged(Kind[N]):
    """A number from `minimum` to `maximum`, both included; without the lower one where `above` is set."""

    schema_type: str

    def __init__(self, minimum: N, maximum: N, unit: str = "", *, above: bool = False) -> None:
        start = f"more than {plain(minimum)}, up to" if above else f"{plain(minimum)} to"
        self.unit = unit
        self.allowed = f"{start} {plain(maximum)} {unit}".rstrip()
        self._minimum: float = minimum
        self._maximum: float = maximum
        self._above = above

    def schema(self) -> dict[str, JsonValue]:
        low = "exclusiveMinimum" if self._above else "minimum"
        number: dict[str, JsonValue] = {
            "type": self.schema_type,
            low: self._minimum,
            "maximum": self._maximum,
        }
        return {"anyOf": [number, {"type": "string", "pattern": WITH_VARIABLE}]}

    def shown(self, value: N) -> str:
        return plain(value)

    def data(self, value: N) -> JsonValue:
        return int(value) if value == int(value) else value

    def _number(self, node: Node) -> float:
        """The number given, in the range; it may still have a fraction."""
        value = scalar(node, f"a {self.name}, {self.allowed}")
        number = _NUMBER.fullmatch(value.text) is not None
        if value.style is Style.QUOTED and number:
            fault = f"{quoted(value.shown)} is text; takes a {self.name} without quotes, {self.allowed}"
            raise unfit("CFG_RANGE", fault)
        if value.style is Style.QUOTED or not number:
            raise unfit("CFG_TYPE", self._other(value.shown))
        found = float(value.text)
        if found < self._minimum or found > self._maximum or (self._above and found == self._minimum):
            raise unfit("CFG_RANGE", f"{quoted(value.shown)} is out of range; allowed: {self.allowed}")
        return found

    def _other(self, shown: str) -> str:
        return f"{quoted(shown)} is not a {self.name}; allowed: {self.allowed}"


class Number(_Ranged[float]):
    """A number in a range."""

    name = "number"
    schema_type = "number"

    def read(self, node: Node, bases: Bases) -> float:
        return self._number(node)


class Integer(_Ranged[int]):
    """A whole number in a range."""

    name = "whole number"
    schema_type = "integer"

    def read(self, node: Node, bases: Bases) -> int:
        found = self._number(node)
        value = scalar(node, self.name)
        if not _WHOLE.fullmatch(value.text):
            raise unfit("CFG_TYPE", self._other(value.shown))
        return int(found)
