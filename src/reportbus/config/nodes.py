"""What stands in a configuration file or variable before anybody says what it means: text, with its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeAlias

from reportbus.core.where import Where

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportbus.core.model import JsonValue


BUILT_IN: Final = Where("default")


class Style(StrEnum):
    """How a text was given: only of PLAIN ones can readers of YAML make something else."""

    PLAIN = "plain, in a file"
    QUOTED = "quoted, in a file"
    GIVEN = "by a variable"


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value. `written` is what stands in the file where variables were put into `text`."""

    where: Where
    text: str
    style: Style = Style.GIVEN
    written: str = ""

    @property
    def shown(self) -> str:
        """The value as a message may show it: never what a variable put in there."""
        return self.written or self.text


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    where: Where
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Names with values; `keys` are the names' own places, `odd` those that YAML takes for no text."""

    where: Where
    entries: Mapping[str, Node] = field(default_factory=dict)
    keys: Mapping[str, Where] = field(default_factory=dict)
    odd: Mapping[str, Scalar] = field(default_factory=dict)


Node: TypeAlias = Scalar | Items | Table


def kind_of(node: Node) -> str:
    """What a message calls the shape of `node`."""
    match node:
        case Scalar():
            return "one value"
        case Items():
            return "a list"
        case Table():
            return "names with values"


def built_in(value: JsonValue) -> Node:
    """`value`, of text, lists and objects, as if it stood in a file; its place is the default's."""
    if isinstance(value, dict):
        return Table(BUILT_IN, {name: built_in(item) for name, item in value.items()})
    if isinstance(value, list):
        return Items(BUILT_IN, tuple(map(built_in, value)))
    return Scalar(BUILT_IN, str(value))
