"""Text that a spreadsheet would take for a formula, defused.

A cell that begins with = + - @, a tab, a carriage return or NUL gets an apostrophe in front, which
spreadsheets read as "this is text". Only text is touched: a negative number stays a number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from reportbus.adapters.engines.python.report import Report

_LEADS: Final = "=+-@\t\r\0"
_LEAD_BYTES: Final = pa.array([lead.encode() for lead in _LEADS])
_FIRST_HARMLESS: Final = (
    "A"  # every lead sorts before it, so most columns are cleared by one quick comparison
)

OPT_OUT_NOTE: Final = "formula_guard is off: text cells are written as they are"


def defused(array: pa.Array) -> pa.Array:
    """The texts, each dangerous one with an apostrophe in front."""
    if not pc.any(pc.less(array, _FIRST_HARMLESS)).as_py():
        return array
    dangerous = pc.is_in(pc.binary_slice(array.cast(pa.binary()), 0, 1), value_set=_LEAD_BYTES)
    if not pc.any(dangerous).as_py():
        return array
    return pc.if_else(dangerous, pc.binary_join_element_wise("'", array, ""), array)


def defused_text(text: str) -> str:
    """One text, such as a column's label."""
    return f"'{text}" if text[:1] and text[0] in _LEADS else text


def guarded(report: Report) -> bool:
    """Whether the report is to be defused; an opt-out is noted for the audit trail."""
    if not report.definition.formula_guard:
        report.notes.append(OPT_OUT_NOTE)
    return report.definition.formula_guard
