"""XLSX: one sheet with typed cells, a frozen header and filters.

It is written to a scratch file first, so nothing of a sheet that Excel could not hold ever reaches the sink.
Instants are written in UTC, since Excel's times have no zone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc
from rvgsrust_xlsxwriter import Workbook

from reportbus.adapters.engines.python.columns import Kind
from reportbus.adapters.engines.python.formats.guard import defused_text, guarded
from reportbus.adapters.engines.python.formats.masks import excel_mask
from reportbus.adapters.engines.python.formats.sheet import MOST_COLUMNS, Cells
from reportbus.adapters.engines.python.scratch import ScratchFolder
from reportbus.core.errors import Permanent, ReportbusError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rvgsrust_xlsxwriter import Format

    from reportbus.adapters.engines.python.columns import Column
    from reportbus.adapters.engines.python.report import Report, Sink

_HEADER_COLOUR: Final = "#E8EDF3"
_LONGEST_NAME: Final = 31  # characters of a sheet's name
_NOT_IN_NAMES: Final = re.compile(r"[\[\]:*?/\\\x00-\x1f']")
_NARROWEST, _WIDEST = 8, 60  # characters
_ROWS_MEASURED: Final = 1_000
_WIDTHS: Final = {Kind.DATE: 11, Kind.TIMESTAMP: 20, Kind.TIME: 10, Kind.BOOLEAN: 8}
_COPY_BYTES: Final = 1_048_576


def write(report: Report, sink: Sink) -> None:
    """Write the report. Raises Permanent PY_XLSX_LIMIT for what Excel cannot hold."""
    if len(report.columns) > MOST_COLUMNS:
        raise Permanent(
            "PY_XLSX_LIMIT", f"Excel holds {MOST_COLUMNS} columns; the report has {len(report.columns)}"
        )
    with ScratchFolder("reportbus-xlsx-") as folder:
        path = folder.path / "report.xlsx"
        with Workbook(str(path)) as book:
            _fill(book, report)
        with path.open("rb") as file:
            while piece := file.read(_COPY_BYTES):
                sink.write(piece)


def _fill(book: Workbook, report: Report) -> None:
    guard = guarded(report)
    title = report.definition.title
    book.set_properties(title=title)
    sheet = book.add_worksheet(_sheet_name(title), constant_memory=True)
    rows = _Rows(report, Cells(report, guard=guard))
    for number, width in enumerate(rows.widths):
        sheet.set_column_width(number, width)
    header = book.add_format().set_bold().set_background_color(_HEADER_COLOUR)
    labels = [defused_text(column.label) if guard else column.label for column in report.columns]
    sheet.freeze_panes(1, 0)
    sheet.set_repeat_rows(0, 0)
    sheet.write_row(0, 0, labels, header)
    sheet.write_dataframe(
        1, 0, rows.reader(), write_header=False, column_formats=_formats(book, report.columns)
    )
    rows.raise_failure()
    sheet.autofilter(0, 0, report.rows, len(report.columns) - 1)


def _formats(book: Workbook, columns: tuple[Column, ...]) -> dict[str, Format]:
    masks = {str(number): excel_mask(column) for number, column in enumerate(columns)}
    return {number: book.add_format().set_num_format(mask) for number, mask in masks.items() if mask}


def _sheet_name(title: str) -> str:
    return _NOT_IN_NAMES.sub(" ", title)[:_LONGEST_NAME].strip() or "Report"


class _Rows:
    """The report's rows as cells. The library asks for them one batch after the other.

    What goes wrong meanwhile is kept, since the library would make another error of it.
    """

    def __init__(self, report: Report, cells: Cells) -> None:
        self._report = report
        self._cells = cells
        self._failure: BaseException | None = None
        self._batches = self._all()
        self._first = next(self._batches, None)
        self.raise_failure()

    @property
    def widths(self) -> list[float]:
        """How wide each column should be, in characters, from its first rows."""
        arrays = self._first.columns if self._first is not None else [None] * len(self._report.columns)
        return [_width(column, array) for column, array in zip(self._report.columns, arrays, strict=True)]

    def reader(self) -> pa.RecordBatchReader:
        """All rows."""
        return pa.RecordBatchReader.from_batches(self._cells.schema, self._from_first())

    def raise_failure(self) -> None:
        """Raise what went wrong, if anything did."""
        if self._failure is not None:
            raise self._failure

    def _from_first(self) -> Iterator[pa.RecordBatch]:
        if self._first is not None:
            yield self._first
        yield from self._batches

    def _all(self) -> Iterator[pa.RecordBatch]:
        try:
            for batch in self._report.plain_batches():
                yield self._cells.of(batch)
        except ReportbusError as error:
            self._failure = error


def _width(column: Column, array: pa.Array | None) -> float:
    widest = len(column.label) + 3  # the filter's button
    if column.kind in _WIDTHS:
        widest = max(widest, _WIDTHS[column.kind])
    elif array is not None:
        texts = array.slice(0, _ROWS_MEASURED).cast(pa.string())
        widest = max(widest, (pc.max(pc.utf8_length(texts)).as_py() or 0) + 2)
    return float(min(max(widest, _NARROWEST), _WIDEST))
