"""PDF: title, parameters, chart, table and totals on pages with numbers; text can be searched and copied."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

import pyarrow.compute as pc

from reportbus.adapters.engines.python.columns import NUMBERS
from reportbus.adapters.engines.python.formats.display import one, texts
from reportbus.adapters.engines.python.formats.pdf.document import MARGIN, Document
from reportbus.adapters.engines.python.formats.pdf.fonts import Fonts
from reportbus.adapters.engines.python.formats.pdf.head import draw_head
from reportbus.adapters.engines.python.formats.pdf.layout import lay_out
from reportbus.adapters.engines.python.formats.pdf.table import Table
from reportbus.adapters.engines.python.formats.preview import Preview
from reportbus.adapters.engines.python.formats.totals import Totals

if TYPE_CHECKING:
    import pyarrow as pa

    from reportbus.adapters.engines.python.report import Report, Sink

_ROWS_MEASURED: Final = 400
"""Widths are taken from so many rows; later texts that are longer are broken into lines."""


def write(report: Report, sink: Sink) -> None:
    """Write the report. Raises Permanent PY_PDF_LIMIT past the largest number of pages."""
    totals = Totals(report)
    preview = Preview(report)
    sample = [_first_texts(report, preview, number) for number in range(len(report.columns))]
    layout = lay_out(report.columns, sample, Fonts(), landscape=report.definition.landscape, margin=MARGIN)
    document = Document(sink, report.definition.title, report.requested_at, layout.page, report.watch)
    table = Table(document, layout, [column.heading for column in report.columns])
    table.begin(*draw_head(document, report, preview.chart))
    for batch in preview.batches():
        totals.add(batch)
        _add_rows(report, table, batch)
    for row in totals.rows() if report.rows else [["no rows", *[""] * (len(report.columns) - 1)]]:
        table.add_total(row)
    table.finish()
    document.close()


def _first_texts(report: Report, preview: Preview, number: int) -> list[str]:
    if preview.first is None:
        return []
    column, array = report.columns[number], preview.first.columns[number]
    found = texts(column, array.slice(0, _ROWS_MEASURED))
    if column.kind in NUMBERS:
        found += [one(column, value) for value in pc.min_max(array).as_py().values() if value is not None]
    return found


def _add_rows(report: Report, table: Table, batch: pa.RecordBatch) -> None:
    cells = [texts(column, array) for column, array in zip(report.columns, batch.columns, strict=True)]
    rows = zip(*cells, strict=True)
    while part := list(islice(rows, 1_000)):
        for row in part:
            table.add(row)
        report.watch.check()
