"""The columns of a result: what each holds, and how it is brought to one of a few plain types.

Databases have many types. A report's formats know text, whole numbers, decimals, floating-point numbers,
truth, days, timestamps and times of day; everything else (lists, structures, intervals, binary values) is
written as text.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from reportbus.adapters.engines.python.formats.text import shortened
from reportbus.adapters.engines.python.styles import ColumnStyle, decimal_type
from reportbus.core.errors import Permanent

if TYPE_CHECKING:
    from collections.abc import Mapping


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"
    TIME = "time"


NUMBERS: Final = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT})

_DECLARED: Final[dict[str, pa.DataType]] = {
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}
_LONGEST_HEADING: Final = 120
"""Some databases name a column without an alias after its whole expression."""

_NO_STYLE: Final = ColumnStyle()
_ROOM: Final = 38  # digits of a decimal128
_PLACES_OF_TEXT: Final = 18  # behind the point, in a text that is read as a number


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name in the query, its kind, and its style.

    `type` is the Arrow type of its plain values, `stored` the nearest one a Parquet file can have. `instant`
    is set for timestamps that came with a zone; their plain values are UTC.
    """

    name: str
    kind: Kind
    type: pa.DataType
    stored: pa.DataType
    style: ColumnStyle
    instant: bool = False

    @property
    def label(self) -> str:
        """What stands above the column."""
        return self.style.label or self.name

    @property
    def heading(self) -> str:
        """The label as a document shows it: in one line, and cut where it is a whole expression."""
        return shortened(" ".join(self.label.split()), _LONGEST_HEADING)

    def plain(self, array: pa.Array) -> pa.Array:
        """The values in the column's plain type."""
        return self._as(self.type, array)

    def kept(self, array: pa.Array) -> pa.Array:
        """The values in the column's stored type."""
        return self._as(self.stored, array)

    def _as(self, type_: pa.DataType, array: pa.Array) -> pa.Array:
        if array.type == type_:
            return array
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        if pa.types.is_string(type_) and not _has_text_form(array.type):
            return pa.array([_as_text(value) for value in array.to_pylist()], type_)
        try:
            if pa.types.is_decimal(type_):
                return _rounded(array, type_.scale).cast(type_)
            return array.cast(type_, safe=not pa.types.is_timestamp(type_))
        except pa.ArrowException:
            text = f"column {self.name!r} has a value that is no {self.kind}, or that is too large for it"
            raise Permanent("PY_COLUMN_TYPE", text) from None


def declared_types(styles: Mapping[str, ColumnStyle]) -> dict[str, pa.DataType]:
    """The Arrow types a definition declares, by column."""
    return {name: _declared(style.type) for name, style in styles.items() if style.type}


def columns_of(schema: pa.Schema, styles: Mapping[str, ColumnStyle]) -> tuple[Column, ...]:
    """The columns of a result."""
    return tuple(_column(field, styles.get(field.name, _NO_STYLE)) for field in schema)


def _column(field: pa.Field, style: ColumnStyle) -> Column:
    type_ = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    if style.type:
        type_ = _declared(style.type)
    kind, plain = _kind_of(type_)
    instant = kind is Kind.TIMESTAMP and pa.types.is_timestamp(field.type) and field.type.tz is not None
    stored = pa.timestamp(plain.unit, "UTC") if instant else type_ if _can_be_stored(type_) else plain
    return Column(field.name, kind, plain, stored, style, instant)


def _declared(name: str) -> pa.DataType:
    if digits := decimal_type(name):
        return pa.decimal128(*digits)
    return _DECLARED[name]


def _kind_of(type_: pa.DataType) -> tuple[Kind, pa.DataType]:
    """The kind of a type, and the plain type for it."""
    is_ = pa.types
    kinds = (
        (is_.is_boolean, Kind.BOOLEAN, type_),
        (is_.is_integer, Kind.INTEGER, type_),
        (is_.is_float16, Kind.FLOAT, pa.float32()),
        (is_.is_floating, Kind.FLOAT, type_),
        (is_.is_date, Kind.DATE, pa.date32()),
        (is_.is_time, Kind.TIME, pa.time64("us")),
    )
    for is_one, kind, plain in kinds:
        if is_one(type_):
            return kind, plain
    if is_.is_decimal(type_):
        return Kind.DECIMAL if type_.scale else Kind.INTEGER, type_
    if is_.is_timestamp(type_):
        return Kind.TIMESTAMP, pa.timestamp(type_.unit)
    return Kind.TEXT, pa.string()


def _has_text_form(type_: pa.DataType) -> bool:
    """Whether Arrow itself turns the type into the text we want."""
    is_ = pa.types
    texts = (is_.is_string, is_.is_large_string, is_.is_string_view, is_.is_null)
    return _kind_of(type_)[0] is not Kind.TEXT or any(is_one(type_) for is_one in texts)


def _can_be_stored(type_: pa.DataType) -> bool:
    """Whether a Parquet file can have the type."""
    is_ = pa.types
    unfit = (is_.is_null, is_.is_interval, is_.is_string_view, is_.is_float16)
    return not any(is_one(type_) for is_one in unfit)


def _rounded(array: pa.Array, scale: int) -> pa.Array:
    """Numbers, or texts of numbers, rounded to a decimal's places; half a unit goes to the even neighbour."""
    if pa.types.is_integer(array.type):
        return array.cast(pa.decimal128(_ROOM, 0)).cast(pa.decimal128(_ROOM, scale))
    if pa.types.is_floating(array.type):
        return array.cast(pa.decimal128(_ROOM, scale), safe=False)
    if not pa.types.is_decimal(array.type):
        array = array.cast(pa.decimal128(_ROOM, max(scale, _PLACES_OF_TEXT)))
    if array.type.scale > scale:
        array = pc.round(array, scale, "half_to_even")
    return array.cast(pa.decimal128(_ROOM, scale))


def _as_text(value: object) -> str | None:
    """Text for a value that has no plain type."""
    match value:
        case None:
            return None
        case bytes():
            return base64.b64encode(value).decode()
        case dict() | list():
            return json.dumps(value, ensure_ascii=False, default=str)
        case _:
            return str(value)
