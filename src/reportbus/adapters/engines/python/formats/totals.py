"""The totals below a report's table, counted while its rows go by."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from reportbus.adapters.engines.python.columns import NUMBERS, Kind
from reportbus.adapters.engines.python.formats.display import one
from reportbus.core.errors import Permanent

if TYPE_CHECKING:
    from reportbus.adapters.engines.python.report import Report

_LABELS: Final = {"sum": "Total", "avg": "Average", "count": "Count", "min": "Minimum", "max": "Maximum"}
_PLACES: Final = Decimal("0.01")  # of an average of whole numbers
_WIDE: Final = pa.decimal128(38, 0)


class Totals:
    """Sums, averages, counts and extremes of the columns a definition names."""

    def __init__(self, report: Report) -> None:
        self._columns = report.columns
        names = [column.name for column in report.columns]
        self._parts: dict[int, _Running] = {}
        for name, aggregate in report.definition.totals.items():
            if name not in names:
                raise Permanent(
                    "PY_COLUMN", f"`totals` names column {name!r}; the query has {', '.join(names[:50])}"
                )
            column = report.columns[names.index(name)]
            if aggregate in {"sum", "avg"} and column.kind not in NUMBERS:
                raise Permanent(
                    "PY_COLUMN", f"`totals`: column {name!r} is {column.kind} and has no {aggregate}"
                )
            self._parts[names.index(name)] = _Running(aggregate)

    def add(self, batch: pa.RecordBatch) -> None:
        """Take a batch of plain values into account."""
        for number, running in self._parts.items():
            running.add(batch.columns[number], whole=self._columns[number].kind is Kind.INTEGER)

    def rows(self) -> list[list[str]]:
        """One row of cells for each kind of total, named in its first free cell."""
        found = []
        for aggregate, label in _LABELS.items():
            cells = [""] * len(self._columns)
            for number, running in self._parts.items():
                if running.aggregate == aggregate:
                    value = running.result()
                    plain = aggregate == "count" or value is None
                    cells[number] = str(value or 0) if plain else one(self._columns[number], value)
            if any(cells):
                found.append(self._named(label, cells))
        return found

    def _named(self, label: str, cells: list[str]) -> list[str]:
        """The row with its name in the first free cell, a text's if there is one."""
        free = [number for number, cell in enumerate(cells) if not cell]
        texts = [number for number in free if self._columns[number].kind not in NUMBERS]
        place = next(iter(texts or free), None)
        if place is None:
            return [f"{label} {cells[0]}", *cells[1:]]
        return [*cells[:place], label, *cells[place + 1 :]]


class _Running:
    """One total on its way."""

    def __init__(self, aggregate: str) -> None:
        self.aggregate = aggregate
        self._count = 0
        self._value: Any = None

    def add(self, array: pa.Array, *, whole: bool) -> None:
        self._count += len(array) - array.null_count
        match self.aggregate:
            case "sum" | "avg":
                added = pc.sum(array.cast(_WIDE) if whole else array).as_py()
                self._take(added, lambda have, new: have + new)
            case "min":
                self._take(pc.min(array).as_py(), min)
            case "max":
                self._take(pc.max(array).as_py(), max)
            case _:
                pass

    def result(self) -> Any:  # noqa: ANN401 - as the column is
        if self.aggregate == "count":
            return self._count
        if self.aggregate != "avg" or self._value is None:
            return self._value
        mean = self._value / self._count
        if isinstance(mean, Decimal):
            unit = Decimal(1).scaleb(self._value.as_tuple().exponent)
            return mean.quantize(min(unit, _PLACES))
        return mean

    def _take(self, new: Any, together: Any) -> None:  # noqa: ANN401 - as the column is
        if new is not None:
            self._value = new if self._value is None else together(self._value, new)
