"""Databases of every kind: typed rows, bound parameters, nothing but reading, and an end when it is time."""

from __future__ import annotations

import io
import os
import threading
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from adapters.engines.export_bench import ExportBench, MemorySink
from adapters.engines.export_sources import (
    ENDLESS,
    KINDS,
    TRICKY,
    connection_of,
    make_duckdb,
    make_postgres,
    make_sqlite,
)
from reportbus.adapters.clock import ManualClock
from reportbus.adapters.engines.python.exports import Connection
from reportbus.adapters.engines.python.settings import SqlAlchemySettings
from reportbus.core.errors import Permanent, ReportbusError, Transient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reportbus.core.model import JsonValue


@pytest.fixture(params=KINDS)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ExportBench]:
    """An engine over a database of each kind, with three people in it."""
    bench = ExportBench(connection_of(request.param, tmp_path, request))
    yield bench
    bench.close()


@pytest.fixture
def duck() -> Iterator[ExportBench]:
    bench = ExportBench()
    yield bench
    bench.close()


@pytest.fixture
def lite(tmp_path: Path) -> Iterator[ExportBench]:
    make_sqlite(tmp_path / "people.db")
    bench = ExportBench({"kind": "sqlite", "path": str(tmp_path / "people.db")})
    yield bench
    bench.close()


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[ExportBench]:
    bench = ExportBench({"kind": "postgresql", "url": postgres_url})
    yield bench
    bench.close()


def rows_of(
    bench: ExportBench,
    sql: str,
    asked: dict[str, JsonValue] | None = None,
    /,
    **report: Any,  # noqa: ANN401 - JSON of any shape
) -> list[dict[str, Any]]:
    file = bench.make("PARQUET", sql, asked, **report)
    rows: list[dict[str, Any]] = pq.read_table(io.BytesIO(file.data)).to_pylist()
    return rows


def test_rows_come_with_parameters_bound_and_never_pasted(bench: ExportBench) -> None:
    declared = {"name": {"type": "text"}, "ids": {"type": "integer", "list": True}}
    sql = "SELECT id, name FROM people WHERE name = $name OR id IN ($ids) ORDER BY id"
    assert [{"id": 3, "name": TRICKY}] == rows_of(bench, sql, {"name": TRICKY}, parameters=declared)
    assert [1, 2] == [
        row["id"] for row in rows_of(bench, sql, {"name": "", "ids": [1, 2]}, parameters=declared)
    ]
    assert 3 == rows_of(bench, "SELECT count(*) AS n FROM people")[0]["n"]


def test_typed_values_reach_the_query_as_what_they_are(bench: ExportBench) -> None:
    if bench.connection["kind"] == "adbc":
        pytest.skip("SQLite's ADBC driver takes no days and no decimals")
    declared = {"day": {"type": "date"}, "wage": {"type": "decimal"}}
    sql = "SELECT name FROM people WHERE born < $day AND wage > $wage"
    assert [{"name": "Blaise"}] == rows_of(
        bench, sql, {"day": "1700-01-01", "wage": "12.50"}, parameters=declared
    )


def test_a_query_the_database_refuses_is_permanent(bench: ExportBench) -> None:
    with pytest.raises(ReportbusError) as caught:
        bench.make("CSV", "SELECT name FROM nowhere")
    assert caught.value.code == "PY_QUERY"
    assert isinstance(caught.value, Permanent)


def test_a_working_connection_passes_the_test(bench: ExportBench) -> None:
    verdict = bench.engine(sql="SELECT 1 AS one").test()
    assert verdict.ok
    assert "connection 'main': answers" in verdict.text


def test_closing_twice_is_harmless(bench: ExportBench) -> None:
    engine = bench.engine(sql="SELECT 1 AS one")
    engine.generate(bench.work("CSV"), MemorySink())
    engine.close()
    engine.close()


