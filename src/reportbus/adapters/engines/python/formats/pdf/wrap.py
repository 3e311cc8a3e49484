"""Text broken into lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reportbus.adapters.engines.python.formats.pdf.fonts import Fonts

_WORD: Final = re.compile(r"\S+[ \t]*|[ \t]+")
_BREAKS: Final = re.compile(r"\r\n|[\n\r\v\f\x85\u2028\u2029]")


def wrap(fonts: Fonts, text: str, room: float, *, bold: bool = False) -> Sequence[str]:
    """The text in lines of at most `room`, in points at size 1: broken at blanks, in words if need be."""
    if fonts.width(text, bold=bold) <= room and text.isprintable():
        return (text,)
    lines: list[str] = []
    for paragraph in _BREAKS.split(text):
        lines += _paragraph(fonts, paragraph.replace("\t", "    "), room, bold=bold)
    return lines


def cut(fonts: Fonts, text: str, room: float, *, bold: bool = False) -> str:
    """The text in one line as far as there is room for it, in points at size 1."""
    text = " ".join(text.split())
    if fonts.width(text, bold=bold) <= room:
        return text
    while text and fonts.width(text + "…", bold=bold) > room:
        text = text[:-1]
    return text + "…"


def _paragraph(fonts: Fonts, text: str, room: float, *, bold: bool) -> list[str]:
    lines: list[str] = []
    line, used = "", 0.0
    for piece in _pieces(fonts, text, room, bold=bold):
        width = fonts.width(piece, bold=bold)
        bare = fonts.width(piece.rstrip(), bold=bold)
        if line and used + bare > room:
            lines.append(line.rstrip())
            line, used = "", 0.0
        line += piece
        used += width
    return [*lines, line.rstrip()]


def _pieces(fonts: Fonts, text: str, room: float, *, bold: bool) -> Iterator[str]:
    """Words with the blanks behind them; a word too long for a line in parts that are not."""
    for word in _WORD.findall(text):
        if fonts.width(word.rstrip(), bold=bold) <= room:
            yield word
            continue
        part, used = "", 0.0
        for character in word:
            width = fonts.width(character, bold=bold)
            if part and used + width > room:
                yield part
                part, used = "", 0.0
            part += character
            used += width
        if part:
            yield part
