"""The object-created event of staging, as the text of a bus message, and back.

It says "look at this key" and nothing that is believed: what is staged is known from the ledger, and its
bytes are hashed before they are delivered.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from reportbus.core.text import one_line

if TYPE_CHECKING:
    from reportbus.core.model import JsonValue

_LONGEST: Final = 8_192
_SHA256: Final = re.compile(r"[0-9a-f]{64}")

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Created:
    """An object that came to stand under `key` on staging: `size` in bytes, `sha256` in hexadecimal."""

    key: str
    size: int
    sha256: str


def created_to_text(event: Created) -> str:
    """The message's body."""
    fields: dict[str, JsonValue] = {"key": event.key, "size": event.size, "sha256": event.sha256}
    return _ENCODER.encode(fields)


def created_from_text(text: str) -> Created:
    """What a message says. ValueError, with the reason, for a text that is no such event."""
    if len(text) > _LONGEST:
        raise ValueError(f"it has {len(text):,} characters")
    try:
        data: Any = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    match data:
        case {"key": str(key), "size": int(size), "sha256": str(sha256)} if _SHA256.fullmatch(sha256):
            return Created(key, size, sha256)
        case _:
            raise ValueError(f"it is no object with key, size and sha256: {one_line(text, 80)}")
