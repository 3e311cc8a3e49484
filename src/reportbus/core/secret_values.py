"""Which values of a secret are to be masked: what it holds, and what is written within that."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PLAIN_FIELDS: Final = frozenset(
    {"database", "dbname", "domain", "host", "hostname", "port", "user", "username"}
)
"""Fields that say who and where, and open nothing: without them no message would say what to mend.

Their values are also such words as `reports` and `5432`, which stand in texts for many other things.
"""

_DEEPEST: Final = 8  # objects within objects, beyond which only the text around them is masked
_IN_URL: Final = re.compile(r"://[^\s/?#:@]*:([^\s/?#]*)@")
_IN_PAIRS: Final = re.compile(
    r"""(?:passw(?:or)?d|passphrase|pwd|secret|token|(?:api|access|account|private)[_-]?key|sig(?:nature)?)
    \s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"';,&]+))""",
    re.IGNORECASE | re.VERBOSE,
)


def secret_values(fields: Mapping[str, object], deepest: int = _DEEPEST) -> Iterator[str]:
    """The values of the fields but `PLAIN_FIELDS`, and what is within them.

    That is the password of a URL or connection string, and the values of a JSON object written as text.
    """
    for name, value in fields.items():
        if name.lower() not in PLAIN_FIELDS:
            yield from _within(value, deepest)


def passwords_in(text: str) -> Iterator[str]:
    """Passwords and keys within a URL or connection string, as they are written and as they are meant."""
    for found in (*_IN_URL.findall(text), *map("".join, _IN_PAIRS.findall(text))):
        yield found
        yield unquote(found)


def _within(value: object, deepest: int) -> Iterator[str]:
    match value:
        case str():
            yield value
            yield from passwords_in(value)
            if deepest and value.lstrip().startswith("{"):
                yield from _within(_parsed(value), deepest - 1)
        case dict() if deepest:
            yield from secret_values(value, deepest - 1)
        case list() if deepest:
            for item in value:
                yield from _within(item, deepest - 1)


def _parsed(text: str) -> object:
    """The JSON in a text, with its numbers as they are written; None where it is no JSON."""
    try:
        return json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return None
