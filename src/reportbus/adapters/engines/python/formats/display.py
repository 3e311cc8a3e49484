"""Values as a reader is shown them, in HTML and PDF."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from reportbus.adapters.engines.python.columns import Kind
from reportbus.adapters.engines.python.formats.masks import date_format, number_format
from reportbus.adapters.engines.python.formats.text import timestamp_text

if TYPE_CHECKING:
    from reportbus.adapters.engines.python.columns import Column
    from reportbus.adapters.engines.python.report import Report

_FLOAT: Final = ".12g"  # enough to be exact for people, too short to show how doubles round
_TRUTH: Final = {True: "yes", False: "no", None: ""}


def texts(column: Column, array: pa.Array) -> list[str]:
    """The plain values of a column as text; nothing for null."""
    spec = number_format(column) or (_FLOAT if column.kind is Kind.FLOAT else "")
    if spec:
        return ["" if value is None else format(value, spec) for value in array.to_pylist()]
    if dated := date_format(column):
        return ["" if value is None else value.strftime(dated) for value in array.to_pylist()]
    if column.kind is Kind.BOOLEAN:
        return [_TRUTH[value] for value in array.to_pylist()]
    if column.kind is Kind.TIMESTAMP:
        array = timestamp_text(array, instant=column.instant)
    return [value or "" for value in array.cast(pa.string()).to_pylist()]


def one(column: Column, value: Any) -> str:  # noqa: ANN401 - a number of the column's kind, or a day
    """One computed value, such as a total, in the column's look."""
    if spec := number_format(column):
        return format(value, spec)
    return format(value, _FLOAT) if isinstance(value, float) else str(value)


def lead(report: Report) -> tuple[str, ...]:
    """The lines that stand below a report's title."""
    lines = [report.definition.description.strip()] if report.definition.description.strip() else []
    if report.parameters:
        lines.append(" · ".join(f"{name}: {value}" for name, value in report.parameters))
    return (*lines, f"As of {report.requested_at:%Y-%m-%d %H:%M} UTC")