def test_many_reports_at_once_do_not_disturb_one_another(bench: ExportBench) -> None:
    engine = bench.engine(
        sql="SELECT count(*) AS n, $p AS p FROM people", parameters={"p": {"type": "integer"}}
    )
    sinks = [MemorySink() for _ in range(12)]
    works = [bench.work("JSONL", {"p": number}) for number in range(len(sinks))]
    threads = [threading.Thread(target=engine.generate, args=pair) for pair in zip(works, sinks, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [f'{{"n":3,"p":{number}}}\n' for number in range(len(sinks))] == [
        sink.data.decode() for sink in sinks
    ]


@pytest.mark.parametrize("kind", ENDLESS)
def test_a_query_ends_at_the_deadline_and_nothing_of_it_goes_on(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    bench = ExportBench(connection_of(kind, tmp_path, request))
    engine = bench.engine(sql=ENDLESS[kind])
    start = time.monotonic()
    with pytest.raises(Transient, match="ConnectionTimeout"):
        engine.generate(bench.work("CSV", seconds=0.5), MemorySink())
    assert time.monotonic() - start < 10
    assert not [thread for thread in threading.enumerate() if thread.name == "export-watch"]
    assert engine.test().ok, "the connection can be used again"
    bench.close()


@pytest.mark.parametrize("kind", ENDLESS)
def test_a_query_ends_once_the_request_is_cancelled(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    bench = ExportBench(connection_of(kind, tmp_path, request))
    looks: list[int] = []

    def cancelled() -> bool:
        looks.append(1)
        return len(looks) > 3

    with pytest.raises(Permanent, match="RUN_CANCELLED"):
        bench.engine(sql=ENDLESS[kind]).generate(bench.work("CSV", cancelled=cancelled), MemorySink())
    bench.close()


def test_the_deadline_is_read_from_the_works_own_clock(duck: ExportBench) -> None:
    """The query is under way: the watch has looked more than once, and only then the clock goes on."""
    duck.clock = clock = ManualClock()
    looks: list[int] = []

    def cancelled() -> bool:
        looks.append(1)
        if len(looks) == 3:
            clock.advance(61)
        return False

    work = duck.work("CSV", seconds=60, cancelled=cancelled)
    with pytest.raises(Transient, match="ConnectionTimeout"):
        duck.engine(sql=ENDLESS["duckdb"]).generate(work, MemorySink())


@pytest.mark.parametrize("format_", ["CSV", "XLSX", "PARQUET", "JSONL", "HTML", "PDF"])
def test_a_report_that_is_being_written_ends_once_it_is_cancelled(duck: ExportBench, format_: str) -> None:
    """The rows keep coming and the query has not ended: it is the writing that is cut short."""
    looks: list[int] = []

    def cancelled() -> bool:
        looks.append(1)
        return len(looks) > 4

    sql = "SELECT i, 'text ' || i AS t FROM range(100000000) r(i)"
    with pytest.raises(Permanent, match="RUN_CANCELLED"):
        duck.engine(sql=sql).generate(duck.work(format_, cancelled=cancelled), MemorySink())


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1; SELECT 2",
        "CREATE TABLE t (i INTEGER)",
        "COPY (SELECT 1) TO '/tmp/reportbus-never'",
        "ATTACH '/tmp/reportbus-never.db'",
        "SET threads = 1",
        "PRAGMA database_list",
        "INSTALL httpfs",
    ],
)
def test_duckdb_runs_one_select_and_nothing_else(duck: ExportBench, sql: str) -> None:
    with pytest.raises(Permanent, match=r"PY_SQL|PY_QUERY"):
        duck.make("CSV", sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM read_parquet('http://127.0.0.1:1/x.parquet')",
        "SELECT * FROM sqlite_scan('/tmp/x.db', 't')",
    ],
)
def test_sql_on_duckdb_reaches_no_file(duck: ExportBench, sql: str) -> None:
    with pytest.raises(Permanent, match="PY_QUERY"):
        duck.make("CSV", sql)


def test_sql_on_duckdb_does_not_see_the_programs_own_tables(duck: ExportBench) -> None:
    table = pa.table({"a": [1]})
    assert table.num_rows
    with pytest.raises(Permanent, match="PY_QUERY"):
        duck.make("CSV", "SELECT * FROM table")


def test_views_over_files_are_read_and_other_files_are_not(tmp_path: Path) -> None:
    for name in ("a-1", "a-2", "b"):
        pq.write_table(pa.table({"name": [name]}), tmp_path / f"{name}.parquet")
    (tmp_path / "c.csv").write_text("x\n1\n")
    folder = str(tmp_path)
    bench = ExportBench(
        {
            "kind": "duckdb",
            "views": {"a": f"{folder}/a-*.parquet", "c": f"{folder}/c.csv"},
        }
    )
    assert [{"name": "a-1"}, {"name": "a-2"}] == rows_of(bench, "SELECT name FROM a ORDER BY name")
    assert [{"x": 1}] == rows_of(bench, "SELECT x FROM c")
    with pytest.raises(Permanent, match="PY_QUERY"):
        bench.make("CSV", "SELECT * FROM read_text('/etc/hostname')")
    bench.close()


def test_paths_that_the_connection_names_may_be_read(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("x\n1\n")
    bench = ExportBench({"kind": "duckdb", "paths": [f"{tmp_path}/"]})
    sql = f"SELECT x FROM read_csv('{tmp_path}/c.csv')"  # noqa: S608 - of our own making
    assert [{"x": 1}] == rows_of(bench, sql)
    bench.close()


def test_a_duckdb_file_cannot_be_changed(tmp_path: Path) -> None:
    make_duckdb(tmp_path / "people.db")
    before = (tmp_path / "people.db").read_bytes()
    bench = ExportBench({"kind": "duckdb", "path": str(tmp_path / "people.db")})
    for sql in ("DELETE FROM people", "DROP TABLE people"):
        with pytest.raises(Permanent):
            bench.make("CSV", sql)
    bench.close()
    assert before == (tmp_path / "people.db").read_bytes()
    assert ["people.db"] == [path.name for path in tmp_path.iterdir()]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM people",
        "CREATE TABLE t (i)",
        "SELECT 1; SELECT 2",
        "ATTACH '/tmp/reportbus-never.db' AS x",
        "PRAGMA journal_mode = DELETE",
        "VACUUM",
    ],
)
def test_sqlite_runs_one_select_and_nothing_else(lite: ExportBench, sql: str) -> None:
    with pytest.raises(Permanent, match=r"PY_SQL|PY_QUERY"):
        lite.make("CSV", sql)


