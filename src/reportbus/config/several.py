"""Options that hold several values: lists, and names with texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from reportbus.config.addresses import SecretName
from reportbus.config.kinds import Bases, Kind, scalar, text_of
from reportbus.config.nodes import Items, Node, Scalar, Style, Table, kind_of
from reportbus.config.plain import mistaken
from reportbus.config.problems import Unfit, unfit
from reportbus.config.secrecy import REFERENCE, holds_a_password, is_written_out, looks_secret, secret_named
from reportbus.core.redact import MASK
from reportbus.core.text import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from reportbus.core.model import JsonValue
    from reportbus.core.where import Where

T = TypeVar("T")
K = TypeVar("K")


class ListOf(Kind[tuple[T, ...]], Generic[T]):
    """Several values of one kind; a variable parts them by commas."""

    def __init__(self, item: Kind[T]) -> None:
        self.name = f"list, each a {item.name}"
        self.allowed = item.allowed
        self._item = item

    def read(self, node: Node, bases: Bases) -> tuple[T, ...]:
        return tuple(
            value for _, value in _each(enumerate(_items(node)), lambda _, item: self._item.read(item, bases))
        )

    def schema(self) -> dict[str, JsonValue]:
        return {"type": "array", "items": self._item.schema()}

    def shown(self, value: tuple[T, ...]) -> str:
        return ", ".join(map(self._item.shown, value))

    def data(self, value: tuple[T, ...]) -> JsonValue:
        return [self._item.data(item) for item in value]


class MapOf(Kind["Mapping[str, T]"], Generic[T]):
    """Names with values of one kind."""

    def __init__(self, item: Kind[T]) -> None:
        self.name = f"names, each with a {item.name}"
        self.allowed = item.allowed
        self._item = item

    def read(self, node: Node, bases: Bases) -> Mapping[str, T]:
        return dict(_each(_named(node, self.name), lambda _, item: self._item.read(item, bases)))

    def schema(self) -> dict[str, JsonValue]:
        return {"type": "object", "additionalProperties": self._item.schema()}

    def shown(self, value: Mapping[str, T]) -> str:
        return ", ".join(f"{name}={self._item.shown(item)}" for name, item in value.items())

    def data(self, value: Mapping[str, T]) -> JsonValue:
        return {name: self._item.data(item) for name, item in value.items()}


class Parameters(Kind["Mapping[str, str]"]):
    """Names with texts for a library, whatever they mean; `secret:NAME` stands for a secret's field."""

    name = "names, each with a text"

    def read(self, node: Node, bases: Bases) -> Mapping[str, str]:
        return dict(_each(_named(node, self.name), lambda name, item: _parameter(name, item, bases)))

    def schema(self) -> dict[str, JsonValue]:
        return {"type": "object", "additionalProperties": {"type": "string"}}

    def shown(self, value: Mapping[str, str]) -> str:
        return ", ".join(f"{name}={text}" for name, text in self._masked(value).items())

    def data(self, value: Mapping[str, str]) -> JsonValue:
        return dict(self._masked(value))

    def _masked(self, value: Mapping[str, str]) -> Mapping[str, str]:
        """The names, and of the texts only references to secrets."""
        return {name: text if text.startswith(REFERENCE) else MASK for name, text in value.items()}


def _named(node: Node, expected: str) -> Iterable[tuple[str, Node]]:
    if not isinstance(node, Table):
        raise unfit("CFG_TYPE", f"is {kind_of(node)}; takes {expected}")
    if node.odd:
        raise Unfit(*(("CFG_TYPE", mistaken(name), name.where) for name in node.odd.values()))
    return node.entries.items()


def _items(node: Node) -> tuple[Node, ...]:
    if isinstance(node, Items):
        return node.items
    if isinstance(node, Table) or node.style is not Style.GIVEN:
        example = f", as in [{node.shown}]" if isinstance(node, Scalar) and node.text else ""
        raise unfit("CFG_TYPE", f"is {kind_of(node)}; takes a list{example}")
    given = [text.strip() for text in scalar(node, "a list").text.split(",")]
    if not all(given):
        fault = f"{quoted(node.shown)} has an empty entry; write entries with commas between them"
        raise unfit("CFG_MISSING", fault)
    return tuple(Scalar(node.where, text) for text in given)


def _parameter(name: str, node: Node, bases: Bases) -> str:
    value = text_of(node, f"text for {name}")
    if secret_named(value.text) is not None:
        return REFERENCE + SecretName().read(value, bases)
    if (looks_secret(name) and is_written_out(value)) or holds_a_password(value):
        raise unfit("SEC_INLINE_SECRET", f"{name} is written out; write secret:NAME or ${{VARIABLE}}")
    return value.text


def _each(nodes: Iterable[tuple[K, Node]], read: Callable[[K, Node], T]) -> list[tuple[K, T]]:
    """What `read` makes of each node, in order; raises Unfit with the faults of all."""
    faults: list[tuple[str, str, Where | None]] = []
    values = []
    for key, node in nodes:
        try:
            values.append((key, read(key, node)))
        except Unfit as error:
            faults += [(code, text, where or node.where) for code, text, where in error.faults]
    if faults:
        raise Unfit(*faults)
    return values
