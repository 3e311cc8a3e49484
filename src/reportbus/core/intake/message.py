"""A worktable row as the text of a bus message, and back.

The poller writes it, intake reads it, perhaps of another version: unknown fields are passed over, and a
message of a version that is not known is no row at all (its row stays PENDING and is published again). Values
that JSON has no form for are written as a text that says what they were.
"""

from __future__ import annotations

import json
import math
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from reportbus.core.strict_json import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reportbus.core.model import JsonValue

VERSION: Final = 1

MAX_MESSAGE: Final = MAX_BYTES
"""Bytes of the largest message a bus takes: one whose JSON is still read."""

HEADING: Final = ("REQUEST_ID", "REPORT_TYPE", "REPORT_NAME", "PRIORITY", "REQUESTED_BY", "REQUESTED_AT")
"""The columns that say what a request is about."""

DISTRIBUTION: Final = ("CONFIG_ID", "TARGET_TYPE", "TARGET_PATH", "CREDENTIALS_SECRET", "ENABLED")
"""The columns of the table DISTRIBUTION_CONFIG that say where a report goes."""

BODY: Final = ("PARAMETERS", "DISTRIBUTION_CONFIG")
"""The columns that hold JSON."""

_HEADING_WIDTH: Final = 300  # characters kept of a heading of a row that is too large
_MAX_INTEGER: Final = 2**63 - 1
_AS_THEY_ARE: Final = frozenset({str, bool, type(None)})

_PLAIN: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_ASCII: Final = json.JSONEncoder(separators=(",", ":"))


class RawRow(NamedTuple):
    """A row of REPORT_REQUESTS and its rows of DISTRIBUTION_CONFIG, by column name, as they came.

    `ref` is the worktable's own mark of the row. `cut` is set where the row was too large for the bus: the
    bytes of it that were seen; then only its heading is here, and `cut_digest` is the SHA-256 of the whole.
    """

    ref: str
    columns: Mapping[str, JsonValue]
    distribution: tuple[Mapping[str, JsonValue], ...] = ()
    cut: int = 0
    cut_digest: str = ""


def row_to_text(
    ref: str,
    columns: Mapping[str, object],
    distribution: Sequence[Mapping[str, object]] = (),
) -> str:
    """The message of a row, in at most MAX_MESSAGE bytes of UTF-8; a larger row is cut to its heading."""
    values = storable(columns)
    rows = [storable(row) for row in distribution]
    least = sum(len(value) for row in (values, *rows) for value in row.values() if isinstance(value, str))
    if least <= MAX_MESSAGE:
        body = _encode({"v": VERSION, "ref": ref, "columns": values, "distribution": rows})
        size = len(body) if body.isascii() else len(body.encode())
        if size <= MAX_MESSAGE:
            return body
        least = size
    heading = {name: _shortened(values[name]) for name in HEADING if name in values}
    cut = {"bytes": least, "sha256": _digest(values, rows)}
    return _encode({"v": VERSION, "ref": ref, "columns": heading, "cut": cut})


def row_from_text(text: str) -> RawRow:
    """The row a message holds. ValueError, with the reason, for a text that is no such message."""
    if len(text) > MAX_MESSAGE:
        raise ValueError(f"it has {len(text):,} characters; a message has at most {MAX_MESSAGE:,} bytes")
    try:
        data: Any = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    match data:
        case {"v": version} if version != VERSION:
            raise ValueError(f"it has version {version!r:.20}; have {VERSION}")
        case {
            "v": _,
            "ref": str(ref),
            "columns": dict(columns),
            "cut": {"bytes": int(size), "sha256": str(digest)},
        }:
            return RawRow(ref, columns, cut=max(size, 1), cut_digest=digest)
        case {"v": _, "ref": str(ref), "columns": dict(columns)}:
            return RawRow(ref, columns, _mappings(data.get("distribution", [])))
        case _:
            raise ValueError("it is no object with v, ref and columns")


def _mappings(rows: object) -> tuple[Mapping[str, JsonValue], ...]:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("its distribution is no list of objects")
    return tuple(rows)


def _encode(data: Mapping[str, object]) -> str:
    body = _PLAIN.encode(data)
    if body.isascii():
        return body
    try:
        body.encode()
    except UnicodeEncodeError:  # half a character: it can only be written as an escape
        return _ASCII.encode(data)
    return body


def storable(row: Mapping[str, object]) -> dict[str, JsonValue]:
    """A row with values JSON has a form for: numbers as they are, anything odd as text."""
    return {
        name: value if type(value) in _AS_THEY_ARE else _as_json(value)  # type: ignore[misc]
        for name, value in row.items()
    }


def _as_json(value: object) -> JsonValue:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "surrogateescape")
    if isinstance(value, int):
        return value if abs(value) <= _MAX_INTEGER else f"{value:#x}"
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dict | list):
        try:
            return json.dumps(value, ensure_ascii=False, default=str)
        except (RecursionError, ValueError, TypeError):
            return f"a {type(value).__name__} that JSON cannot hold"
    return str(value)


def _shortened(value: JsonValue) -> JsonValue:
    return value[:_HEADING_WIDTH] if isinstance(value, str) else value


def _digest(columns: Mapping[str, JsonValue], distribution: Sequence[Mapping[str, JsonValue]]) -> str:
    """SHA-256 over what the row asks for, in pieces: it may be large."""
    found = sha256()
    values = [columns.get(name) for name in (*HEADING, *BODY)]
    values += [row.get(name) for row in distribution for name in DISTRIBUTION]
    for value in values:
        text = str(value).encode("utf-8", "surrogatepass")
        found.update(b"%d:" % len(text))
        found.update(text)
    return found.hexdigest()
