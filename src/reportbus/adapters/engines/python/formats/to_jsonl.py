"""JSON lines: one object per row, every key in every row.

Whole numbers and decimals are numbers with all their digits; floating-point numbers the shortest that read
back the same, NaN and infinities null, since JSON has none; days and timestamps ISO 8601 text, instants with
Z.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from reportbus.adapters.engines.python.columns import Kind
from reportbus.adapters.engines.python.formats.ahead import done_ahead
from reportbus.adapters.engines.python.formats.text import whole_seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reportbus.adapters.engines.python.columns import Column
    from reportbus.adapters.engines.python.report import Report, Sink

_ROWS_AT_ONCE: Final = 16_384
_TO_ESCAPE: Final = r'[\x00-\x1f"\\]'
_DATE_ENDS: Final = 10  # characters of YYYY-MM-DD


def write(report: Report, sink: Sink) -> None:
    """Write the report."""
    keys = [json.dumps(column.name, ensure_ascii=False) for column in report.columns]
    starts = [("{" if number == 0 else ",") + key + ":" for number, key in enumerate(keys)]
    parts = (
        batch.slice(first, _ROWS_AT_ONCE)
        for batch in report.plain_batches()
        for first in range(0, batch.num_rows, _ROWS_AT_ONCE)
    )
    for lines in done_ahead(partial(_lines, report.columns, starts), parts):
        sink.write(lines)


def _lines(columns: Sequence[Column], starts: Sequence[str], batch: pa.RecordBatch) -> memoryview:
    cells: list[Any] = []
    for start, column, array in zip(starts, columns, batch.columns, strict=True):
        cells += [start, _json(column, array)]
    return _bytes_of(pc.binary_join_element_wise(*cells, "}\n", ""))


def _json(column: Column, array: pa.Array) -> pa.Array:
    """The values as they stand in JSON, never null."""
    match column.kind:
        case Kind.INTEGER | Kind.BOOLEAN:
            text = array.cast(pa.string())
        case Kind.DECIMAL:
            text = _plain_decimals(array)
        case Kind.FLOAT:
            finite = pc.is_finite(array)
            text = pc.if_else(finite, array, pa.scalar(None, array.type)).cast(pa.string())
        case Kind.TEXT:
            text = pc.binary_join_element_wise('"', _escaped(array), '"', "")
        case Kind.TIMESTAMP:
            written = whole_seconds(array).cast(pa.string())
            written = pc.binary_replace_slice(written, _DATE_ENDS, _DATE_ENDS + 1, "T")
            text = pc.binary_join_element_wise('"', written, 'Z"' if column.instant else '"', "")
        case _:
            text = pc.binary_join_element_wise('"', array.cast(pa.string()), '"', "")
    return pc.fill_null(text, "null")


def _escaped(array: pa.Array) -> pa.Array:
    if not pc.any(pc.match_substring_regex(array, _TO_ESCAPE)).as_py():
        return array
    return pa.array(
        [None if text is None else json.dumps(text, ensure_ascii=False)[1:-1] for text in array.to_pylist()],
        pa.string(),
    )


def _plain_decimals(array: pa.Array) -> pa.Array:
    """Decimals without an exponent, which Arrow writes for very small ones."""
    text = array.cast(pa.string())
    if not pc.any(pc.match_substring(text, "E")).as_py():
        return text
    return pa.array(
        [None if value is None else format(value, "f") for value in array.to_pylist()], pa.string()
    )


def _bytes_of(lines: pa.Array) -> memoryview:
    """The texts one behind the other, as they lie in memory."""
    offsets, data = lines.buffers()[1:]
    first, last = (
        int.from_bytes(offsets[4 * at : 4 * at + 4], "little")
        for at in (lines.offset, lines.offset + len(lines))
    )
    return memoryview(data)[first:last]
