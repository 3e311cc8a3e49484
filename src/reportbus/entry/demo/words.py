"""What the demo's sentences and headings are made of."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

_KILO: Final = 1000


def heading(number: int, text: str) -> None:
    """The beginning of an act."""
    click.echo()
    click.secho(f"{number}. {text}", bold=True)


def counted(words: Iterable[str]) -> str:
    """How often each of them is there: 98 COMPLETED, 2 FAILED."""
    return ", ".join(f"{number} {word}" for word, number in sorted(Counter(words).items()))


def size(number: int) -> str:
    """A number of bytes: 950 B, 14 kB, 3.8 MB."""
    value = float(number)
    for unit in ("B", "kB", "MB"):
        if value < _KILO:
            return f"{value:.1f} {unit}" if unit == "MB" else f"{value:.0f} {unit}"
        value /= _KILO
    return f"{value:.1f} GB"
