"""Tables of text: aligned, and no wider than there is room."""

from __future__ import annotations

import textwrap
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

GAP: Final = "  "

_LEAST: Final = 8
"""What gives way keeps at least so many places."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: numbers stand `right`; what `gives` is cut for want of room, in the last one wrapped."""

    title: str
    right: bool = False
    gives: bool = False


def table_lines(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None) -> Iterator[str]:
    """The table in lines of at most `width` places, as far as its columns give way; of any width for None."""
    widths = _widths(columns, rows, width)
    blank = " " * (sum(widths[:-1]) + len(GAP) * (len(widths) - 1))
    for row in [[column.title for column in columns], *rows]:
        indent = "".join(
            _padded(cut(text, places), column, places) + GAP
            for text, column, places in zip(row[:-1], columns[:-1], widths[:-1], strict=True)
        )
        last = (
            wrapped(row[-1], widths[-1]) if columns[-1].gives else [_padded(row[-1], columns[-1], widths[-1])]
        )
        yield (indent + last[0]).rstrip()
        yield from (blank + line for line in last[1:])


def wrapped(text: str, places: int | None) -> list[str]:
    """The text in lines of at most `places`; at least one line."""
    return [text] if places is None else textwrap.wrap(text, max(places, _LEAST)) or [""]


def cut(text: str, places: int) -> str:
    """The text in at most `places`, with a sign where something is missing."""
    if places_of(text) <= places:
        return text
    while text and places_of(text) > places - 1:
        text = text[:-1]
    return f"{text}…" if places > 0 else ""


def places_of(text: str) -> int:
    """How many places of a terminal the text takes."""
    return len(text) if text.isascii() else sum(map(_places, text))


def _places(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


def _padded(text: str, column: Column, places: int) -> str:
    blank = " " * (places - places_of(text))
    return blank + text if column.right else text + blank


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None) -> list[int]:
    """The columns' widths: the widest of those that give way gives first."""
    widths = [
        max([len(column.title), *(places_of(row[index]) for row in rows)])
        for index, column in enumerate(columns)
    ]
    if width is None:
        return widths
    giving = [index for index, column in enumerate(columns) if column.gives]
    over = sum(widths) + len(GAP) * (len(widths) - 1) - width
    while over > 0 and giving:
        widest = max(giving, key=widths.__getitem__)
        if widths[widest] <= max(_LEAST, len(columns[widest].title)):
            break
        widths[widest] -= 1
        over -= 1
    return widths
