"""What tests of data exports share: a sink in memory, requests, and engines over throw-away databases."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from reportbus.adapters.clock import SystemClock
from reportbus.adapters.engines.python.definition import ReportDefinition
from reportbus.adapters.engines.python.engine import PythonEngine
from reportbus.adapters.engines.python.exports import Connection, exports
from reportbus.adapters.engines.python.fields import DefinitionFile
from reportbus.adapters.engines.python.settings import (
    AdbcSettings,
    DuckDbSettings,
    PostgresSettings,
    SqlAlchemySettings,
    SqliteSettings,
)
from reportbus.core.model import Request
from reportbus.ports import Deadline, Work

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from reportbus.core.model import JsonValue
    from reportbus.ports import Clock, Produced

REQUESTED_AT = datetime(2026, 3, 15, 22, 30, tzinfo=UTC)


class MemorySink:
    """A `StagedWriter` that keeps its bytes."""

    key = "reports/test"

    def __init__(self) -> None:
        self._data = io.BytesIO()

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        return self._data.write(data)

    @property
    def size(self) -> int:
        return len(self.data)

    @property
    def data(self) -> bytes:
        return self._data.getvalue()

    @property
    def head(self) -> bytes:
        return self.data[:1024]

    @property
    def tail(self) -> bytes:
        return self.data[-1024:]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to discard."""


@dataclass(frozen=True, slots=True)
class File:
    """A report that was made."""

    data: bytes
    produced: Produced

    @property
    def text(self) -> str:
        return self.data.decode()


def never() -> bool:
    """For work that nobody cancels."""
    return False


_SETTINGS: dict[str, Any] = {
    "adbc": AdbcSettings,
    "duckdb": DuckDbSettings,
    "postgresql": PostgresSettings,
    "sqlalchemy": SqlAlchemySettings,
    "sqlite": SqliteSettings,
}


@dataclass(slots=True)
class ExportBench:
    """An engine over one connection, called main, which is an empty DuckDB where nothing else is said."""

    connection: Mapping[str, JsonValue] = field(default_factory=lambda: {"kind": "duckdb"})
    clock: Clock = field(default_factory=SystemClock)
    engines: list[PythonEngine] = field(default_factory=list)
    _connections: dict[str, Connection] = field(default_factory=dict)

    def engine(self, **report: Any) -> PythonEngine:  # noqa: ANN401 - JSON of any shape
        """An engine with one report, called report."""
        if not self._connections:
            keys: dict[str, Any] = dict(self.connection)
            settings = _SETTINGS[keys.pop("kind")]("main", **keys)
            self._connections = {"main": Connection(settings)}
        definition = ReportDefinition.parse(
            {"name": "report", "connection": "main", **report}, DefinitionFile("report.yaml")
        )
        engine = PythonEngine(exports([definition], self._connections), self._connections.values())
        self.engines.append(engine)
        return engine

    def work(
        self,
        format_: str,
        parameters: Mapping[str, JsonValue] | None = None,
        *,
        seconds: float = 50,
        cancelled: Callable[[], bool] = never,
        name: str = "report",
    ) -> Work:
        """A request's attempt."""
        request = Request(
            request_id="R-1",
            report_type="PYTHON",
            report_name=name,
            format=format_,
            file_name="report",
            requested_at=REQUESTED_AT,
            expires_at=REQUESTED_AT + timedelta(days=1),
            parameters=parameters or {},
        )
        deadline = Deadline(self.clock.monotonic() + seconds, self.clock)
        return Work("R-1-1", request, deadline, {}, lambda _: None, cancelled)

    def make(
        self,
        format_: str,
        sql: str,
        asked: Mapping[str, JsonValue] | None = None,
        /,
        **report: Any,  # noqa: ANN401 - JSON of any shape
    ) -> File:
        """The report of one query."""
        sink = MemorySink()
        produced = self.engine(sql=sql, **report).generate(self.work(format_, asked), sink)
        return File(sink.data, produced)

    def close(self) -> None:
        """Close every engine."""
        for engine in self.engines:
            engine.close()
