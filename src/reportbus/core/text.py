"""Text from elsewhere, made fit to be stored and shown.

A backslash that was there already is not doubled: the result is for people to read, not to be turned back.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from reportbus.core.inline_secrets import without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable

SHOWN_WIDTH: Final = 200
"""At most this many characters of an offending value are shown in a message."""

_MOST_LISTED: Final = 12

_LINE_BREAKING = r"\u2028\u2029"
_BIDI = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_UNENCODABLE = r"\ud800-\udfff"
_NON_CHARACTERS = r"\ufeff\ufffe\uffff"
_ODD = _LINE_BREAKING + _BIDI + _UNENCODABLE + _NON_CHARACTERS

_UNSTORABLE: Final = re.compile(rf"[\x00-\x08\x0b-\x1f\x7f-\x9f{_ODD}]")
_UNSTORABLE_IN_A_LINE: Final = re.compile(rf"[\x00-\x1f\x7f-\x9f{_ODD}]")
_SHORT_ESCAPES: Final = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}
_LAST_BYTE: Final = 0xFF


def clean(text: str, width: int | None = None) -> str:
    r"""`text` as any database and any UTF-8 file takes it, in at most `width` characters.

    Escaped visibly (`\x00`, `\ud800`): control characters but tab and newline, lone surrogates, characters
    that turn the direction of writing, line and paragraph separators, byte order marks. What is too long ends
    in `…[cut, N characters]`, where N counts the whole text; where that does not fit, in `…`. Never raises.
    """
    return _cleaned(text, width, _UNSTORABLE)


def one_line(text: str, width: int | None = None) -> str:
    """As `clean`, with tab and newline escaped too: one line of a log, a subject, a cell."""
    return _cleaned(text, width, _UNSTORABLE_IN_A_LINE)


def quoted(text: str) -> str:
    """An offending value as a message shows it: one line, quoted, cut at 200 characters.

    Passwords, queries and base64 within it are masked; the secrets that are registered are not yet.
    """
    return f"'{one_line(without_secrets(text), SHOWN_WIDTH)}'"


def kind_of(value: object) -> str:
    """What kind of JSON value this is, in words; the value itself is not shown, it may be a secret."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "an object"


def have(names: Iterable[str]) -> str:
    """What there is instead, as the end of a sentence: `have A, B and 3 more`, or `there are none`."""
    listed = sorted(names)
    more = f" and {len(listed) - _MOST_LISTED} more" if len(listed) > _MOST_LISTED else ""
    return f"have {', '.join(listed[:_MOST_LISTED])}{more}" if listed else "there are none"


def _cleaned(text: str, width: int | None, unstorable: re.Pattern[str]) -> str:
    if width is None:
        return text if text.isprintable() else unstorable.sub(_escaped, text)
    if len(text) <= width and text.isprintable():
        return text
    room = max(width, 0)
    return _cut(unstorable.sub(_escaped, text[:room]), room, len(text))


def _escaped(match: re.Match[str]) -> str:
    char = match[0]
    code = ord(char)
    return _SHORT_ESCAPES.get(char) or (f"\\x{code:02x}" if code <= _LAST_BYTE else f"\\u{code:04x}")


def _cut(shown: str, room: int, length: int) -> str:
    if length <= room and len(shown) <= room:
        return shown
    marker = f"…[cut, {length} characters]"
    if len(marker) > room:
        marker = "…"[:room]
    return shown[: room - len(marker)] + marker
