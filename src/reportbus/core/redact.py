"""Secrets taken out of text before it is stored, shown or sent.

By value: every value that is registered (`secret_values.py` says which) is masked as it is, as base64
(anywhere in a longer value, as in Basic authentication), percent-encoded, and escaped for JSON, XML or
Python. By pattern: what looks like a credential, registered or not.
"""

from __future__ import annotations

import base64
import html
import json
import re
import threading
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MASK: Final = "***"

SHORTEST_SECRET: Final = 4
"""Shorter values are not registered: masking them would make nonsense of every text and hide nothing."""

SHORTEST_WITHIN_WORDS: Final = 6
"""Shorter values are masked where they stand alone, not within a word or number: `port` is in `reports`."""

MOST_VALUES: Final = 1_000
MOST_CHARACTERS: Final = 1_000_000
"""Of more values, or longer ones together, those are forgotten that were registered longest ago."""

_SHORTEST_LINE: Final = 16  # of a secret of many lines (a key in PEM form), such lines are masked alone, too
_PERCENT_ESCAPE: Final = re.compile(r"%[0-9A-F]{2}")
_BASE64_CHAR: Final = r"[A-Za-z0-9+/_-]"

_QUOTED: Final = (
    r"""\\+"[^"]*"?|"(?:[^"\\\r\n]|\\.)*"?|'(?:[^'\\\r\n]|\\.)*'?"""  # also within JSON, also cut off
)
_WORD: Final = r"""[^\s,;&"'<>)}\]]+"""
_VALUE: Final = rf"(?:(?:{_QUOTED})(?:{_WORD})?|(?P<plain>{_WORD}))"
_MASKED: Final = rf"{re.escape(MASK)}(?![\w.~+/=-])"
_ASSIGNED: Final = r"""(?:\s*=\s*|\\*["']\s*[:=]\s*)"""
_NAMES: Final = (
    r"passw(?:or)?d|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key(?:[_-]?id)?|account[_-]?key"
    r"|private[_-]?key|credentials?|signature|(?<![a-z])sig"
)

_PROSE: Final = re.compile(r"(?:\$?[A-Za-z]{1,20}|[0-9]{1,3})[.:!?]?")
_CLOSED: Final = re.compile(r"""(["'])\s*:\s*""")
_LOOK_BACK: Final = 256  # characters, to see what a name stands in

# What a text must hold, in small letters, for the pattern to be worth a try; then the pattern, whose first
# group stays. Each is linear: what repeats without a bound begins behind a fixed word or sign.
_PATTERNS: Final = tuple(
    (hints, re.compile(pattern, flags))
    for hints, pattern, flags in (
        (
            ("authorization",),
            rf"""(authorization\\*["']?\s*[:=]\s*)(?:{_MASKED}|(?:{_QUOTED})(?:{_WORD})?|[^\r\n]+)""",
            re.IGNORECASE,
        ),
        (("bearer",), r"(\bbearer\s+)(?=[a-z._~+/=-]{0,400}[0-9])[\w.~+/=-]{8,}", re.IGNORECASE),
        (("://",), r"""((?<=://)[^\s/?#"'<>:@]*:)[^\s/?#"'<>]*(?=@)""", 0),
        (
            ("pass", "pwd", "secret", "token", "credential", "_key", "-key", "apikey", "accesskey",
             "accountkey", "privatekey", "signature", "sig="),
            rf"((?:{_NAMES}){_ASSIGNED}){_VALUE}",
            re.IGNORECASE,
        ),
        (
            ("password:", "passwd:", "passphrase:", "pwd:", "key:"),
            rf"((?:passw(?:or)?d|passphrase|pwd|api[_-]?key):\s*){_VALUE}",
            re.IGNORECASE,
        ),
        (
            ("secret:", "token:", "credential:", "credentials:", "key:", "signature:"),
            rf"(^[ \t]*(?:-[ \t]+)?[\w.-]{{0,64}}(?:{_NAMES}):[ \t]+)(?:{_QUOTED}|{_WORD})[ \t]*(?=#.*$|$)",
            re.IGNORECASE | re.MULTILINE,
        ),
        (("private key-----",), r"(-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----).*?(?=-----END|\Z)", re.DOTALL),
        (("eyj",), r"()(?<![\w-])eyJ[\w-]{10,}\.[\w-]+(?:\.[\w-]*)?", 0),
        (("akia", "asia"), r"()\b(?:AKIA|ASIA)[A-Z0-9]{16}\b", 0),
    )
)  # fmt: skip


