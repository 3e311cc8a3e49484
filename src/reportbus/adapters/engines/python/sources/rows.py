"""Rows of Python values made into Arrow batches, for databases that do not give Arrow themselves.

A column's type is the one the definition or the database declares, else the one its first ten thousand values
have; a later value that does not fit is an error, never a guess.
"""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from reportbus.adapters.engines.python.sources.source import Stream
from reportbus.core.errors import Permanent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

BATCH_ROWS: Final = 10_000

_MOST_DIGITS: Final = 38
_SPARE_SCALE: Final = 10


def stream_rows(
    names: Sequence[str], chunks: Iterator[Sequence[Sequence[Any]]], types: Mapping[str, pa.DataType]
) -> Stream:
    """The rows as a stream. `chunks` gives them by some thousands."""
    first = next(chunks, ())
    columns = list(zip(*first, strict=True)) if first else [()] * len(names)
    fields = [
        pa.field(name, types.get(name) or _type_of(values))
        for name, values in zip(names, columns, strict=True)
    ]
    schema = pa.schema(fields)
    filled = (chunk for chunk in chain([first], chunks) if chunk)
    return Stream(schema, (_batch(chunk, schema) for chunk in filled))


def _batch(rows: Sequence[Sequence[Any]], schema: pa.Schema) -> pa.RecordBatch:
    columns = zip(*rows, strict=True)
    return pa.record_batch(
        [_array(values, field) for values, field in zip(columns, schema, strict=True)], schema=schema
    )


def _array(values: Sequence[Any], field: pa.Field) -> pa.Array:
    try:
        return pa.array(values, field.type)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        pass
    try:
        read = _reading(field.type)
        return pa.array([None if value is None else read(value) for value in values], field.type)
    except (pa.ArrowException, ArithmeticError, ValueError, TypeError, AttributeError):
        text = (
            f"column {field.name!r} has a value that is no {field.type}; declare its type under `columns`, "
            "or make all its values alike in the SQL"
        )
        raise Permanent("PY_COLUMN_TYPE", text) from None


def _type_of(values: Sequence[Any]) -> pa.DataType:
    """The type that holds all these values."""
    kinds = {type(value) for value in values if value is not None}
    if not kinds:
        return pa.string()
    if len(kinds) == 1 and (found := _BY_KIND.get(next(iter(kinds)))):
        return found
    if kinds == {Decimal}:
        return _decimal_of([value for value in values if value is not None])
    if kinds <= {int, float}:
        return pa.float64()
    if kinds == {date, datetime}:
        return pa.timestamp("us")
    return pa.string()


def _decimal_of(values: Sequence[Decimal]) -> pa.DataType:
    """A decimal with the largest scale seen; past ten, some more places are kept free: divisions vary."""
    exponents = [value.as_tuple().exponent for value in values]
    scale = max((-exponent for exponent in exponents if isinstance(exponent, int)), default=0)
    scale = max(scale, 0)
    return pa.decimal128(_MOST_DIGITS, min(scale + _SPARE_SCALE if scale > _SPARE_SCALE else scale, 30))


_BY_KIND: Final[dict[type, pa.DataType]] = {
    bool: pa.bool_(),
    int: pa.int64(),
    float: pa.float64(),
    str: pa.string(),
    bytes: pa.binary(),
    date: pa.date32(),
    datetime: pa.timestamp("us"),
    time: pa.time64("us"),
}


def _reading(type_: pa.DataType) -> Callable[[Any], Any]:
    """How a value of another kind is read as the column's type; raises where it is none."""
    is_ = pa.types
    readings: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
        (is_.is_string, _text),
        (is_.is_integer, _integer),
        (is_.is_floating, float),
        (is_.is_date, _date),
        (is_.is_timestamp, _timestamp),
        (is_.is_boolean, _truth),
    )
    if is_.is_decimal(type_):
        return _decimal(type_.scale)
    return next((read for is_one, read in readings if is_one(type_)), _unreadable)


def _unreadable(value: object) -> object:
    raise TypeError(type(value))


def _text(value: object) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, memoryview | bytes):
        return bytes(value).hex()
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value).lower() if isinstance(value, bool | timedelta) else str(value)


def _integer(value: Any) -> int:  # noqa: ANN401 - what a driver gives
    number = int(value)
    if number != (Decimal(value) if isinstance(value, str) else value):
        raise ValueError
    return number


def _decimal(scale: int) -> Callable[[Any], Decimal]:
    unit = Decimal(1).scaleb(-scale)
    return lambda value: Decimal(str(value)).quantize(unit)


def _date(value: Any) -> date:  # noqa: ANN401 - what a driver gives
    return value.date() if isinstance(value, datetime) else date.fromisoformat(value)


def _timestamp(value: Any) -> datetime:  # noqa: ANN401 - what a driver gives
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - a day has no zone
    return datetime.fromisoformat(value)


def _truth(value: Any) -> bool:  # noqa: ANN401 - what a driver gives
    if value not in (0, 1):
        raise ValueError
    return bool(value)
