"""Throw-away databases of every kind with three people in them, and queries that never end."""

from __future__ import annotations

import sqlite3
from datetime import date
from typing import TYPE_CHECKING

import duckdb
from sqlalchemy import create_engine, text

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from reportbus.core.model import JsonValue

ENDLESS = {
    "duckdb": "SELECT count(*) AS n FROM range(1000000000) a(i), range(1000000) b(j) WHERE (i * j) % 7 = 3",
    "sqlite": "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT count(*) AS n FROM r",
    "postgresql": "SELECT count(*) AS n FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b",
}
TRICKY = "O'Brien'); DROP TABLE people; --"


def make_sqlite(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(
        """
        CREATE TABLE people (id INTEGER, name TEXT, born TEXT, wage NUMERIC, ratio REAL, picture BLOB, empty);
        INSERT INTO people VALUES (1, 'Ada', '1815-12-10', 12.5, 0.5, x'00ff', NULL);
        INSERT INTO people VALUES (2, 'Blaise', '1623-06-19', 13, 1, NULL, NULL);
        INSERT INTO people VALUES (3, 'O''Brien''); DROP TABLE people; --', NULL, NULL, NULL, NULL, NULL);
        """
    )
    connection.close()


def make_duckdb(path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            """CREATE TABLE people AS SELECT * FROM (VALUES
            (1, 'Ada', DATE '1815-12-10', 12.5::DECIMAL(9, 2)),
            (2, 'Blaise', DATE '1623-06-19', 13::DECIMAL(9, 2)),
            (3, 'O''Brien''); DROP TABLE people; --', NULL, NULL)) t(id, name, born, wage)"""
        )


def make_postgres(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE people (id int, name text, born date, wage numeric(9, 2))"))
        ada, blaise = (1, "Ada", date(1815, 12, 10), 12.5), (2, "Blaise", date(1623, 6, 19), 13)
        for row in (ada, blaise, (3, TRICKY, None, None)):
            connection.exec_driver_sql("INSERT INTO people VALUES (%s, %s, %s, %s)", row)
    engine.dispose()


KINDS = ["duckdb", "sqlite", "adbc", "sqlalchemy", "postgresql", "sqlalchemy-postgresql"]


def connection_of(kind: str, folder: Path, request: pytest.FixtureRequest) -> dict[str, JsonValue]:
    path = folder / "people.db"
    if kind.endswith("postgresql"):
        url = request.getfixturevalue("postgres_url")
        make_postgres(url)
        return {"kind": kind.partition("-")[0], "url": url}
    if kind == "duckdb":
        make_duckdb(path)
        return {"kind": "duckdb", "path": str(path)}
    make_sqlite(path)
    return {
        "sqlite": {"kind": "sqlite", "path": str(path)},
        "adbc": {"kind": "adbc", "driver": "adbc_driver_sqlite", "options": {"uri": str(path)}},
        "sqlalchemy": {"kind": "sqlalchemy", "url": f"sqlite:///{path}"},
    }[kind]  # type: ignore[return-value]  # mappings of text