def test_sqlite_columns_have_the_types_of_their_values(lite: ExportBench) -> None:
    first, second, third = rows_of(lite, "SELECT * FROM people ORDER BY id")
    assert (12.5, 0.5, b"\x00\xff", None) == (first["wage"], first["ratio"], first["picture"], first["empty"])
    assert 13.0 == second["wage"]
    assert None is third["born"]


def test_sqlite_columns_can_be_declared(lite: ExportBench) -> None:
    types = {"born": {"type": "date"}, "wage": {"type": "decimal(9,2)"}}
    first, *_ = rows_of(lite, "SELECT born, wage FROM people ORDER BY id", columns=types)
    assert (date(1815, 12, 10), Decimal("12.50")) == (first["born"], first["wage"])


def test_a_sqlite_column_that_changes_its_type_later_is_an_error_and_never_a_guess(lite: ExportBench) -> None:
    sql = """WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 30000)
             SELECT CASE WHEN i < 25000 THEN i ELSE 'CANARY' END AS x FROM r"""
    with pytest.raises(Permanent, match=r"PY_COLUMN_TYPE.*'x'") as caught:
        lite.make("CSV", sql)
    assert "CANARY" not in str(caught.value)
    assert 30_000 == lite.make("CSV", sql, columns={"x": {"type": "text"}}).produced.rows


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    for kind in ("sqlite", "duckdb"):
        bench = ExportBench({"kind": kind, "path": str(tmp_path / "none.db")})
        assert not bench.engine(sql="SELECT 1 AS one").test().ok
        with pytest.raises(ReportbusError, match=r"PY_CONNECTION|ServiceUnavailable"):
            bench.make("CSV", "SELECT 1 AS one")
        assert not (tmp_path / "none.db").exists()
        bench.close()


