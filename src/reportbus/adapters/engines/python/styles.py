"""How a report's columns are to look: the part of a definition that is about form."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from reportbus.adapters.engines.python.fields import Fields

NUMBER_FORMAT: Final = re.compile(r",?(?:\.(?P<places>[0-9]))?(?P<percent>%)?", re.ASCII)
"""As in Python: "," for thousands, ".2" for two places, "%" for a share of one; ",.2" for both."""

DATE_FORMAT: Final = re.compile(r"(?:%[YmdHMS]|[-./: ])+", re.ASCII)
"""As in Python: %Y %m %d %H %M %S with - . / : and blanks between."""

COLUMN_TYPES: Final = ("text", "integer", "number", "boolean", "date", "timestamp")
_DECIMAL_TYPE: Final = re.compile(r"decimal\((?P<precision>[0-9]{1,2}), ?(?P<scale>[0-9]{1,2})\)", re.ASCII)
_MOST_DIGITS: Final = 38

AGGREGATES: Final = ("sum", "avg", "count", "min", "max")
CHART_KINDS: Final = ("bar", "line", "area")
_MOST_SERIES: Final = 8


@dataclass(frozen=True, slots=True)
class ColumnStyle:
    """What a definition says about a column. `type` may be "decimal(p,s)"; empty means as it comes."""

    label: str = ""
    format: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True)
class ChartStyle:
    """A chart of the columns `y` over the column `x`."""

    kind: str
    x: str
    y: tuple[str, ...]
    title: str = ""


def decimal_type(text: str) -> tuple[int, int] | None:
    """Precision and scale of "decimal(p,s)"; None for other texts."""
    match = _DECIMAL_TYPE.fullmatch(text)
    if match is None:
        return None
    precision, scale = int(match["precision"]), int(match["scale"])
    return (precision, scale) if 0 <= scale <= precision <= _MOST_DIGITS and precision else None


def read_column(fields: Fields) -> ColumnStyle:
    """One entry of `columns`."""
    style = ColumnStyle(fields.text("label", longest=200), fields.text("format"), fields.text("type"))
    if style.type and style.type not in COLUMN_TYPES and decimal_type(style.type) is None:
        fields.note(
            "CFG_CHOICE", f"has to be one of {', '.join(COLUMN_TYPES)} or decimal(p,s), p up to 38", "type"
        )
    if style.format and not (NUMBER_FORMAT.fullmatch(style.format) or DATE_FORMAT.fullmatch(style.format)):
        text = 'has to be a number format such as ",.2" or ".1%", or a date format such as "%d.%m.%Y"'
        fields.note("CFG_CHOICE", text, "format")
    fields.done()
    return style


def read_chart(fields: Fields) -> ChartStyle:
    """The entry `chart`."""
    kind = fields.choice("kind", CHART_KINDS, "bar")
    x = fields.text("x", required=True)
    y = fields.texts("y")
    if not 1 <= len(y) <= _MOST_SERIES:
        fields.note("CFG_RANGE", f"has to name 1 to {_MOST_SERIES} columns", "y")
    title = fields.text("title", longest=200)
    fields.done()
    return ChartStyle(kind, x, y, title)
