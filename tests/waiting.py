"""Waiting for what another thread or process brings about."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT_SECONDS: Final = 20.0
_PAUSE_SECONDS: Final = 0.005


def until(condition: Callable[[], bool], pause: Callable[[], object] | None = None) -> None:
    """Wait for it, within limits; between two looks `pause` is called, or some milliseconds pass."""
    end = time.monotonic() + LIMIT_SECONDS
    look = pause or _pause
    while not condition():
        assert time.monotonic() < end, "it did not come"
        look()


def _pause() -> None:
    threading.Event().wait(_PAUSE_SECONDS)
