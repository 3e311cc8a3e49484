"""Parquet: every type as the database has it.

Snappy, dictionaries for text, deltas for whole numbers and times.

Dictionaries for numbers would cost half of all the time, and are given up once a column has many values
anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa
from pyarrow.parquet import ParquetWriter

from reportbus.adapters.engines.python.formats.files import SinkFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reportbus.adapters.engines.python.report import Report, Sink

_GROUP_ROWS: Final = 122_880
_MOST_DIGITS_OF_AN_INTEGER: Final = 18  # decimals up to here are stored as whole numbers
_GROUP_BYTES: Final = 64 * 1024 * 1024


def write(report: Report, sink: Sink) -> None:
    """Write the report. Columns keep their names: labels are for people."""
    fields = [pa.field(column.name, column.stored) for column in report.columns]
    writer = ParquetWriter(
        pa.PythonFile(SinkFile(sink), mode="w"),
        pa.schema(fields),
        compression="snappy",
        store_decimal_as_integer=True,
        use_dictionary=[field.name for field in fields if pa.types.is_string(field.type)],
        column_encoding={field.name: "DELTA_BINARY_PACKED" for field in fields if _takes_deltas(field.type)},
    )
    with writer:
        for group in _groups(report, pa.schema(fields)):
            writer.write_table(group)


def _takes_deltas(type_: pa.DataType) -> bool:
    is_ = pa.types
    if is_.is_decimal(type_):
        return bool(type_.precision <= _MOST_DIGITS_OF_AN_INTEGER)
    return bool(is_.is_integer(type_) or is_.is_timestamp(type_) or is_.is_date(type_) or is_.is_time(type_))


def _groups(report: Report, schema: pa.Schema) -> Iterator[pa.Table]:
    """The rows in groups as they stand in the file: as large as is usual, never too large for memory."""
    held: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in report.batches():
        arrays = [column.kept(array) for column, array in zip(report.columns, batch.columns, strict=True)]
        held.append(pa.record_batch(arrays, schema=schema))
        rows += batch.num_rows
        size += batch.nbytes
        if rows >= _GROUP_ROWS or size >= _GROUP_BYTES:
            yield pa.Table.from_batches(held)
            held, rows, size = [], 0, 0
    if held:
        yield pa.Table.from_batches(held)