def test_a_duckdb_that_cannot_be_opened_keeps_no_folder_and_no_file_open(tmp_path: Path) -> None:
    bench = ExportBench({"kind": "duckdb", "path": str(tmp_path / "none.db")})
    engine = bench.engine(sql="SELECT 1 AS one")
    assert not engine.test().ok
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - it is no folder of ours
    for _ in range(5):
        assert not engine.test().ok
    assert before == len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - as above
    bench.close()


def test_testing_a_duckdb_leaves_no_cursor_behind(duck: ExportBench) -> None:
    engine = duck.engine(sql="SELECT 1 AS one")
    assert engine.test().ok
    source = engine._resources[0].source()  # type: ignore[attr-defined]
    assert set() == source._cursors
    assert engine.generate(duck.work("CSV"), MemorySink()).rows == 1
    assert set() == source._cursors


def test_postgresql_types_are_kept(postgres: ExportBench) -> None:
    sql = """SELECT 1::int2 AS a, 2::int8 AS b, 1.50::numeric(9, 2) AS c, sum(x) AS d, 'x'::varchar AS e,
                    date '2026-02-03' AS f, timestamptz '2026-02-03 04:05:06+02' AS g, true AS h,
                    '{"a": 1}'::jsonb AS i, ARRAY[1, 2] AS j, '\\x00ff'::bytea AS k, NULL::date AS l
             FROM (VALUES (0.1), (0.25)) t(x)"""
    table = pq.read_table(io.BytesIO(postgres.make("PARQUET", sql).data))
    assert {"a": pa.int16(), "b": pa.int64(), "c": pa.decimal128(9, 2), "l": pa.date32()}.items() <= dict(
        zip(table.schema.names, table.schema.types, strict=True)
    ).items()
    (row,) = table.to_pylist()
    assert (1, 2, Decimal("1.50"), Decimal("0.35"), "x") == tuple(row[name] for name in "abcde")
    assert (date(2026, 2, 3), datetime(2026, 2, 3, 2, 5, 6, tzinfo=UTC), True) == (
        row["f"],
        row["g"],
        row["h"],
    )
    assert ('{"a": 1}', "[1, 2]", b"\x00\xff", None) == (row["i"], row["j"], row["k"], row["l"])


def test_postgresql_cannot_be_changed_by_a_report(postgres: ExportBench, postgres_url: str) -> None:
    make_postgres(postgres_url)
    for sql in ("DELETE FROM people", "SELECT nextval('x')", "SELECT 1; DROP TABLE people"):
        with pytest.raises(Permanent):
            postgres.make("CSV", sql)
    with pytest.raises(Permanent, match="PY_QUERY"):
        postgres.make("CSV", "WITH gone AS (DELETE FROM people RETURNING id) SELECT * FROM gone")


def test_a_database_that_is_down_is_transient() -> None:
    bench = ExportBench({"kind": "postgresql", "url": "postgresql://127.0.0.1:1/none"})
    with pytest.raises(Transient, match="ServiceUnavailable"):
        bench.make("CSV", "SELECT 1")
    assert not bench.engine(sql="SELECT 1").test().ok


def test_an_error_of_the_database_shows_no_values(duck: ExportBench) -> None:
    with pytest.raises(Permanent) as caught:
        duck.make("CSV", "SELECT CAST(x AS INTEGER) AS n FROM (VALUES ('CANARY')) t(x)")
    assert "PY_QUERY" == caught.value.code
    assert "CANARY" not in str(caught.value)


def test_a_kept_connection_is_used_again(lite: ExportBench) -> None:
    for _ in range(3):
        lite.make("CSV", "SELECT 1 AS one")
    source = lite.engine(sql="SELECT 1 AS one")._resources[0].source()  # type: ignore[attr-defined]
    assert 1 == len(source._pool._idle)


@pytest.mark.parametrize("url", ["mysql+pymysql://h/d", "nodialect://x"])
def test_a_source_whose_driver_is_not_installed_is_told_as_that(url: str) -> None:
    connection = Connection(SqlAlchemySettings("main", url))
    verdict = connection.test()
    assert (False, "PY_CONNECTION: ") == (verdict.ok, verdict.text[:15])
    assert f"speaks {url.partition('://')[0]!r}" in verdict.text
    with pytest.raises(Permanent, match="PY_CONNECTION"):
        connection.source()
    connection.close()
