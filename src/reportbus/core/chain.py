"""The audit chain: each row carries the hash of itself and of the row before it."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

FIRST: Final = "0" * 64
"""What stands before a request's first row."""


def link(previous: str, *fields: str) -> str:
    """The hash of a row: SHA-256 over the hash before it and the row's fields, each led by its length.

    The lengths keep fields apart whatever they contain, so that no two rows have the same bytes.
    """
    text = previous + "".join([f"{len(field)}:{field}" for field in fields])
    return sha256(text.encode()).hexdigest()
