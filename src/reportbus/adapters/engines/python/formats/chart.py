"""Charts as lines, areas and texts, drawn with whatever pen the format brings."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from reportbus.adapters.engines.python.columns import NUMBERS, Column
from reportbus.adapters.engines.python.formats.display import texts
from reportbus.adapters.engines.python.formats.text import shortened
from reportbus.core.errors import Permanent

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from reportbus.adapters.engines.python.report import Report
    from reportbus.adapters.engines.python.styles import ChartStyle

MOST_POINTS: Final = 5_000
"""Rows a chart is drawn from, at most; a longer report goes without, and says so."""

COLOURS: Final = ("#2f6fb2", "#e07b39", "#3a9a68", "#b5475c", "#7a5ba6", "#8a6d3b", "#4aa3a8", "#666f7a")
_GRID, _INK = "#d9dee4", "#47525d"
_SIZE: Final = 7.5
_TITLE_SIZE: Final = 10.0
_LONGEST_NAME: Final = 18  # characters below the axis


class Pen(Protocol):
    """Draws on a surface whose origin is at its top left, y growing downwards, in points."""

    def line(self, points: Sequence[tuple[float, float]], colour: str, width: float) -> None:
        """A line through the points."""

    def area(self, points: Sequence[tuple[float, float]], colour: str, opacity: float) -> None:
        """A filled area with the points as corners."""

    def text(self, x: float, y: float, text: str, size: float, anchor: str, colour: str) -> None:
        """Text on the base line y; `anchor` is start, middle or end."""

    def width(self, text: str, size: float) -> float:
        """How wide the text is."""


@dataclass(slots=True)
class ChartData:
    """What a chart shows: names along x, and for each series a value or nothing for each of them."""

    style: ChartStyle
    x: Column
    series: tuple[Column, ...]
    names: list[str] = field(default_factory=list)
    values: list[list[float | None]] = field(default_factory=list)

    @classmethod
    def of(cls, report: Report, style: ChartStyle) -> ChartData:
        """An empty chart. Raises Permanent PY_COLUMN where its columns are not there or are no numbers."""
        by_name = {column.name: column for column in report.columns}
        for name in (style.x, *style.y):
            if name not in by_name:
                raise Permanent(
                    "PY_COLUMN", f"`chart` names column {name!r}; the query has {', '.join(by_name)}"
                )
        for name in style.y:
            if by_name[name].kind not in NUMBERS:
                raise Permanent(
                    "PY_COLUMN", f"`chart`: column {name!r} is {by_name[name].kind} and has no height"
                )
        series = tuple(by_name[name] for name in style.y)
        return cls(style, by_name[style.x], series, values=[[] for _ in series])

    def add(self, batch: pa.RecordBatch) -> None:
        """Take a batch of plain values into the chart."""
        names = batch.schema.names
        self.names += texts(self.x, batch.columns[names.index(self.x.name)])
        for column, values in zip(self.series, self.values, strict=True):
            found = batch.columns[names.index(column.name)].to_pylist()
            values += [
                float(value) if value is not None and math.isfinite(value) else None for value in found
            ]


def draw(data: ChartData, pen: Pen, width: float, height: float) -> None:
    """Draw the chart into a rectangle of that size."""
    top = 8.0
    if data.style.title:
        pen.text(0, top + _TITLE_SIZE - 2, data.style.title, _TITLE_SIZE, "start", _INK)
        top += _TITLE_SIZE + 8
    if len(data.series) > 1:
        _legend(data, pen, top + _SIZE)
        top += _SIZE + 8
    scale = _Scale.over([value for values in data.values for value in values if value is not None])
    marks = [(step, scale.label(step)) for step in scale.steps()]
    left = max(pen.width(label, _SIZE) for _, label in marks) + 6
    plot = _Plot(left, top, width - 4, height - 16, scale)
    for step, label in marks:
        y = plot.y(step)
        pen.line([(plot.left, y), (plot.right, y)], _INK if step == 0 else _GRID, 0.6)
        pen.text(plot.left - 4, y + _SIZE * 0.35, label, _SIZE, "end", _INK)
    _names(data, pen, plot)
    if data.style.kind == "bar":
        _bars(data, pen, plot)
    else:
        _lines(data, pen, plot)


@dataclass(frozen=True, slots=True)
class _Scale:
    """A value axis from `low` to `high` in round steps."""

    low: float
    high: float
    step: float

    @classmethod
    def over(cls, values: Sequence[float]) -> _Scale:
        least, most = min(0.0, *values, 0.0), max(0.0, *values, 0.0)
        if least == most:
            most = 1.0
        rough = (most - least) / 4
        unit = 10.0 ** math.floor(math.log10(rough))
        step = next(unit * times for times in (1, 2, 2.5, 5, 10) if unit * times >= rough * 0.999)
        return cls(math.floor(least / step) * step, math.ceil(most / step) * step, step)

    def steps(self) -> list[float]:
        return [
            self.low + number * self.step for number in range(round((self.high - self.low) / self.step) + 1)
        ]

    def label(self, value: float) -> str:
        for unit, sign in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
            if max(abs(self.low), abs(self.high)) >= unit:
                return f"{value / unit:.4g}{sign}" if value else "0"
        return f"{value:.6g}" if abs(value) > self.step / 1e6 else "0"


@dataclass(frozen=True, slots=True)
class _Plot:
    """The rectangle the values are drawn in."""

    left: float
    top: float
    right: float
    bottom: float
    scale: _Scale

    def y(self, value: float) -> float:
        share = (value - self.scale.low) / (self.scale.high - self.scale.low)
        return self.bottom - share * (self.bottom - self.top)

    def slot(self, count: int) -> float:
        """The width that each of `count` names has."""
        return (self.right - self.left) / max(count, 1)


def _legend(data: ChartData, pen: Pen, y: float) -> None:
    x = 0.0
    for number, column in enumerate(data.series):
        pen.area([(x, y - 6), (x + 7, y - 6), (x + 7, y + 1), (x, y + 1)], COLOURS[number], 1)
        pen.text(x + 10, y, column.heading, _SIZE, "start", _INK)
        x += pen.width(column.heading, _SIZE) + 24


def _names(data: ChartData, pen: Pen, plot: _Plot) -> None:
    """The names below the axis, as many as fit side by side."""
    slot = plot.slot(len(data.names))
    shown = [shortened(name, _LONGEST_NAME) for name in data.names]
    widest = max((pen.width(name, _SIZE) for name in shown), default=1.0) + 8
    every = max(1, math.ceil(widest / slot))
    for number in range(0, len(shown), every):
        middle = plot.left + slot * (number + 0.5)
        pen.text(middle, plot.bottom + _SIZE + 5, shown[number], _SIZE, "middle", _INK)


def _bars(data: ChartData, pen: Pen, plot: _Plot) -> None:
    slot = plot.slot(len(data.names))
    room = slot * 0.76 / len(data.series)
    for series, values in enumerate(data.values):
        for number, value in enumerate(values):
            if value is None:
                continue
            left = plot.left + slot * (number + 0.12) + room * series
            right = left + max(room * 0.94, 0.2)
            y, base = plot.y(value), plot.y(0)
            pen.area([(left, y), (right, y), (right, base), (left, base)], COLOURS[series], 1)


def _lines(data: ChartData, pen: Pen, plot: _Plot) -> None:
    slot = plot.slot(len(data.names))
    for series, values in enumerate(data.values):
        for stretch in _stretches(values):
            points = [(plot.left + slot * (number + 0.5), plot.y(value)) for number, value in stretch]
            if data.style.kind == "area":
                ground = [(points[-1][0], plot.y(0)), (points[0][0], plot.y(0))]
                pen.area([*points, *ground], COLOURS[series], 0.25)
            pen.line(points, COLOURS[series], 1.4)


def _stretches(values: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """The values in stretches without a gap."""
    found: list[list[tuple[int, float]]] = [[]]
    for number, value in enumerate(values):
        if value is not None:
            found[-1].append((number, value))
        elif found[-1]:
            found.append([])
    return [stretch for stretch in found if stretch]
