"""What a configuration comes to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reportbus.core.model import JsonValue
    from reportbus.core.where import Where


@dataclass(frozen=True, slots=True)
class Effective:
    """One option as it is in force: its value without secrets, as text and as data, and its place."""

    name: str
    value: str
    where: Where
    data: JsonValue
