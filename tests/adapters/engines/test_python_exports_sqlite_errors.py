"""What SQLite says of a query: of its SQL all of it, of its rows nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from adapters.engines.export_bench import ExportBench
from reportbus.core.errors import Permanent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CANARY = "CANARY"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[ExportBench]:
    with closing(sqlite3.connect(tmp_path / "texts.db")) as connection, connection:
        connection.execute("CREATE TABLE texts (id INTEGER, good TEXT, bad TEXT)")
        connection.execute("INSERT INTO texts VALUES (1, ?, 'fine')", [CANARY])
        connection.execute("INSERT INTO texts VALUES (2, ?, CAST(? AS TEXT))", [CANARY, b"CANARY\x80"])
    bench = ExportBench({"kind": "sqlite", "path": str(tmp_path / "texts.db")})
    yield bench
    bench.close()


@pytest.mark.parametrize("where", ["id = 2", "true"], ids=["first row", "later row"])
def test_a_text_that_is_not_utf_8_is_told_by_its_column_and_not_shown(bench: ExportBench, where: str) -> None:
    with pytest.raises(Permanent, match=r"PY_QUERY.*column 'bad'.*not UTF-8") as caught:
        bench.make("CSV", f"SELECT id, good, bad FROM texts WHERE {where} ORDER BY id")  # noqa: S608 - of our own making
    assert CANARY not in str(caught.value)


def test_bytes_of_a_text_that_is_not_utf_8_can_be_had(bench: ExportBench) -> None:
    assert 2 == bench.make("CSV", "SELECT CAST(bad AS BLOB) AS bad FROM texts").produced.rows


@pytest.mark.parametrize("where", ["id = 1", "true"])
def test_an_error_that_quotes_a_row_is_told_without_it(bench: ExportBench, where: str) -> None:
    with pytest.raises(Permanent, match=r"PY_QUERY.*SQLITE_ERROR") as caught:
        bench.make("CSV", f"SELECT json_extract('{{}}', good) AS x FROM texts WHERE {where}")  # noqa: S608 - of our own making
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT x FROM nowhere", "no such table: nowhere"),
        ("SELECT y FROM texts", "no such column: y"),
        ("SELECT id FROM texts WHERE", "incomplete input"),
        ("SELECT id id id FROM texts", 'near "id": syntax error'),
    ],
)
def test_what_is_wrong_with_the_sql_is_said_in_sqlites_own_words(
    bench: ExportBench, sql: str, said: str
) -> None:
    with pytest.raises(Permanent, match="PY_QUERY") as caught:
        bench.make("CSV", sql)
    assert said in str(caught.value)
