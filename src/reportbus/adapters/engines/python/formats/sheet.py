"""What a sheet of Excel can hold, and how values are brought into it.

Excel's numbers are doubles: whole numbers it would change without a word are refused, decimals of more digits
than it shows are noted for the audit trail.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from reportbus.adapters.engines.python.columns import Kind
from reportbus.adapters.engines.python.formats.guard import defused
from reportbus.core.errors import Permanent

if TYPE_CHECKING:
    from datetime import date, datetime

    from reportbus.adapters.engines.python.columns import Column
    from reportbus.adapters.engines.python.report import Report

MOST_ROWS: Final = 1_048_576
"""Rows of a sheet, its header included."""

MOST_COLUMNS: Final = 16_384
MOST_CHARACTERS: Final = 32_767
"""Characters of a cell, in UTF-16 as Excel counts them."""

_EXACT: Final = 2**53  # whole numbers up to here are exact in a double
_DIGITS: Final = 15  # digits that Excel shows
_FIRST_YEAR, _LAST_YEAR = 1900, 9999
_EPOCH: Final = 25_569  # 1970-01-01 as Excel counts days
_MICROSECONDS_A_DAY: Final = 86_400_000_000.0


def sheet_type(column: Column) -> pa.DataType:
    """The type in which the column's values are handed to the sheet."""
    if column.kind in {Kind.TEXT, Kind.BOOLEAN} or (
        column.kind in {Kind.INTEGER, Kind.FLOAT} and not pa.types.is_decimal(column.type)
    ):
        return column.type
    return pa.float64()


class Cells:
    """Turns batches of plain values into cells, and refuses what does not fit into a sheet."""

    def __init__(self, report: Report, *, guard: bool) -> None:
        self._report = report
        self._guard = guard
        self._schema = pa.schema([(str(n), sheet_type(column)) for n, column in enumerate(report.columns)])
        self._noted: set[str] = set()

    @property
    def schema(self) -> pa.Schema:
        """The schema of all its batches: columns are called "0", "1" and so on."""
        return self._schema

    def of(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The cells of a batch. Raises Permanent PY_XLSX_LIMIT."""
        if self._report.rows + 1 > MOST_ROWS:
            text = f"Excel holds {MOST_ROWS:,} rows with the header, and the report has more; CSV holds them"
            raise Permanent("PY_XLSX_LIMIT", text)
        pairs = zip(self._report.columns, batch.columns, strict=True)
        return pa.record_batch([self._cells(column, array) for column, array in pairs], schema=self._schema)

    def _cells(self, column: Column, array: pa.Array) -> pa.Array:
        match column.kind:
            case Kind.TEXT:
                array = defused(array) if self._guard else array
                _check_lengths(column, array)
            case Kind.INTEGER:
                _check_exact(column, array)
            case Kind.DECIMAL:
                self._note_digits(column, array)
            case Kind.DATE | Kind.TIMESTAMP:
                _check_years(column, array)
                return _days(array.cast(pa.timestamp("us")), since=_EPOCH)
            case Kind.TIME:
                return _days(array, since=0)
            case _:
                pass
        return array.cast(sheet_type(column), safe=False)

    def _note_digits(self, column: Column, array: pa.Array) -> None:
        if column.type.precision <= _DIGITS or column.name in self._noted:
            return
        largest = _largest(array)
        if largest is not None and largest >= Decimal(10) ** (_DIGITS - column.type.scale):
            self._noted.add(column.name)
            self._report.notes.append(
                f"XLSX shows {_DIGITS} digits of the decimals in column {column.name!r}"
            )


def _days(array: pa.Array, *, since: int) -> pa.Array:
    """Microseconds as Excel counts: in days. A cell's format makes a day or a time of them."""
    return pc.add(pc.divide(array.cast(pa.int64()).cast(pa.float64()), _MICROSECONDS_A_DAY), float(since))


def _largest(array: pa.Array) -> Any:  # noqa: ANN401 - int or Decimal, as the column is
    """The largest absolute value, None where there is none."""
    ends = pc.min_max(array).as_py()
    found = [abs(value) for value in ends.values() if value is not None]
    return max(found, default=None)


def _check_lengths(column: Column, array: pa.Array) -> None:
    longest = pc.max(pc.binary_length(array)).as_py()
    if longest is None or longest <= MOST_CHARACTERS:
        return
    suspects = array.filter(pc.greater(pc.binary_length(array), MOST_CHARACTERS)).to_pylist()
    characters = max(len(text.encode("utf-16-le")) // 2 for text in suspects if text is not None)
    if characters > MOST_CHARACTERS:
        text = (
            f"Excel holds {MOST_CHARACTERS:,} characters in a cell; column {column.name!r} has {characters:,}"
        )
        raise Permanent("PY_XLSX_LIMIT", text)


def _check_exact(column: Column, array: pa.Array) -> None:
    largest = _largest(array)
    if largest is not None and largest > _EXACT:
        text = (
            f"Excel cannot hold whole numbers beyond {_EXACT:,} exactly, and column {column.name!r} has one; "
            "declare the column's type as text"
        )
        raise Permanent("PY_XLSX_LIMIT", text)


def _check_years(column: Column, array: pa.Array) -> None:
    ends: dict[str, date | datetime | None] = pc.min_max(array).as_py()
    for moment in ends.values():
        if moment is not None and not _in_calendar(moment):
            text = (
                f"Excel has days from 1900-03-01 to 9999-12-31, and column {column.name!r} has one outside; "
                "declare the column's type as text"
            )
            raise Permanent("PY_XLSX_LIMIT", text)


def _in_calendar(moment: date | datetime) -> bool:
    """Excel takes 1900 for a leap year, so its first two months are off by a day."""
    return moment.year <= _LAST_YEAR and (moment.year, moment.month) >= (_FIRST_YEAR, 3)
