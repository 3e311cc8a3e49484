"""One report on its way into a file: what the formats are given to write."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa

from reportbus.core.errors import Permanent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from reportbus.adapters.engines.python.columns import Column
    from reportbus.adapters.engines.python.definition import ReportDefinition
    from reportbus.adapters.engines.python.watch import Watch


class Sink(Protocol):
    """Where the bytes of the file go."""

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        """Take bytes."""


@dataclass(slots=True)
class Report:
    """The rows of one report with what is to be said about them. Its batches can be read once.

    `parameters` are names and values as a reader is shown them. `notes` is filled by who has something to
    tell the audit trail; `rows` counts as the batches go by.
    """

    definition: ReportDefinition
    parameters: tuple[tuple[str, str], ...]
    requested_at: datetime
    columns: tuple[Column, ...]
    source: Iterator[pa.RecordBatch]
    watch: Watch
    rows: int = 0
    notes: list[str] = field(default_factory=list)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows as they come from the database. Raises Permanent PY_ROW_LIMIT past the report's limit."""
        limit = self.definition.max_rows
        for batch in self.source:
            self.watch.check()
            if not batch.num_rows:
                continue
            self.rows += batch.num_rows
            if limit is not None and self.rows > limit:
                text = f"report {self.definition.name!r} has more than {limit} rows, its max_rows"
                raise Permanent("PY_ROW_LIMIT", text)
            yield batch

    def plain_batches(self) -> Iterator[pa.RecordBatch]:
        """The rows in the columns' plain types."""
        schema = pa.schema([pa.field(column.name, column.type) for column in self.columns])
        for batch in self.batches():
            arrays = [column.plain(array) for column, array in zip(self.columns, batch.columns, strict=True)]
            yield pa.record_batch(arrays, schema=schema)
