"""One request as the demo asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportbus.core.model import JsonValue

    Target = dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. `targets` stand in its column, `table` holds (type, path) of rows in the targets' table.

    `notify` is None where the platform's own rule is to hold.
    """

    report: str
    format: str
    parameters: Mapping[str, JsonValue]
    file_name: str
    by: str
    priority: int
    targets: tuple[Target, ...] = ()
    table: tuple[tuple[str, str], ...] = ()
    notify: tuple[Target, ...] | None = None


def folder(path: str) -> Target:
    """A folder of the demo's own destination."""
    return {"type": "NAS", "destination": "delivered", "path": path}


def mail(to: str, subject: str, body: str = "") -> Target:
    """A mail with the report."""
    return {"type": "EMAIL", "to": [to], "subject": subject, **({"body": body} if body else {})}


def tell(by: str, *on: str) -> Target:
    """A notice to whoever asks, at these ends or at any."""
    return {"type": "EMAIL", "to": [f"{by}@airports.example"], **({"on": [*on]} if on else {})}
