"""Credentials within a value that somebody wrote: the log-in of an address, a query, a block of base64.

The redactor looks for what it recognises in whole texts. Here the value is still by itself, so that a
password is known to end at its `@` whatever stands in it, and is gone before the value is split or cut.
"""

from __future__ import annotations

import re
from typing import Final

from reportbus.core.redact import MASK

_SCHEME_END: Final = "://"
_COLON: Final = re.compile(r":(?!\s)")
_QUERY: Final = re.compile(r"[?#]")
_CODED: Final = re.compile(r"[A-Za-z0-9+/_-]{10,}={0,2}")
_LONG: Final = re.compile(r"[A-Za-z0-9+]{32,}")
_KINDS: Final = ("[a-z]", "[A-Z]", "[0-9]")


def holds_login(text: str) -> bool:
    """Whether a user with a password, or what looks like them, stands before an `@`."""
    return _password(text) is not None


def without_secrets(text: str) -> str:
    """`text` with the password of its log-in, its query and any base64 masked; all else as it was.

    Where there are several log-ins, all between the first one's password and the last `@` is masked.
    """
    found = _password(text)
    if found:
        text = f"{text[: found[0]]}{MASK}{text[found[1] :]}"
    query = _QUERY.search(text)
    if query and text.find("=", query.end()) > 0:
        text = f"{text[: query.end()]}{MASK}"
    return _CODED.sub(_run_masked, text)


def _password(text: str) -> tuple[int, int] | None:
    """Where the password begins and ends: behind the first colon of the authority, before the last `@`.

    Without a scheme, a colon before a blank is one of a sentence or a header.
    """
    end = max(text.rfind("@"), 0)
    scheme = text.find(_SCHEME_END, 0, end)
    if scheme >= 0:
        begin = text.find(":", scheme + len(_SCHEME_END), end) + 1
    else:
        colon = _COLON.search(text, 0, end)
        begin = colon.end() if colon else 0
    return (begin, end) if 0 < begin < end else None


def _run_masked(found: re.Match[str]) -> str:
    """A run of base64's characters: all of it where it is padded and no name before a value, else parts."""
    padded = found[0].endswith("=") and not found.string[found.end() : found.end() + 1].isalnum()
    return MASK if padded else _LONG.sub(_mixed, found[0])


def _mixed(found: re.Match[str]) -> str:
    """Names and numbers may be long too, but seldom mix small letters, capitals and digits."""
    return MASK if all(re.search(kind, found[0]) for kind in _KINDS) else found[0]
