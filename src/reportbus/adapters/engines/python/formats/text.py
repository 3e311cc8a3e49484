"""Values as text, for the formats that are text."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc


def shortened(text: str, longest: int) -> str:
    """The text, or as much of its beginning as leaves room for the ellipsis that says that there is more."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def timestamp_text(array: pa.Array, *, instant: bool, text: bool = True) -> pa.Array:
    """Timestamps as YYYY-MM-DD HH:MM:SS, with a fraction only where one of them has it, and Z for instants.

    Without `text` they may stay timestamps that Arrow writes in just that way.
    """
    array = whole_seconds(array)
    if instant:
        return pc.binary_join_element_wise(array.cast(pa.string()), "Z", "")
    return array.cast(pa.string()) if text else array


def whole_seconds(array: pa.Array) -> pa.Array:
    """The timestamps without the fraction that none of them has."""
    try:
        return array.cast(pa.timestamp("s"))
    except pa.ArrowInvalid:
        return array
