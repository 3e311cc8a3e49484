"""JSON read strictly: what two readers could take for two things is refused.

The same reader serves worktable columns, bus messages and requests by API. Whole numbers are held to 64 bits,
since beyond them databases and other readers round or refuse.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Final

from reportbus.core.errors import MAX_PROBLEMS, Problem, Refused
from reportbus.core.inline_secrets import without_secrets
from reportbus.core.text import SHOWN_WIDTH, one_line, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reportbus.core.model import JsonValue

MAX_BYTES: Final = 262_144
"""Of one text, in UTF-8."""

MAX_DEPTH: Final = 32
MAX_INTEGER: Final = 2**63 - 1

_SURELY_64_BIT: Final = 18  # digits and sign of a whole number that cannot be beyond 64 bits
_UTF8_BYTES: Final = 4  # the most one character can take

# What a string can only hold if the source shows one of these; a hit may still be harmless (`\\u0000`).
_SUSPECT: Final = re.compile(r"[\x7f-\x9f\ud800-\udfff]|\\(?:[bfnrt]|u00[01789]|u[dD][89a-fA-F])")
_BAD_IN_VALUE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_BAD_IN_KEY: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_RAW_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


class _Fault(Exception):
    """What a hook of the decoder found; `decode` adds what it was found in."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(code)
        self.code = code
        self.text = text


def decode(text: str | bytes, *, what: str, max_bytes: int = MAX_BYTES) -> JsonValue:
    """The value `text` holds; bytes are UTF-8. `what` names the input in problems.

    Raises Refused: VAL_TOO_LARGE (before anything is parsed), VAL_ENCODING, VAL_JSON, VAL_JSON_DUPLICATE_KEY,
    VAL_JSON_NUMBER, VAL_JSON_DEPTH (an array in an array is two deep), VAL_CONTROL_CHAR.
    """
    try:
        source = _source(text, max_bytes)
        value = _parse(source)
    except _Fault as fault:
        raise Refused([Problem(fault.code, fault.text, what)]) from None
    if ("\\" in source or not source.isascii() or "\x7f" in source) and _SUSPECT.search(source):
        problems = list(islice(_bad_strings(value, what), MAX_PROBLEMS))
        if problems:
            raise Refused(problems)
    return value


def canonical(value: JsonValue) -> str:
    """The one JSON text of `value`: keys sorted, no blanks, characters as they are. ValueError for NaN."""
    return _ENCODER.encode(value)


def _source(text: str | bytes, max_bytes: int) -> str:
    """The text to parse, once its size and encoding are found good."""
    if _too_large(text, max_bytes):
        raise _Fault("VAL_TOO_LARGE", f"is larger than the {max_bytes:,} bytes allowed; it was not read")
    if isinstance(text, str):
        return text
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        fault = f"is not UTF-8: byte {error.start + 1} does not belong there"
        raise _Fault("VAL_ENCODING", fault) from None


def _too_large(text: str | bytes, max_bytes: int) -> bool:
    if len(text) * _UTF8_BYTES <= max_bytes:
        return False
    if isinstance(text, bytes) or len(text) > max_bytes or text.isascii():
        return len(text) > max_bytes
    return len(text.encode("utf-8", "surrogatepass")) > max_bytes


def _parse(source: str) -> JsonValue:
    try:
        value: JsonValue = _DECODER.decode(source)
    except json.JSONDecodeError as error:
        code = "VAL_CONTROL_CHAR" if _RAW_CONTROL.match(source, error.pos) else "VAL_JSON"
        fault = f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        raise _Fault(code, fault) from None
    except RecursionError:
        raise _too_deep() from None
    if source.count("[") + source.count("{") > MAX_DEPTH and _is_too_deep(value):
        raise _too_deep()
    return value


def _too_deep() -> _Fault:
    return _Fault("VAL_JSON_DEPTH", f"has objects and arrays more than {MAX_DEPTH} deep in one another")


def _is_too_deep(value: JsonValue) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        containers = [item for item in level if isinstance(item, list | dict)]
        if not containers:
            return False
        level = [
            child for item in containers for child in (item.values() if isinstance(item, dict) else item)
        ]
    return True


def _bad_strings(value: JsonValue, what: str) -> Iterator[Problem]:
    """A problem for each key and value with characters that a database or another reader would refuse."""
    left: list[tuple[str, JsonValue]] = [(what, value)]
    while left:
        path, item = left.pop()
        if isinstance(item, str):
            yield from _bad_string(item, _BAD_IN_VALUE, path)
        elif isinstance(item, dict):
            for key, child in item.items():
                yield from _bad_string(key, _BAD_IN_KEY, path)
                left.append((f"{path}.{key}", child))
        elif isinstance(item, list):
            left.extend((f"{path}[{position}]", child) for position, child in enumerate(item))


def _bad_string(text: str, bad: re.Pattern[str], path: str) -> Iterator[Problem]:
    found = bad.search(text)
    if found is None:
        return
    char = ord(found[0])
    where = "a key" if bad is _BAD_IN_KEY else "a text"
    if char > 0xFF:  # noqa: PLR2004 - of the bad ones only surrogates are beyond one byte
        yield Problem(
            "VAL_ENCODING",
            f"{where} holds half a character (U+{char:04X})",
            one_line(without_secrets(path), SHOWN_WIDTH),
        )
    else:
        yield Problem(
            "VAL_CONTROL_CHAR",
            f"{where} holds the control character U+{char:04X}",
            one_line(without_secrets(path), SHOWN_WIDTH),
        )


def _object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    found = dict(pairs)
    if len(found) != len(pairs):
        counts = Counter(key for key, _ in pairs)
        twice = next(key for key, count in counts.items() if count > 1)
        raise _Fault("VAL_JSON_DUPLICATE_KEY", f"has the key {quoted(twice)} twice in one object")
    return found


def _integer(digits: str) -> int:
    if len(digits) <= _SURELY_64_BIT:
        return int(digits)
    if len(digits) > _SURELY_64_BIT + 2 or not -MAX_INTEGER - 1 <= int(digits) <= MAX_INTEGER:
        fault = f"has a whole number of {len(digits)} characters, beyond 64 bits; write it as text"
        raise _Fault("VAL_JSON_NUMBER", fault)
    return int(digits)


def _float(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise _Fault("VAL_JSON_NUMBER", f"has the number {quoted(digits)}, larger than a double can hold")
    return value


def _constant(name: str) -> float:
    raise _Fault("VAL_JSON_NUMBER", f"has {name}, which is no JSON number")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant
)
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
