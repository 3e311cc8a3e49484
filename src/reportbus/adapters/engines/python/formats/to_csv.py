"""CSV: UTF-8, comma, text in quotes, a header row; empty for nothing, "" for text without characters.

Days are YYYY-MM-DD, timestamps YYYY-MM-DD HH:MM:SS with their fraction where they have one, and Z behind
instants: ISO 8601 as databases write it and spreadsheets read it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa
from pyarrow.csv import WriteOptions, write_csv

from reportbus.adapters.engines.python.columns import Kind
from reportbus.adapters.engines.python.formats.files import SinkFile
from reportbus.adapters.engines.python.formats.guard import defused, defused_text, guarded
from reportbus.adapters.engines.python.formats.text import timestamp_text

if TYPE_CHECKING:
    from reportbus.adapters.engines.python.columns import Column
    from reportbus.adapters.engines.python.report import Report, Sink

_OPTIONS: Final = WriteOptions(include_header=False, batch_size=65_536, quoting_style="needed")


def write(report: Report, sink: Sink) -> None:
    """Write the report."""
    guard = guarded(report)
    labels = [defused_text(column.label) if guard else column.label for column in report.columns]
    sink.write((",".join(map(_quoted, labels)) + "\n").encode())
    file = pa.PythonFile(SinkFile(sink), mode="w")
    names = [str(number) for number in range(len(labels))]
    for batch in report.plain_batches():
        pairs = zip(report.columns, batch.columns, strict=True)
        cells = [_cells(column, array, guard=guard) for column, array in pairs]
        write_csv(pa.record_batch(cells, names=names), file, _OPTIONS)


def _cells(column: Column, array: pa.Array, *, guard: bool) -> pa.Array:
    if column.kind is Kind.TEXT and guard:
        return defused(array)
    if column.kind is Kind.TIMESTAMP:
        return timestamp_text(array, instant=column.instant, text=False)
    return array


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
