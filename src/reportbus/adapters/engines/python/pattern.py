r"""Patterns for text parameters, of a kind that ends quickly on any text.

A pattern is a row of items, each a character, `.`, `\d`, `\w`, `\s` or a class such as `[A-Z0-9_]`, with
`{n}`, `{m,n}` or `?` behind it. It holds for the whole text. There are no groups, no alternatives and no
open-ended repeats, and the ways to match it are counted beforehand, so no text makes it run long.
"""

from __future__ import annotations

import re
from typing import Final

_ITEM: Final = re.compile(
    r"""(?: \[\^?(?:[^\\\[\]]|\\.)+\]      # a class
          | \\[dws\\.\[\]{}()*+?|^$/-]     # an escape
          | [^\\\[\]{}()*+?|^$]            # any other character
        )
        (?: \{(?P<least>[0-9]{1,3})(?:,(?P<most>[0-9]{1,3}))?\} | (?P<maybe>\?) )?""",
    re.VERBOSE,
)

LONGEST: Final = 200
"""Characters of a pattern, at most."""

MOST_WAYS: Final = 10_000
"""Ways in which the repeats of a pattern can share a text among them, at most."""


def bounded(pattern: str) -> re.Pattern[str]:
    """The pattern, ready for `fullmatch`. ValueError says what it may not hold."""
    if len(pattern) > LONGEST:
        msg = f"a pattern has at most {LONGEST} characters"
        raise ValueError(msg)
    position, ways = 0, 1
    while position < len(pattern):
        item = _ITEM.match(pattern, position)
        if item is None:
            msg = (
                f"not allowed at character {position + 1}: use characters, classes, {{m,n}} and ?, no groups"
            )
            raise ValueError(msg)
        ways *= _ways(item)
        position = item.end()
    if ways > MOST_WAYS:
        msg = "too many repeats of varying length"
        raise ValueError(msg)
    try:
        return re.compile(pattern, re.ASCII)
    except re.error as error:
        msg = f"not a pattern: {error.msg}"
        raise ValueError(msg) from None


def _ways(item: re.Match[str]) -> int:
    """How many lengths the item can take."""
    if item["maybe"]:
        return 2
    if item["most"] is None:
        return 1
    return max(1, int(item["most"]) - int(item["least"]) + 1)
