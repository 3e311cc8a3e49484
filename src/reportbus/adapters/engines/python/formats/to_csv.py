"""CSV: UTF-8, comma, text in quotes, a header row; empty for nothing, "" for text without characters.

Days are YYYY-MM-DD, timestamps YYYY-MM-DD HH:MM:SS with their fraction where they have one, and Z behind
instants: ISO 8601 as databases write it and spreadsheets read it. Text loses its NULs: no reader takes them.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final

import pyarrow as pa
from pyarrow.csv import WriteOptions, write_csv

from reportbus.adapters.engines.python.columns import Kind
from reportbus.adapters.engines.python.formats.ahead import done_ahead
from reportbus.adapters.engines.python.formats.guard import defused, defused_text, guarded
from reportbus.adapters.engines.python.formats.text import timestamp_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reportbus.adapters.engines.python.columns import Column
    from reportbus.adapters.engines.python.report import Report, Sink

_NUL: Final = re.compile(b"\0")
_OPTIONS: Final = WriteOptions(include_header=False, batch_size=65_536, quoting_style="needed")


def write(report: Report, sink: Sink) -> None:
    """Write the report."""
    guard = guarded(report)
    labels = [defused_text(column.label) if guard else column.label for column in report.columns]
    sink.write(_NUL.sub(b"", (",".join(map(_quoted, labels)) + "\n").encode()))
    for lines in done_ahead(partial(_lines, report.columns, guard=guard), report.plain_batches()):
        sink.write(lines)


def _lines(columns: Sequence[Column], batch: pa.RecordBatch, *, guard: bool) -> memoryview:
    pairs = zip(columns, batch.columns, strict=True)
    cells = [_cells(column, array, guard=guard) for column, array in pairs]
    names = [str(number) for number in range(len(cells))]
    lines = pa.BufferOutputStream()
    write_csv(pa.record_batch(cells, names=names), lines, _OPTIONS)
    written = memoryview(lines.getvalue())
    return memoryview(_NUL.sub(b"", written)) if _NUL.search(written) else written


def _cells(column: Column, array: pa.Array, *, guard: bool) -> pa.Array:
    if column.kind is Kind.TEXT and guard:
        return defused(array)
    if column.kind is Kind.TIMESTAMP:
        return timestamp_text(array, instant=column.instant, text=False)
    return array


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
