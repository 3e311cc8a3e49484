"""The kinds of values options have: each reads what was given, says what is allowed, knows its JSON Schema.

A value given by a variable is text, and read as the option's kind. One in a file was typed by its writer, and
is held to that: text for a number, or `NO` for text, is a mistake. Kinds are shared, and never change once
made.
"""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

from reportbus.config.nodes import Node, Scalar, Style, kind_of
from reportbus.config.plain import Taken, mistaken, taken_for, truth
from reportbus.config.problems import unfit
from reportbus.core.text import one_line, quoted

if TYPE_CHECKING:
    from reportbus.core.model import JsonValue

T = TypeVar("T")

WITH_VARIABLE: Final = r"\$\{"
"""The pattern of a text with a variable in it: it stands for a value of any kind."""

IN_MEMORY: Final = ":memory:"

_TRUE: Final = frozenset({"true", "yes", "on", "1"})
_FALSE: Final = frozenset({"false", "no", "off", "0"})


class Bases(NamedTuple):
    """What relative paths are relative to; both absolute."""

    home: Path
    config: Path


class Kind(ABC, Generic[T]):
    """One kind of value: what a person calls it, what a number counts, which values it takes, in words."""

    name: str
    unit: str = ""
    allowed: str = ""

    @abstractmethod
    def read(self, node: Node, bases: Bases) -> T:
        """The value; raises Unfit."""

    @abstractmethod
    def schema(self) -> dict[str, JsonValue]:
        """The JSON Schema of values in a file."""

    def shown(self, value: T) -> str:
        """The value as `config show` prints it, without secrets."""
        return str(value)

    def data(self, value: T) -> JsonValue:
        """The value as JSON has it, without secrets."""
        return self.shown(value)


def scalar(node: Node, expected: str) -> Scalar:
    """The node as one value; raises Unfit for a list, a table and nothing at all."""
    if not isinstance(node, Scalar):
        raise unfit("CFG_TYPE", f"is {kind_of(node)}; takes {expected}", node.where)
    if not node.text:
        given = "is set but empty; give it a value or unset it"
        raise unfit("CFG_MISSING", given if node.style is Style.GIVEN else "is empty; write a value")
    return node


def text_of(node: Node, expected: str) -> Scalar:
    """The node as text: one line, no blanks around it; raises Unfit."""
    value = scalar(node, expected)
    if taken_for(value) is not Taken.TEXT:
        raise unfit("CFG_TYPE", mistaken(value))
    if value.text != value.text.strip():
        raise unfit("CFG_TYPE", f"{quoted(value.shown)} has blanks around it; remove them")
    if value.text != one_line(value.text):
        raise unfit(
            "CFG_TYPE", f"{quoted(value.shown)} has line breaks or control characters; write one line"
        )
    return value


def any_text() -> dict[str, JsonValue]:
    """The JSON Schema of text that is not empty."""
    return {"type": "string", "minLength": 1}


class Text(Kind[str]):
    """One line of text, which may be held to a pattern that `allowed` puts in words."""

    name = "text"

    def __init__(self, pattern: str = "", allowed: str = "", code: str = "CFG_TYPE") -> None:
        self.allowed = allowed
        self._pattern = pattern
        self._code = code

    def read(self, node: Node, bases: Bases) -> str:
        value = text_of(node, self.allowed or self.name)
        if self._pattern and not re.fullmatch(self._pattern, value.text):
            raise unfit(self._code, f"{quoted(value.shown)} is not allowed; takes {self.allowed}")
        return value.text

    def schema(self) -> dict[str, JsonValue]:
        if not self._pattern:
            return any_text()
        return {"type": "string", "pattern": rf"^(?:{self._pattern})$|{WITH_VARIABLE}"}


class Capitals(Text):
    """A name that is taken in capitals."""

    def read(self, node: Node, bases: Bases) -> str:
        return super().read(node, bases).upper()


class Switch(Kind[bool]):
    """True or false."""

    name = "switch"
    allowed = "true or false"

    def read(self, node: Node, bases: Bases) -> bool:
        value = scalar(node, self.allowed)
        if value.style is Style.GIVEN and value.text.lower() in _TRUE | _FALSE:
            return value.text.lower() in _TRUE
        if value.style is Style.PLAIN and taken_for(value) is Taken.SWITCH:
            if value.text.lower() in {"true", "false"}:
                return truth(value.text)
            meant = self.shown(truth(value.text))
            fault = f"{value.text} is {meant} to some readers and text to others; write {meant}"
            raise unfit("CFG_TYPE", fault)
        without = " without quotes" if value.style is Style.QUOTED else ""
        raise unfit("CFG_TYPE", f"{quoted(value.shown)} is no switch; write true or false{without}")

    def schema(self) -> dict[str, JsonValue]:
        return {"anyOf": [{"type": "boolean"}, {"type": "string", "pattern": WITH_VARIABLE}]}

    def shown(self, value: bool) -> str:  # noqa: FBT001 - it is the value
        return "true" if value else "false"

    def data(self, value: bool) -> JsonValue:  # noqa: FBT001 - it is the value
        return value


class Choice(Kind[str]):
    """One of a few words, in any case."""

    name = "choice"

    def __init__(self, words: tuple[str, ...]) -> None:
        self.allowed = ", ".join(words)
        self._words = words

    def read(self, node: Node, bases: Bases) -> str:
        value = text_of(node, f"one of {self.allowed}")
        for word in self._words:
            if word.lower() == value.text.lower():
                return word
        raise unfit("CFG_CHOICE", f"{quoted(value.shown)} is not known; takes one of {self.allowed}")

    def schema(self) -> dict[str, JsonValue]:
        return {"anyOf": [{"enum": list(self._words)}, {"type": "string", "pattern": WITH_VARIABLE}]}


class Location(Kind[Path]):
    """A file or folder. A relative one is below REPORTBUS_HOME, with `in_config` below REPORTBUS_CONFIG."""

    name = "path"

    def __init__(self, *, in_config: bool = False) -> None:
        self.allowed = f"absolute, or below {'REPORTBUS_CONFIG' if in_config else 'REPORTBUS_HOME'}"
        self._in_config = in_config

    def read(self, node: Node, bases: Bases) -> Path:
        value = text_of(node, "a path")
        if value.text.startswith("~"):
            raise unfit(
                "CFG_PATH",
                f"{quoted(value.shown)} begins with ~, which is not resolved; write the whole path",
            )
        base = bases.config if self._in_config else bases.home
        return Path(os.path.normpath(base / value.text))

    def schema(self) -> dict[str, JsonValue]:
        return any_text()


class DataPath(Kind[str]):
    """A file with data, or several by `*`; a folder ends in "/". A relative one is below REPORTBUS_HOME."""

    name = "path"

    def __init__(self, *, memory: bool = False) -> None:
        self.allowed = f"{IN_MEMORY}, or a path" if memory else "absolute, or below REPORTBUS_HOME"
        self._memory = memory

    def read(self, node: Node, bases: Bases) -> str:
        text = text_of(node, "a path").text
        if self._memory and text == IN_MEMORY:
            return text
        end = "/" if text.endswith("/") else ""
        return str(Location().read(node, bases)).rstrip("/") + end

    def schema(self) -> dict[str, JsonValue]:
        return any_text()
