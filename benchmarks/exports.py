"""Figures of the data exports: what each format costs, beside the yardstick it is held against.

    python benchmarks/exports.py [--rows 10000000] [--small 200000]

Every figure is taken in a process of its own, so its peak memory is its own. Times are wall clock.
It prints and asserts nothing.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from reportbus.adapters.engines.python.definition import ReportDefinition
from reportbus.adapters.engines.python.engine import PythonEngine
from reportbus.adapters.engines.python.exports import Connection, exports
from reportbus.adapters.engines.python.fields import DefinitionFile
from reportbus.adapters.engines.python.settings import DuckDbSettings
from reportbus.core.model import Request
from reportbus.ports import Deadline, Work

if TYPE_CHECKING:
    from collections.abc import Callable

    from reportbus.core.model import JsonValue

THREADS = 2
TABLE = """
    CREATE TABLE sales AS SELECT
        i AS id,
        'customer ' || (i % 5000) AS customer,
        DATE '2020-01-01' + CAST(i % 2000 AS INTEGER) AS day,
        TIMESTAMP '2024-01-01 00:00:00' + to_seconds(i) AS at,
        CAST(i * 7 % 100000 AS DECIMAL(12, 2)) / 100::DECIMAL(12, 2) AS amount,
        CAST(i % 97 AS INTEGER) AS quantity,
        CASE WHEN i % 3 = 0 THEN NULL ELSE 'Köln & Zürich ' || (i % 331) END AS place
    FROM range({rows}) AS numbers(i)
"""
REPORT: dict[str, JsonValue] = {
    "name": "sales",
    "title": "Sales",
    "sql": "SELECT * FROM sales WHERE id < $rows",
    "connection": "main",
    "parameters": {"rows": {"type": "integer", "required": True}},
    "totals": {"amount": "sum"},
    "landscape": False,
}


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """The time."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds."""
        return time.monotonic()


class FileSink:
    """A file to write a report into."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        """Pass the bytes on."""
        return self._file.write(data)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def engine_over(database: str) -> PythonEngine:
    """The engine with the one report."""
    connections = {"main": Connection(DuckDbSettings("main", database, threads=THREADS))}
    definition = ReportDefinition.parse(REPORT, DefinitionFile("bench"))
    return PythonEngine(exports([definition], connections), connections.values())


def work_for(format_: str, rows: int) -> Work:
    """One request for the report."""
    now = datetime(2026, 1, 31, 8, tzinfo=UTC)
    request = Request(
        request_id="bench",
        report_type="PYTHON",
        report_name="sales",
        format=format_,
        file_name="sales",
        requested_at=now,
        expires_at=now + timedelta(days=1),
        parameters={"rows": rows},
    )
    clock = SystemClock()
    return Work(
        "bench", request, Deadline(clock.monotonic() + 3600, clock), {}, lambda _: None, lambda: False
    )


def ours(format_: str) -> Callable[[str, Path, int], None]:
    """The export by the engine."""

    def run(database: str, target: Path, rows: int) -> None:
        engine = engine_over(database)
        sink = FileSink(target)
        engine.generate(work_for(format_, rows), sink)  # type: ignore[arg-type]
        sink.close()

    return run


def copied(options: str) -> Callable[[str, Path, int], None]:
    """DuckDB's own COPY of the same rows."""

    def run(database: str, target: Path, rows: int) -> None:
        connection = duckdb.connect(
            database, read_only=True, config={"threads": THREADS, "memory_limit": "1GiB"}
        )
        connection.execute(f"COPY (FROM sales WHERE id < {rows}) TO '{target}' ({options})")

    return run


def by_openpyxl(database: str, target: Path, rows: int) -> None:
    """The same rows by openpyxl's quickest way."""
    import openpyxl  # noqa: PLC0415 - nobody else needs it

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("sales")
    reader = (
        duckdb.connect(database, read_only=True)
        .sql("SELECT * FROM sales WHERE id < $rows", params={"rows": rows})
        .to_arrow_reader(65_536)
    )
    sheet.append(reader.schema.names)
    for batch in reader:
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            sheet.append(row)
    book.save(target)


