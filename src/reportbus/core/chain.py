"""The audit chain: each row carries the hash of itself and of the row before it."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

FIRST: Final = "0" * 64
"""What stands before a request's first row."""


def link(  # noqa: PLR0913, PLR0917 - the columns of an audit row
    previous: str,
    log_id: str,
    request_id: str,
    sequence: int,
    event_type: str,
    at: str,
    old_status: str,
    new_status: str,
    component: str,
    details: str,
) -> str:
    """The hash of an audit row: SHA-256 over the hash before it and the row's columns.

    The columns' lengths lead, so that no two rows have the same bytes whatever the columns contain.
    """
    lengths = (
        f"{len(log_id)} {len(request_id)} {len(event_type)} {len(at)} {len(old_status)} {len(new_status)} "
        f"{len(component)} {sequence}"
    )
    columns = f"{log_id}{request_id}{event_type}{at}{old_status}{new_status}{component}{details}"
    text = f"{previous} {lengths} {columns}"
    return sha256(text.encode()).hexdigest()
