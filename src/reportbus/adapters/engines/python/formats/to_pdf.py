"""PDF: title, parameters, chart, table and totals on pages with numbers; text can be searched and copied."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

import pyarrow.compute as pc

from reportbus.adapters.engines.python.columns import NUMBERS
from reportbus.adapters.engines.python.formats.chart import draw
from reportbus.adapters.engines.python.formats.display import lead, one, texts
from reportbus.adapters.engines.python.formats.pdf.document import MARGIN, Document
from reportbus.adapters.engines.python.formats.pdf.fonts import Fonts
from reportbus.adapters.engines.python.formats.pdf.layout import lay_out
from reportbus.adapters.engines.python.formats.pdf.page import PALE_INK, Page, Shifted
from reportbus.adapters.engines.python.formats.pdf.table import Table
from reportbus.adapters.engines.python.formats.pdf.wrap import wrap
from reportbus.adapters.engines.python.formats.preview import Preview
from reportbus.adapters.engines.python.formats.totals import Totals
from reportbus.core.errors import Permanent

if TYPE_CHECKING:
    import pyarrow as pa

    from reportbus.adapters.engines.python.report import Report, Sink

MOST_PAGES: Final = 100_000
"""Nobody reads more; a report that large wants a format for data."""

_TITLE_SIZE: Final = 16.0
_LEAD_SIZE: Final = 8.5
_CHART_HEIGHT: Final = 190.0
_ROWS_MEASURED: Final = 400
"""Widths are taken from so many rows; later texts that are longer are broken into lines."""


def write(report: Report, sink: Sink) -> None:
    """Write the report. Raises Permanent PY_PDF_LIMIT past the largest number of pages."""
    totals = Totals(report)
    preview = Preview(report)
    sample = [_first_texts(report, preview, number) for number in range(len(report.columns))]
    layout = lay_out(report.columns, sample, Fonts(), landscape=report.definition.landscape, margin=MARGIN)
    document = Document(sink, report.definition.title, report.requested_at, layout.page)
    table = Table(document, layout, [column.label for column in report.columns])
    page = document.page()
    table.begin(page, _head(page, document.fonts, report, preview))
    for batch in preview.batches():
        totals.add(batch)
        _add_rows(report, table, batch, document)
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


def _add_rows(report: Report, table: Table, batch: pa.RecordBatch, document: Document) -> None:
    cells = [texts(column, array) for column, array in zip(report.columns, batch.columns, strict=True)]
    rows = zip(*cells, strict=True)
    while part := list(islice(rows, 1_000)):
        for row in part:
            table.add(row)
        report.watch.check()
        if document.pages > MOST_PAGES:
            text = f"the report has more than {MOST_PAGES:,} pages; ask for it as XLSX, CSV or PARQUET"
            raise Permanent("PY_PDF_LIMIT", text)


def _head(page: Page, fonts: Fonts, report: Report, preview: Preview) -> float:
    """Draw title, parameters and chart; where the table may begin."""
    room = page.wide - 2 * MARGIN
    y = MARGIN
    for line in wrap(fonts, report.definition.title, room / _TITLE_SIZE, bold=True):
        y += _TITLE_SIZE * 1.2
        page.text(MARGIN, y - 4, line, _TITLE_SIZE, bold=True)
    for paragraph in lead(report):
        for line in wrap(fonts, paragraph, room / _LEAD_SIZE):
            y += _LEAD_SIZE * 1.35
            page.text(MARGIN, y, line, _LEAD_SIZE, colour=PALE_INK)
    y += 12
    if preview.chart is not None:
        draw(preview.chart, Shifted(page, MARGIN, y), room, _CHART_HEIGHT)
        y += _CHART_HEIGHT + 10
    return y
