"""Which of the due jobs goes first: priority and age as one number."""

from __future__ import annotations

from typing import Final

from reportbus.core.model import HIGHEST_PRIORITY

AGEING_SECONDS: Final = 300.0
"""How much age outweighs one level of priority: nothing starves, since everything grows older."""


def rank(priority: int, accepted_at: float) -> float:
    """The rank of a request and all its jobs, for good; the smallest goes first.

    `accepted_at` is in seconds since 1970.
    """
    return accepted_at + (priority - HIGHEST_PRIORITY) * AGEING_SECONDS
