"""How a table is laid out: the size of its text, the width of its columns, and which stand side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reportbus.adapters.engines.python.columns import NUMBERS, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reportbus.adapters.engines.python.columns import Column
    from reportbus.adapters.engines.python.formats.pdf.fonts import Fonts

PADDING: Final = 4.0  # left and right of a cell's text
PORTRAIT: Final = (595.28, 841.89)
LANDSCAPE: Final = (841.89, 595.28)

_SIZES: Final = (8.0, 7.0, 6.0)
_NARROWEST_TEXT: Final = 9.0  # times the size of the text: no text column is squeezed further
_WIDEST_LABEL: Final = 20.0  # times the size of the text: a longer word above a column is broken
_WIDEST_TEXT: Final = 45.0  # times the size of the text: longer texts are broken into lines


@dataclass(frozen=True, slots=True)
class Cell:
    """A column's place in its band: number in the report, left edge and width in points, and its side."""

    number: int
    left: float
    width: float
    right_aligned: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """A table's layout. A table too wide for a page goes in `bands`, each with the first column in front."""

    page: tuple[float, float]
    size: float
    bands: tuple[tuple[Cell, ...], ...]


def lay_out(
    columns: Sequence[Column],
    samples: Sequence[Sequence[str]],
    fonts: Fonts,
    *,
    landscape: bool | None,
    margin: float,
) -> Layout:
    """The layout of columns; `samples` are their first texts. None for landscape lets the width decide."""
    natural = [_natural(column, sample, fonts) for column, sample in zip(columns, samples, strict=True)]
    least = [_least(column, width) for column, width in zip(columns, natural, strict=True)]
    if landscape is None:
        room = PORTRAIT[0] - 2 * margin
        landscape = sum(natural) * _SIZES[0] + 2 * PADDING * len(columns) > room * 1.15
    page = LANDSCAPE if landscape else PORTRAIT
    room = page[0] - 2 * margin
    for size in _SIZES:
        widths = _fitted(natural, least, size, room)
        if widths is not None:
            return Layout(page, size, (_placed(columns, range(len(columns)), widths, margin),))
    size = _SIZES[-1]
    widths = [width * size + 2 * PADDING for width in least]
    return Layout(page, size, _bands(columns, widths, room, margin))


def _natural(column: Column, sample: Sequence[str], fonts: Fonts) -> float:
    """The width at size 1 with which nothing is broken, within reason."""
    widest = max((fonts.width(text) for text in sample), default=0.0)
    label = max((fonts.width(word, bold=True) for word in column.heading.split()), default=0.0)
    label = max(min(label, _WIDEST_LABEL), min(fonts.width(column.heading, bold=True), 8.0))
    if column.kind is Kind.TEXT:
        widest = min(widest, _WIDEST_TEXT)
    return max(widest, label, 1.5)


def _least(column: Column, natural: float) -> float:
    """The width at size 1 that the column needs: numbers and days are never broken."""
    return min(natural, _NARROWEST_TEXT) if column.kind is Kind.TEXT else natural


def _fitted(natural: Sequence[float], least: Sequence[float], size: float, room: float) -> list[float] | None:
    """The columns' widths in points so that they fill the room; None where they need more."""
    room -= 2 * PADDING * len(natural)
    if sum(least) * size > room:
        return None
    if sum(natural) * size <= room:
        spare = (room - sum(natural) * size) / sum(natural)
        return [width * (size + spare) + 2 * PADDING for width in natural]
    share = (room - sum(least) * size) / (sum(natural) - sum(least))
    return [
        small * size + (large - small) * share + 2 * PADDING
        for small, large in zip(least, natural, strict=True)
    ]


def _bands(
    columns: Sequence[Column], widths: Sequence[float], room: float, margin: float
) -> tuple[tuple[Cell, ...], ...]:
    widths = [min(width, room / 2) for width in widths]
    bands: list[list[int]] = [[0]]
    used = widths[0]
    for number in range(1, len(widths)):
        if used + widths[number] > room:
            bands.append([0])
            used = widths[0]
        bands[-1].append(number)
        used += widths[number]
    found = []
    for band in bands:
        spare = (room - sum(widths[number] for number in band)) / len(band)
        found.append(_placed(columns, band, [widths[number] + spare for number in band], margin))
    return tuple(found)


def _placed(
    columns: Sequence[Column], numbers: Sequence[int], widths: Sequence[float], margin: float
) -> tuple[Cell, ...]:
    cells = []
    left = margin
    for number, width in zip(numbers, widths, strict=True):
        cells.append(Cell(number, left, width, right_aligned=columns[number].kind in NUMBERS))
        left += width
    return tuple(cells)
