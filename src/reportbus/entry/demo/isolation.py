"""How far the demo's script can be kept apart here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportbus.core.errors import Permanent

if TYPE_CHECKING:
    from pathlib import Path


def isolation(scratch: Path) -> str:
    """In namespaces where they can be had, else by limits alone: the demo's own script can be trusted.

    The degree between the two, another user, would need a checkout that every user can read.
    """
    from reportbus.adapters.engines.python.launcher.order import LIMITS, NAMESPACES
    from reportbus.adapters.engines.python.sandbox import Sandbox

    try:
        return Sandbox(scratch, isolation=NAMESPACES).isolation()
    except Permanent:
        return LIMITS
