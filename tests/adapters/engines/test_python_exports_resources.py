"""What exports cost a process: steady memory, imports that wait, nothing left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2]
BIG = """
import resource, sys
from adapters.engines.export_bench import ExportBench

class Counted:
    size = 0
    def write(self, data):
        Counted.size += len(data)
        return len(data)

sql = '''SELECT i AS id, 'customer ' || (i % 5000) AS name, DATE '2020-01-01' + (i % 2000)::INTEGER AS day,
                (i % 100000)::DECIMAL(12, 2) AS amount FROM range($rows) r(i)'''
bench = ExportBench({"kind": "duckdb", "memory_mb": 256})
engine = bench.engine(sql=sql, parameters={"rows": {"type": "integer"}})
peaks = []
for rows in (100_000, int(sys.argv[2])):
    produced = engine.generate(bench.work(sys.argv[1], {"rows": rows}, seconds=200), Counted())
    assert produced.rows == rows
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
print(*peaks, Counted.size)
"""


def run(program: str, *arguments: str) -> str:
    """What a Python program prints in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("format_", "rows", "growth"),
    [
        ("CSV", 10_000_000, 80),
        ("PARQUET", 10_000_000, 80),
        ("JSONL", 2_000_000, 80),
        ("HTML", 1_000_000, 80),
        ("PDF", 150_000, 80),
    ],
)
def test_memory_does_not_grow_with_the_report(format_: str, rows: int, growth: int) -> None:
    small, large, size = map(int, run(BIG, format_, str(rows)).split())
    assert size > rows
    assert large - small < growth, f"{small} MiB for 100,000 rows, {large} MiB for {rows:,}"
    assert large < 512


def test_a_process_that_never_exports_does_not_load_what_exports_need() -> None:
    program = """
import sys
import reportbus.adapters.engines.python
from reportbus.adapters.engines.python import engine, exports, definition, settings
heavy = {"pyarrow", "duckdb", "reportlab", "rvgsrust_xlsxwriter", "adbc_driver_manager", "psycopg"}
print(*sorted(heavy & sys.modules.keys()))
"""
    assert "" == run(program).strip()


def test_a_format_that_nobody_asks_for_is_not_loaded() -> None:
    program = """
import sys
from adapters.engines.export_bench import ExportBench
ExportBench().make("CSV", "SELECT 1 AS one")
print(*sorted({"reportlab", "rvgsrust_xlsxwriter", "psycopg", "pymupdf_fonts"} & sys.modules.keys()))
"""
    assert "" == run(program).strip()


def test_no_temporary_file_is_left_behind(tmp_path: Path) -> None:
    program = """
import sys, tempfile
tempfile.tempdir = sys.argv[1]
from adapters.engines.export_bench import ExportBench
bench = ExportBench()
for format_ in ("CSV", "XLSX", "PARQUET", "PDF"):
    bench.make(format_, "SELECT i, 'x' AS t FROM range(10000) r(i)")
try:
    bench.make("XLSX", "SELECT repeat('x', 40000) AS t")
except Exception as error:
    assert "PY_XLSX_LIMIT" in str(error), error
bench.close()
"""
    run(program, str(tmp_path))
    assert [] == list(tmp_path.iterdir())
