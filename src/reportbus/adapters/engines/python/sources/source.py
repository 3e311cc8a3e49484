"""A source of data: what every kind of database gives an export."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from reportbus.core.errors import ReportbusError
from reportbus.ports import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    import pyarrow as pa

    from reportbus.adapters.engines.python.statement import Statement
    from reportbus.adapters.engines.python.watch import Watch


@dataclass(frozen=True, slots=True)
class Query:
    """A statement with its values. `types` are those the definition declares for columns, by name.

    A source that learns types only from the values it sees uses them; others may pass them over.
    """

    statement: Statement
    values: Mapping[str, object]
    types: Mapping[str, pa.DataType]


@dataclass(frozen=True, slots=True)
class Stream:
    """The rows of a running query, in batches of some ten thousand. The iterator can be used once."""

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]


class Source(Protocol):
    """A database. Its connections are kept and shared by all reports; safe for several threads.

    Raises Permanent PY_SQL for a statement that is not one query, PY_QUERY for one the database refuses,
    PY_COLUMN_TYPE for values that change their type from row to row, PY_CONNECTION where it cannot be opened
    as configured; Transient where it is down or busy. Error texts hold no values of rows.
    """

    def run(self, query: Query, watch: Watch) -> AbstractContextManager[Stream]:
        """Run the query, read-only; it ends with the block, and before that when the watch says so."""

    def test(self) -> Verdict:
        """One small query; its text names the source."""

    def close(self) -> None:
        """Close its connections, also those in use. Closing twice is harmless."""


def unopened(name: str, error: Exception) -> Verdict:
    """Why the connection cannot be tested: ours say it, of others only the kind is told."""
    why = f"{error.code}: {error.text}" if isinstance(error, ReportbusError) else type(error).__name__
    return Verdict(ok=False, text=f"connection {name!r} cannot be opened: {why}")
