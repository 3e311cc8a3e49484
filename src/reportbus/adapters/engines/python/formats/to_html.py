"""HTML: one file that needs no other, for screens and for printing; every text escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from reportbus.adapters.engines.python.columns import NUMBERS, Kind
from reportbus.adapters.engines.python.formats.chart import ChartData, draw
from reportbus.adapters.engines.python.formats.display import lead, texts
from reportbus.adapters.engines.python.formats.preview import Preview
from reportbus.adapters.engines.python.formats.totals import Totals

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from reportbus.adapters.engines.python.columns import Column
    from reportbus.adapters.engines.python.report import Report, Sink

_STYLE: Final = """
:root{color-scheme:light;--ink:#1f2933;--pale:#616e7c;--rule:#dfe4ea;--head:#e8edf3}
*{box-sizing:border-box}
body{margin:0 auto;padding:2rem 1.5rem;max-width:90rem;color:var(--ink);background:#fff;
font:14px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
h1{margin:0 0 .3rem;font-size:1.6rem;line-height:1.25}
header p{margin:.15rem 0;color:var(--pale);white-space:pre-line;overflow-wrap:anywhere}
figure{margin:1.2rem 0}svg{display:block;width:100%;height:auto;max-width:60rem}
svg text{font-family:inherit}
.table{overflow-x:auto;margin-top:1.2rem}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.32rem .6rem;text-align:left;vertical-align:top}
td{border-bottom:1px solid var(--rule);overflow-wrap:break-word;white-space:pre-wrap;max-width:34rem}
thead th{background:var(--head);position:sticky;top:0}
.n{text-align:right}.n,.w{white-space:nowrap}
tfoot td{font-weight:600}tfoot tr:first-child td{border-top:2px solid #9aa5b1}
footer{margin-top:1rem;color:var(--pale)}
@media print{@page{margin:14mm}body{padding:0;max-width:none;font-size:9pt}.table{overflow:visible}
thead{display:table-header-group}thead th{position:static}tr{break-inside:avoid}
tfoot{display:table-row-group}td{max-width:none}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
"""

_POLICY: Final = "default-src 'none';style-src 'unsafe-inline'"
_CHART_WIDTH, _CHART_HEIGHT = 720.0, 240.0
_ROWS_AT_ONCE: Final = 5_000
_WIDTH_OF_A_CHARACTER: Final = 0.56  # of its size, in a typeface nobody knows here


def write(report: Report, sink: Sink) -> None:
    """Write the report."""
    totals = Totals(report)
    preview = Preview(report)
    classes = [_class(column) for column in report.columns]
    sink.write(_beginning(report, preview.chart, classes).encode())
    for batch in preview.batches():
        totals.add(batch)
        for first in range(0, batch.num_rows, _ROWS_AT_ONCE):
            part = batch.slice(first, _ROWS_AT_ONCE)
            sink.write(_rows(report.columns, part, classes).encode("utf-8", "replace"))
    sink.write(_ending(report, totals, classes).encode())


def _beginning(report: Report, chart: ChartData | None, classes: Sequence[str]) -> str:
    title = escape(report.definition.title)
    lines = "".join(f"<p>{escape(line)}</p>" for line in lead(report))
    figure = f"<figure>{_svg(chart)}</figure>" if chart is not None else ""
    head = "".join(
        f'<th scope="col"{class_}>{escape(column.heading)}</th>'
        for column, class_ in zip(report.columns, classes, strict=True)
    )
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<header><h1>{title}</h1>{lines}</header>\n{figure}\n"
        f'<div class="table"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n'
    )


def _rows(columns: Sequence[Column], batch: pa.RecordBatch, classes: Sequence[str]) -> str:
    cells = [
        [f"<td{class_}>{escape(text, quote=False)}</td>" for text in texts(column, array)]
        for column, array, class_ in zip(columns, batch.columns, classes, strict=True)
    ]
    return "".join(f"<tr>{''.join(row)}</tr>\n" for row in zip(*cells, strict=True))


def _ending(report: Report, totals: Totals, classes: Sequence[str]) -> str:
    rows = "".join(
        "<tr>"
        + "".join(f"<td{class_}>{escape(text)}</td>" for text, class_ in zip(row, classes, strict=True))
        + "</tr>\n"
        for row in totals.rows()
    )
    foot = f"<tfoot>\n{rows}</tfoot>\n" if rows else ""
    count = "1 row" if report.rows == 1 else f"{report.rows:,} rows"
    notes = "".join(f" · {escape(note)}" for note in report.notes)
    return f"</tbody>\n{foot}</table></div>\n<footer>{count}{notes}</footer>\n</body>\n</html>\n"


def _class(column: Column) -> str:
    """The attribute of the column's cells: numbers stand on the right, and but texts nothing is broken."""
    if column.kind is Kind.TEXT:
        return ""
    return ' class="n"' if column.kind in NUMBERS else ' class="w"'


def _svg(chart: ChartData) -> str:
    pen = _SvgPen()
    draw(chart, pen, _CHART_WIDTH, _CHART_HEIGHT)
    title = escape(chart.style.title or ", ".join(column.heading for column in chart.series))
    return (
        f'<svg viewBox="0 0 {_CHART_WIDTH:.0f} {_CHART_HEIGHT:.0f}" role="img" aria-label="{title}">'
        + "".join(pen.parts)
        + "</svg>"
    )


class _SvgPen:
    """A `Pen` that writes SVG."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def line(self, points: Sequence[tuple[float, float]], colour: str, width: float) -> None:
        """Fills `Pen`."""
        self.parts.append(
            f'<polyline points="{_points(points)}" fill="none" stroke="{colour}" stroke-width="{width}" '
            f'stroke-linejoin="round"/>'
        )

    def area(self, points: Sequence[tuple[float, float]], colour: str, opacity: float) -> None:
        """Fills `Pen`."""
        pale = f' fill-opacity="{opacity}"' if opacity < 1 else ""
        self.parts.append(f'<polygon points="{_points(points)}" fill="{colour}"{pale}/>')

    def text(self, x: float, y: float, text: str, size: float, anchor: str, colour: str) -> None:
        """Fills `Pen`."""
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}">'
            f"{escape(text)}</text>"
        )

    def width(self, text: str, size: float) -> float:
        """Fills `Pen`."""
        return len(text) * size * _WIDTH_OF_A_CHARACTER


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