class Redactor:
    """Masks secrets in text. Any number of threads may register and redact at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[str, Mapping[str, str]] = {}  # their forms, the latest registered last
        self._by_beginning: Mapping[str, Sequence[tuple[str, str]]] = {}

    def register(self, *values: str) -> None:
        """Mask the values from now on, blanks around them aside; fewer than 4 characters are ignored.

        To register a value again keeps it from being forgotten.
        """
        with self._lock:
            before = self._values.keys() & values
            for value in values:
                if len(value.strip()) >= SHORTEST_SECRET:
                    known = self._values.pop(value, {})
                    self._values[value] = known or _forms(value)
            if len(before) < len(self._values.keys() & values):
                self._forget()
                self._by_beginning = _by_beginning(self._values.values())

    def redact(self, text: str) -> str:
        """`text` with every secret in it replaced by `***`. Redacting twice changes nothing more."""
        if self._by_beginning:
            text = self._without_values(text)
        holds = text.lower().__contains__
        for hints, pattern in _PATTERNS:
            if any(map(holds, hints)):
                text = pattern.sub(_masked, text)
        return text

    def _without_values(self, text: str) -> str:
        """Looks at all places of the text once, however many forms there are."""
        known = self._by_beginning
        pieces = {text[start : start + SHORTEST_SECRET] for start in range(len(text) - SHORTEST_SECRET + 1)}
        possible = {form: pattern for piece in pieces if piece in known for form, pattern in known[piece]}
        for form in sorted(filter(text.__contains__, possible), key=len, reverse=True):
            text = re.sub(possible[form], MASK, text)
        return text

    def _forget(self) -> None:
        characters = sum(map(len, self._values))
        while len(self._values) > MOST_VALUES or characters > MOST_CHARACTERS:
            oldest = next(iter(self._values))
            del self._values[oldest]
            characters -= len(oldest)


def _masked(match: re.Match[str]) -> str:
    prose = match.groupdict().get("plain") is not None and _is_prose(match)
    return match[0] if prose else match[1] + MASK


def _is_prose(match: re.Match[str]) -> bool:
    """Whether a sentence is about a thing of that name, as in: report 'reset-token': failed."""
    if not _PROSE.fullmatch(match["plain"]):
        return False
    before = match.string[max(0, match.start() - _LOOK_BACK) : match.start()]
    closed = _CLOSED.search(match[1])
    if closed:  # a key of JSON or YAML follows a bracket, a comma or the beginning of its line
        lead, opening, _ = before.rpartition(closed[1])
        ahead = lead.rstrip(" \t")[-1:]
        return bool(opening) and lead[-1:] in {" ", "\t"} and ahead not in {"", *"{[(,-\r\n"}
    path = "" if before[-1:].isspace() else "".join(before.split()[-1:])
    sentence = re.match(r"\s[A-Za-z]", match.string[match.end() :][:2])
    return match[1].rstrip().endswith(":") and sentence is not None and ("/" in path or "." in path)


def _by_beginning(values: Iterable[Mapping[str, str]]) -> Mapping[str, Sequence[tuple[str, str]]]:
    """The forms of all values with their patterns, by their first characters."""
    found: dict[str, list[tuple[str, str]]] = {}
    for form, pattern in {form: pattern for forms in values for form, pattern in forms.items()}.items():
        found.setdefault(form[:SHORTEST_SECRET], []).append((form, pattern))
    return found


def _forms(secret: str) -> Mapping[str, str]:
    """The spellings of the secret, each with the pattern that masks it."""
    coded = {
        form: rf"{_BASE64_CHAR}?{re.escape(form)}{_BASE64_CHAR}?={{0,2}}" for form in _base64(secret.strip())
    }
    alone = len(secret.strip()) < SHORTEST_WITHIN_WORDS
    return coded | {
        form: rf"(?<![^\W_]){re.escape(form)}(?![^\W_])" if alone else re.escape(form)
        for form in _escaped(secret)
    }


def _escaped(secret: str) -> set[str]:
    """The secret and its longer lines, as they are and as escaping would write them."""
    lines = {line.strip() for line in secret.splitlines()}
    values = {secret, secret.strip(), *(line for line in lines if len(line) >= _SHORTEST_LINE)}
    return {form for value in values for form in _escapes(value)}


def _escapes(value: str) -> set[str]:
    octets = value.encode("utf-8", "surrogatepass")
    percent = {quote(octets, safe=""), quote(octets), quote_plus(octets)}
    return {
        value,
        *percent,
        *(_PERCENT_ESCAPE.sub(lambda escape: escape[0].lower(), form) for form in percent),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        json.dumps(value)[1:-1].replace("/", "\\/"),
        repr(value)[1:-1],
        html.escape(value),
        html.escape(value, quote=False),
    }


def _base64(secret: str) -> set[str]:
    """What of the secret's base64 does not depend on its neighbours, for each of the three alignments."""
    octets = secret.encode("utf-8", "surrogatepass")
    forms = set()
    for before, changed in ((0, 0), (1, 2), (2, 3)):
        padded = bytes(before) + octets
        undecided = (0, 3, 2)[len(padded) % 3]
        coded = base64.b64encode(padded).decode()
        core = coded[changed : len(coded) - undecided]
        forms |= {core, core.replace("+", "-").replace("/", "_")}
    return forms
