"""Object-created events of staging, as the text of a bus message, and back.

A message has the events of files that were staged together. It says "look at these keys" and nothing that is
believed: what is staged is known from the ledger, and its bytes are hashed before they are delivered.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from reportbus.core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reportbus.core.model import JsonValue

RECORDS: Final = 500
"""At most this many events go into one message."""

_LONGEST: Final = 1_000_000
_SHA256: Final = re.compile(r"[0-9a-f]{64}")

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Created:
    """An object that came to stand under `key` on staging: `size` in bytes, `sha256` in hexadecimal."""

    key: str
    size: int
    sha256: str


def created_to_text(events: Sequence[Created]) -> str:
    """The message's body."""
    return _ENCODER.encode({"records": [{"key": e.key, "size": e.size, "sha256": e.sha256} for e in events]})


def created_from_text(text: str) -> list[Created]:
    """What a message says. ValueError, with the reason, for a text that is no such message."""
    if len(text) > _LONGEST:
        raise ValueError(f"it has {len(text):,} characters")
    try:
        data: Any = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    match data:
        case {"records": list(records)}:
            return [_record(record) for record in records]
        case _:
            raise ValueError(f"it is no object with records: {one_line(text, 80)}")


def _record(record: JsonValue) -> Created:
    match record:
        case {"key": str(key), "size": int(size), "sha256": str(sha256)} if _SHA256.fullmatch(sha256):
            return Created(key, size, sha256)
        case _:
            raise ValueError(f"a record is no object with key, size and sha256: {one_line(repr(record), 80)}")
