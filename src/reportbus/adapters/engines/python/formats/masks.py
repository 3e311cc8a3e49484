"""How values look to a reader: the definition's formats, as Python's and as Excel's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reportbus.adapters.engines.python.columns import NUMBERS, Kind
from reportbus.adapters.engines.python.styles import DATE_FORMAT, NUMBER_FORMAT

if TYPE_CHECKING:
    from reportbus.adapters.engines.python.columns import Column

_EXCEL_PARTS: Final = {"%Y": "yyyy", "%m": "mm", "%d": "dd", "%H": "hh", "%M": "mm", "%S": "ss"}
_EXCEL_DEFAULTS: Final = {
    Kind.INTEGER: "0",
    Kind.DATE: "yyyy-mm-dd",
    Kind.TIMESTAMP: "yyyy-mm-dd hh:mm:ss",
    Kind.TIME: "hh:mm:ss",
}


def number_format(column: Column) -> str:
    """The column's number format as Python takes it behind a colon; empty where it has none."""
    text = column.style.format
    if column.kind not in NUMBERS or not (match := NUMBER_FORMAT.fullmatch(text)) or not text:
        return ""
    thousands = "," if text.startswith(",") else ""
    places = match["places"] if match["places"] is not None else str(_scale(column))
    return f"{thousands}.{places}{match['percent'] or 'f'}"


def date_format(column: Column) -> str:
    """The column's date format as `strftime` takes it; empty where it has none."""
    text = column.style.format
    dated = column.kind in {Kind.DATE, Kind.TIMESTAMP}
    return text if dated and DATE_FORMAT.fullmatch(text) else ""


def excel_mask(column: Column) -> str:
    """The number format of the column's cells in Excel; empty for Excel's own choice."""
    if mask := date_format(column):
        for part, excel in _EXCEL_PARTS.items():
            mask = mask.replace(part, excel)
        return mask
    if spec := number_format(column):
        places = int(spec[-2])
        whole = "#,##0" if spec.startswith(",") else "0"
        return whole + ("." + "0" * places if places else "") + ("%" if spec.endswith("%") else "")
    if column.kind is Kind.DECIMAL:
        return "0." + "0" * _scale(column)
    return _EXCEL_DEFAULTS.get(column.kind, "")


def _scale(column: Column) -> int:
    return int(column.type.scale) if column.kind is Kind.DECIMAL else 0 if column.kind is Kind.INTEGER else 2