CASES: dict[str, Callable[[str, Path, int], None]] = {
    "CSV": ours("CSV"),
    "CSV by COPY": copied("FORMAT csv, HEADER"),
    "PARQUET": ours("PARQUET"),
    "PARQUET by COPY": copied("FORMAT parquet"),
    "PARQUET by COPY, zstd": copied("FORMAT parquet, COMPRESSION zstd"),
    "JSONL": ours("JSONL"),
    "XLSX": ours("XLSX"),
    "XLSX by openpyxl": by_openpyxl,
    "PDF": ours("PDF"),
    "HTML": ours("HTML"),
}


def measure(case: str, database: str, rows: int) -> dict[str, float]:
    """Run one case in a process of its own."""
    command = [sys.executable, __file__, "--case", case, "--database", database, "--rows", str(rows)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=900)
    figures: dict[str, float] = json.loads(done.stdout)
    print(
        f"{case:24} {rows:>12,} rows {figures['seconds']:8.2f} s {rows / figures['seconds']:>12,.0f} rows/s"
        f" {figures['mib']:>8,.0f} MiB peak {figures['bytes'] / 1e6:>9,.1f} MB file"
    )
    return figures


def run_case(case: str, database: str, rows: int) -> None:
    """The child: one case, its figures as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "report")
        CASES[case](database, target, 1)
        start = time.perf_counter()
        CASES[case](database, target, rows)
        seconds = time.perf_counter() - start
        size = target.stat().st_size
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "mib": peak, "bytes": size}))


def warm(database: str) -> None:
    """A one-page report, again and again in one process."""
    engine = engine_over(database)
    with tempfile.TemporaryDirectory() as folder:
        for format_ in ("CSV", "PARQUET", "JSONL", "XLSX", "HTML", "PDF"):
            times = []
            for _ in range(60):
                sink = FileSink(Path(folder, "report"))
                start = time.perf_counter()
                engine.generate(work_for(format_, 30), sink)  # type: ignore[arg-type]
                times.append(time.perf_counter() - start)
                sink.close()
            print(f"warm {format_:8} one page of 30 rows: median {sorted(times)[30] * 1000:6.2f} ms")
    parameters: dict[str, JsonValue] = {"rows": 30}
    start = time.perf_counter()
    for _ in range(10_000):
        engine.check("sales", parameters, "CSV")
    print(f"check: {(time.perf_counter() - start) * 100:.2f} µs a request")


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--small", type=int, default=200_000, help="rows for XLSX")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    parser.add_argument("--database", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        run_case(options.case, options.database, options.rows)
        return
    with tempfile.TemporaryDirectory(prefix="reportbus-bench-") as folder:
        database = str(Path(folder, "sales.duckdb"))
        with duckdb.connect(database) as connection:
            connection.execute(TABLE.format(rows=options.rows))
        found = {case: measure(case, database, rows) for case, rows in _plan(options.rows, options.small)}
        measure("XLSX", database, min(options.rows, 1_000_000))
        for case, yardstick in (
            ("CSV", "CSV by COPY"),
            ("PARQUET", "PARQUET by COPY"),
            ("XLSX", "XLSX by openpyxl"),
        ):
            ratio = found[yardstick]["seconds"] / found[case]["seconds"]
            print(f"{case}: {ratio:.2f} times the speed of {yardstick}")
        warm(database)


def _plan(rows: int, small: int) -> list[tuple[str, int]]:
    pages = 46_000  # rows that make about 1,000 pages
    sizes = {"XLSX": small, "XLSX by openpyxl": small, "PDF": pages, "HTML": pages}
    return [(case, min(rows, sizes.get(case, rows))) for case in CASES]


if __name__ == "__main__":
    main()
