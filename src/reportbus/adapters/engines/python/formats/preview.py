"""The first rows of a report, read ahead for the chart above the table and the widths of its columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportbus.adapters.engines.python.formats.chart import MOST_POINTS, ChartData

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from reportbus.adapters.engines.python.report import Report


class Preview:
    """Reads the first batch, or with a chart as many as it may have; `batches` gives them all again.

    `chart` is None where none is asked for, and where there are more rows than one can show: that is noted.
    """

    def __init__(self, report: Report) -> None:
        self._rest = report.plain_batches()
        self._read: list[pa.RecordBatch] = []
        self.chart = self._chart(report)
        if not self._read:
            self._read += [batch for batch in (next(self._rest, None),) if batch is not None]

    @property
    def first(self) -> pa.RecordBatch | None:
        """The first batch, None where the report has no rows."""
        return self._read[0] if self._read else None

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All batches, from the first; once."""
        while self._read:
            yield self._read.pop(0)
        yield from self._rest

    def _chart(self, report: Report) -> ChartData | None:
        if report.definition.chart is None:
            return None
        data = ChartData.of(report, report.definition.chart)
        for batch in self._rest:
            self._read.append(batch)
            if report.rows > MOST_POINTS:
                report.notes.append(f"no chart: the report has more than {MOST_POINTS:,} rows")
                return None
            data.add(batch)
        return data if data.names else None
