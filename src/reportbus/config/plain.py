"""What readers of YAML make of a value that is not quoted, and where they disagree."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeAlias

import yaml

from reportbus.config.nodes import Items, Node, Scalar, Style, Table
from reportbus.core.text import SHOWN_WIDTH, one_line, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reportbus.config.problems import Problems
    from reportbus.core.model import JsonValue

Path: TypeAlias = tuple[str | int, ...]
"""The way to a value: names and positions from 0."""

Lines: TypeAlias = dict[Path, int]
"""The line of each name and value by its path."""

_INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_NUMBER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})\.[0-9]+(?:[eE][-+][0-9]{1,2})?")
_NUMBER_TO_SOME: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_TAGS: Final = yaml.SafeLoader.yaml_implicit_resolvers
_PREFIX: Final = "tag:yaml.org,2002:"


class Taken(StrEnum):
    """What a reader takes a value for; ODD where others, or another version of YAML, disagree."""

    TEXT = "text"
    NOTHING = "nothing"
    SWITCH = "true or false"
    INTEGER = "a whole number"
    NUMBER = "a number"
    DATE = "a date"
    ODD = "something else by some readers"


_BY_TAG: Final = {
    "": Taken.TEXT,
    "bool": Taken.SWITCH,
    "null": Taken.NOTHING,
    "timestamp": Taken.DATE,
}


def taken_for(scalar: Scalar) -> Taken:
    """What YAML makes of the value; anything quoted or given by a variable is text."""
    if scalar.style is not Style.PLAIN:
        return Taken.TEXT
    text = scalar.text
    if _INTEGER.fullmatch(text):
        return Taken.INTEGER
    if _NUMBER.fullmatch(text):
        return Taken.NUMBER
    if _NUMBER_TO_SOME.fullmatch(text):
        return Taken.ODD
    return _BY_TAG.get(_tag(text), Taken.ODD)


def mistaken(scalar: Scalar) -> str:
    """A sentence on what YAML makes of a value that was meant as text, and what to write instead."""
    text = one_line(scalar.text, SHOWN_WIDTH)
    meant = f'quote it: "{text}"'
    match taken_for(scalar):
        case Taken.SWITCH:
            return f"{text} is read as {'true' if truth(text) else 'false'}; {meant}"
        case Taken.DATE:
            return f"{text} is read as a date; {meant}"
        case Taken.NOTHING:
            return f"{quoted(text)} is read as no value; write one, or remove the line"
        case Taken.ODD if _tag(text) not in {"int", "float"}:
            return f"{text} is read as a number by some; {meant}"
        case _:
            return f"{text} is read as the number {_number(text)}; {meant}"


def truth(text: str) -> bool:
    """Whether a word that is read as true or false is read as true."""
    return text.lower() in {"true", "yes", "on"}


def json_values(root: Table, problems: Problems) -> tuple[dict[str, JsonValue], Lines]:
    """The values of a table as JSON has them, and the line of each by its path.

    Here no option says what is meant: a value that readers disagree about is a CFG_TYPE among `problems`, as
    is a name that is no text to them, and a date is the text it was written as.
    """
    lines: Lines = {}

    def table(node: Table, path: Path) -> dict[str, JsonValue]:
        for key in node.odd.values():
            problems.add("CFG_TYPE", mistaken(key), key.where, dotted(path))
        lines.update({(*path, name): where.line for name, where in node.keys.items()})
        return {name: value(item, (*path, name)) for name, item in node.entries.items()}

    def value(node: Node, path: Path) -> JsonValue:
        lines.setdefault(path, node.where.line)
        match node:
            case Table():
                return table(node, path)
            case Items():
                return [value(item, (*path, position)) for position, item in enumerate(node.items)]
            case Scalar():
                return _json_value(node, path, problems)

    return table(root, ()), lines


def _json_value(scalar: Scalar, path: Path, problems: Problems) -> JsonValue:
    text = scalar.text
    match taken_for(scalar):
        case Taken.INTEGER:
            return int(text)
        case Taken.NUMBER:
            return float(text)
        case Taken.NOTHING:
            return None
        case Taken.SWITCH if text.lower() in {"true", "false"}:
            return truth(text)
        case Taken.SWITCH:
            fault = f"{mistaken(scalar)}, or write {'true' if truth(text) else 'false'}"
            problems.add("CFG_TYPE", fault, scalar.where, dotted(path))
        case Taken.ODD:
            problems.add("CFG_TYPE", mistaken(scalar), scalar.where, dotted(path))
        case Taken.TEXT | Taken.DATE:
            pass
    return text


def dotted(path: Path) -> str:
    """A path as messages write it: targets[0].name."""
    return "".join(_steps(path)).removeprefix(".")


def _steps(path: Path) -> Iterator[str]:
    for step in path:
        yield f"[{step}]" if isinstance(step, int) else f".{step}"


def _tag(text: str) -> str:
    """What the first reader of YAML 1.1 took the text for; "" for text."""
    candidates = [*_TAGS.get(text[:1], ()), *_TAGS.get(None, ())]
    tag: str = next((tag for tag, pattern in candidates if pattern.match(text)), "")
    return tag.removeprefix(_PREFIX)


def _number(text: str) -> str:
    try:
        return str(yaml.safe_load(text))
    except (yaml.YAMLError, ValueError):
        return "it looks like"
