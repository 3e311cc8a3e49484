"""What the command line tells of reports' definitions, before any is asked for."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from entry.command_line import CommandLine

ROOT = Path(__file__).parents[2]


def test_everything_wrong_with_reports_and_settings_is_told_at_once_with_its_line(shell: CommandLine) -> None:
    shell.write("engines.yaml", "engines:\n  python:\n    enabld: true\n    timeout_seconds: 20\n")
    shell.write("reports/a.yaml", "name: a\nconnection: lcal\nsql: SELECT 1\nparamters: {}\n")
    shell.write(
        "reports/b.yaml",
        "name: b\nparameters:\n  p: {type: intger}\nconnection: local\nsql: SELECT 1; SELECT $p\nformat: P\n",
    )
    shell.write("reports/c.yaml", "name: a\nconnection: local\nsql: SELECT 1\n")
    shell.write("reports/d.yaml", "")
    places = [
        line.partition(" ")[2].partition(" ")[0]
        for line in shell.error("config", "check", code=78).splitlines()
    ]
    assert places == [
        "config/engines.yaml:3:",
        "config/reports/d.yaml:1:",
        "config/reports/a.yaml:2:",
        "config/reports/a.yaml:4:",
        "config/reports/b.yaml:3:",
        "config/reports/b.yaml:5:",
        "config/reports/b.yaml:6:",
        "config/reports/c.yaml:1:",
    ]


def test_two_reports_of_one_name_are_told_with_both_files(shell: CommandLine) -> None:
    for name in ("one", "two"):
        shell.write(f"reports/{name}.yaml", "connection: local\nname: sales\nsql: SELECT 1\n")
    assert shell.error("config", "check", code=78) == (
        "CFG_INCONSISTENT: config/reports/two.yaml:2: name: two reports have the name 'sales', "
        "the other one in config/reports/one.yaml:2\n"
    )


def test_a_connection_with_a_fault_of_its_own_is_no_unknown_one(shell: CommandLine) -> None:
    shell.write(
        "engines.yaml",
        "engines:\n  python:\n    connections:\n"
        "      local: {kind: duckdb}\n      old: {kind: sqlite}\n      other: {kind: x}\n",
    )
    shell.write("reports/a.yaml", "name: a\nconnection: old\nsql: SELECT 1\n")
    shell.write("reports/b.yaml", "name: b\nconnection: other\nsql: SELECT 1\n")
    shell.write("reports/c.yaml", "name: c\nconnection: xyz\nsql: SELECT 1\n")
    missing, kind, third = shell.error("config", "check", code=78).splitlines()
    assert "engines.python.connections.old.path: is missing" in missing
    assert "engines.python.connections.other.kind: 'x' is no type" in kind
    assert third.endswith("c.yaml:2: connection: no connection 'xyz'; have 'local', 'old', 'other'")


def test_the_configuration_that_comes_along_has_a_report_that_can_be_asked_for(shell: CommandLine) -> None:
    shutil.copytree(ROOT / "config", shell.folder / "config", dirs_exist_ok=True)
    (shell.folder / "config/reports/one.yaml").unlink()
    shell.run("config", "check")
    assert "1 report;" in shell.text("engine", "test", "PYTHON")
    asked = ("--type", "PYTHON", "--name", "calendar", "--target", "delivered", "--format", "CSV")
    shell.run("request", "submit", *asked, "-p", "since=2026-11-01")
    assert "VAL_PARAM_MISSING" in shell.error("request", "submit", *asked)


CONNECTIONS = """
engines:
  python:
    connections:
      local: {kind: duckdb}
      duck: {kind: duckdb, path: not-there.duckdb}
      lite: {kind: sqlite, path: not-there.db}
      pg: {kind: postgresql, url: "postgresql://127.0.0.1:1/none"}
      any: {kind: sqlalchemy, url: "postgresql+psycopg://127.0.0.1:1/none"}
"""


@pytest.mark.parametrize(
    ("connection", "sql", "code"),
    [
        ("duck", "SELECT 1; SELECT 2", "PY_SQL"),
        ("duck", "COPY (SELECT 1) TO '/tmp/x.csv'", "PY_SQL"),
        ("duck", "DELETE FROM x", "PY_SQL"),
        ("duck", "SELEC 1", "PY_QUERY"),
        ("lite", "SELECT 1; SELECT 2", "PY_SQL"),
        ("lite", "DELETE FROM x", "PY_SQL"),
        ("pg", "SELEC 1", "PY_SQL"),
        ("pg", "COPY (SELECT 1) TO '/tmp/x.csv'", "PY_SQL"),
        ("any", "-- a comment\n DELETE FROM x", "PY_SQL"),
    ],
)
@pytest.mark.parametrize("words", [("config", "check"), ("doctor",)])
def test_sql_that_is_no_query_is_found_without_its_database(
    shell: CommandLine, words: tuple[str, ...], connection: str, sql: str, code: str
) -> None:
    shell.write("engines.yaml", CONNECTIONS)
    shell.write(
        "reports/a.yaml", f"name: a\nconnection: {connection}\nsql: |\n  " + sql.replace("\n", "\n  ")
    )
    output = shell.run(*words, code=78 if words[0] == "config" else 1).output
    assert f"{code}: config/reports/a.yaml:3: sql: " in output


@pytest.mark.parametrize(
    ("connection", "sql"),
    [
        ("duck", "FROM x WHERE y IN ($p)"),
        ("duck", "SELECT ';'; -- the end;"),
        ("lite", "WITH a AS (SELECT 1) SELECT ';', * FROM a WHERE $p = 1;"),
        ("pg", "(SELECT E'it\\'s; so', $p) UNION VALUES ('a', 'b')"),
        ("any", "EXEC report $p"),
    ],
)
def test_sql_that_may_be_a_query_is_left_to_the_database(
    shell: CommandLine, connection: str, sql: str
) -> None:
    shell.write("engines.yaml", CONNECTIONS)
    parameters = "parameters: {p: {type: text}}\n" if "$p" in sql else ""
    shell.write("reports/a.yaml", f"name: a\nconnection: {connection}\n{parameters}sql: |\n  {sql}\n")
    shell.run("config", "check")
