"""The commands about the set-up: config, doctor, db, engine and destination."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from entry.states import request

if TYPE_CHECKING:
    from pathlib import Path

    from entry.command_line import CommandLine
    from entry.states import Line

ACME = """
destinations:
  acme: {type: NAS, root: %s}
  old: {type: NAS, root: /nowhere, enabled: false}
"""


def broken(shell: CommandLine) -> Path:
    """Configure a destination whose folder is missing."""
    root = shell.folder / "acme"
    shell.write("destinations.yaml", ACME % root)
    return root


# -- config


def test_a_good_configuration_is_good(shell: CommandLine) -> None:
    assert shell.text("config", "check").startswith("the configuration is good: ")
    assert shell.json("config", "check")["ok"] is True
    assert not shell.home.exists()


def test_a_bad_configuration_ends_every_command_with_78_and_all_problems(shell: CommandLine) -> None:
    shell.write("reportbus.yaml", "pol: 1\nworker: {threads: many}\n")
    for words in (("config", "check"), ("config", "show"), ("doctor",), ("request", "list"), ("up",)):
        lines = shell.error(*words, code=78).splitlines()
        assert [line.split(":")[0] for line in lines] == ["CFG_UNKNOWN_FIELD", "CFG_TYPE"], words


def test_the_problems_of_a_configuration_are_also_had_as_json(shell: CommandLine) -> None:
    shell.write("reportbus.yaml", "pol: 1\n")
    shell.write("engines.yaml", "engines:\n  python:\n    enabled: 3\n")
    shell.variables["REPORTBUS_WORKER__THREADS"] = "many"
    threads, enabled, unknown = shell.json("config", "check", code=78)["problems"]
    assert (unknown["code"], unknown["file"], unknown["line"]) == (
        "CFG_UNKNOWN_FIELD",
        "config/reportbus.yaml",
        1,
    )
    assert (threads["file"], threads["variable"], threads["field"]) == (
        None,
        "REPORTBUS_WORKER__THREADS",
        "worker.threads",
    )
    assert enabled == {
        "code": "CFG_TYPE",
        "text": "'3' is no switch; write true or false",
        "file": "config/engines.yaml",
        "line": 3,
        "variable": None,
        "field": "engines.python.enabled",
    }


def test_settings_are_shown_with_where_they_came_from(shell: CommandLine) -> None:
    shell.write("reportbus.yaml", "stop: {grace_seconds: 5}\n")
    shell.variables["REPORTBUS_WORKER__THREADS"] = "3"
    found = {each["name"]: each for each in shell.json("config", "show")["settings"]}
    assert found["stop.grace_seconds"] == {
        "name": "stop.grace_seconds",
        "value": 5,
        "from": "config/reportbus.yaml:1",
    }
    assert found["worker.threads"]["from"] == "environment REPORTBUS_WORKER__THREADS"
    assert found["worker.batch"]["from"] == "default"
    values = {name: each["value"] for name, each in found.items()}
    assert (values["wakeups"], values["destinations.mail.max_concurrency"]) == (True, None)
    assert (values["notify[0].on"], values["notify[0].to"]) == (["FAILED"], [])
    assert values["engines.python.connections.local.views"] == {}
    assert values["destinations.delivered.type"] == "NAS"
    assert values["engines.python.connections.local.kind"] == "duckdb"
    assert shell.text("config", "show", "stop").splitlines()[1].split() == [
        "stop.grace_seconds",
        "5",
        "config/reportbus.yaml:1",
    ]
    assert "no setting begins with 'stopp'" in shell.error("config", "show", "stopp", code=2)


def test_secrets_are_masked_wherever_the_configuration_is_shown(shell: CommandLine) -> None:
    shell.variables["REPORTBUS_LEDGER__URL"] = "postgresql://rb:hunter22@127.0.0.1:1/rb"
    assert "hunter22" not in shell.run("config", "show").output
    assert "hunter22" not in shell.run("doctor", code=1).output


# -- the ledger's database


def test_the_schema_is_made_and_making_it_again_changes_nothing(shell: CommandLine) -> None:
    first = shell.json("db", "upgrade")
    assert shell.json("db", "upgrade") == first
    assert shell.text("db", "upgrade") == f"the ledger's schema is {first['revision']}\n"


def test_the_statements_for_the_schema_can_be_read_without_a_database(shell: CommandLine) -> None:
    assert "CREATE TABLE audit_log" in shell.text("db", "sql")
    shell.variables["REPORTBUS_LEDGER__URL"] = "postgresql://nobody@127.0.0.1:1/nothing"
    assert "CREATE TABLE audit_log" in shell.text("db", "sql")
    assert not shell.home.exists()


def test_a_ledger_on_postgresql_wants_its_schema_first(shell: CommandLine, postgres_url: str) -> None:
    shell.variables["REPORTBUS_LEDGER__URL"] = postgres_url
    assert shell.error("request", "list").startswith("SYS_SCHEMA: ")
    assert "run: reportbus db upgrade" in shell.text("doctor", code=1)
    shell.run("db", "upgrade")
    assert shell.json("request", "list") == {"requests": [], "next_before": None}
    assert shell.json("doctor")["ok"] is True


@pytest.mark.parametrize("words", [("up",), ("run", "generator"), ("db", "upgrade"), ("request", "list")])
def test_a_ledger_of_a_later_version_is_told_and_left_alone(
    shell: CommandLine, words: tuple[str, ...]
) -> None:
    shell.home.mkdir()
    of_version(shell.home / "ledger.db", "9999")
    result = shell.run(*words, code=1)
    assert result.stdout == ""
    assert result.stderr.startswith("SYS_SCHEMA: the ledger's schema is none that this version knows: ")
    with closing(sqlite3.connect(shell.home / "ledger.db")) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("alembic_version",)]


def of_version(path: Path, revision: str) -> None:
    """A ledger's file that is said to have this revision's schema."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        connection.execute("INSERT INTO alembic_version VALUES (?)", (revision,))


def test_a_ledger_that_is_away_is_told_in_one_line(shell: CommandLine) -> None:
    shell.variables["REPORTBUS_LEDGER__URL"] = "postgresql://nobody@127.0.0.1:1/nothing"
    (line,) = shell.error("request", "list").splitlines()
    assert line.startswith("ServiceUnavailable: the ledger's database is not available: ")


def test_a_home_that_cannot_be_made_is_told_in_one_line(shell: CommandLine) -> None:
    shell.home.write_text("a file")
    (line,) = shell.error("request", "list", code=78).splitlines()
    assert line.startswith("CFG_FILE: environment REPORTBUS_HOME: ")
    shell.variables["REPORTBUS_HOME"] = str(shell.home / "below")
    assert f"'{shell.home}' is no folder" in shell.error("config", "check", code=78)


# -- engines and destinations


def test_engines_are_listed_with_their_limits(shell: CommandLine) -> None:
    shell.write(
        "engines.yaml", "engines:\n  PYTHON: {timeout_seconds: 20, retry_count: 1, max_concurrency: 2}\n"
    )
    (engine,) = shell.json("engine", "list")["engines"]
    assert engine == {
        "name": "PYTHON",
        "type": "python",
        "state": "enabled",
        "timeout_seconds": 20.0,
        "retry_count": 1,
        "max_concurrency": 2,
    }
    assert shell.text("engine", "list").splitlines()[1].split() == [
        "PYTHON",
        "python",
        "enabled",
        "20",
        "s",
        "1",
        "2",
    ]


OTHERS = """
engines:
  python: {}
  second: {type: python, enabled: false}
  midas: {endpoint: "https://midas.example.com/api"}
  ssrs: {endpoint: "https://ssrs.example.com/ReportServer", enabled: false}
"""


def test_an_engine_without_an_adapter_is_nowhere_shown_as_usable(shell: CommandLine) -> None:
    shell.write("engines.yaml", OTHERS)
    why = "has no adapter yet; requests for MIDAS are refused (VAL_ENGINE_DISABLED)"
    states = {each["name"]: each["state"] for each in shell.json("engine", "list")["engines"]}
    assert states == {
        "PYTHON": "enabled",
        "SECOND": "switched off",
        "MIDAS": "no adapter",
        "SSRS": "no adapter",
    }
    assert shell.json("config", "check")["hints"] == [f"engine MIDAS: {why}"]
    assert {"name": "engine MIDAS", "ok": None, "text": why} in shell.json("doctor")["verdicts"]
    assert {"name": "MIDAS", "ok": None, "text": why} in shell.json("engine", "test")["verdicts"]
    assert f"MIDAS   no adapter  {why}" in shell.text("engine", "test")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("MIDAS", "has no adapter yet"),
        ("SSRS", "has no adapter yet"),
        ("OBIEE", "has no adapter yet"),
        ("SECOND", "is switched off"),
    ],
)
def test_why_an_engine_is_not_there_is_said_in_the_same_words_everywhere(
    shell: CommandLine, name: str, why: str
) -> None:
    shell.write("engines.yaml", OTHERS)
    asked = ("request", "submit", "--type", name, "--name", "one", "--target", "none")
    assert f"the engine {name} {why}; have PYTHON" in shell.error(*asked)
    assert f"the engine '{name}' {why}; have PYTHON" in shell.error("engine", "test", name, code=2)


def test_an_engine_is_tested_by_a_real_call(shell: CommandLine) -> None:
    (verdict,) = shell.json("engine", "test", "python")["verdicts"]
    assert (verdict["name"], verdict["ok"]) == ("PYTHON", True)
    assert "the engine 'CRYSTAL' is not configured; have PYTHON" in shell.error(
        "engine", "test", "crystal", code=2
    )


def test_destinations_are_listed_with_where_they_lead(shell: CommandLine) -> None:
    root = broken(shell)
    found = {each["name"]: each for each in shell.json("destination", "list")["destinations"]}
    assert found["acme"]["where"] == str(root)
    assert [found[name]["state"] for name in ("acme", "old")] == ["enabled", "switched off"]


def test_a_destination_that_would_not_take_files_fails_its_test_with_the_fix(shell: CommandLine) -> None:
    root = broken(shell)
    document = shell.json("destination", "test", code=1)
    assert document["ok"] is False
    (verdict,) = document["verdicts"]
    assert verdict["text"].startswith("DST_ROOT_MISSING: ")
    root.mkdir()
    assert "acme         ok " in shell.text("destination", "test", "acme")
    assert list(root.iterdir()) == []


def test_a_target_without_a_destination_goes_to_the_default_of_its_type(shell: CommandLine) -> None:
    asked = (
        "request",
        "submit",
        "--type",
        "PYTHON",
        "--name",
        "one",
        "--format",
        "CSV",
        "--target",
        '{"type": "NAS"}',
    )
    places = "destinations:\n  one: {type: NAS, root: one}\n  two: {type: NAS, root: two%s}\n"
    shell.write("destinations.yaml", places % "")
    assert "CFG_DESTINATION" in (said := shell.error(*asked))
    assert "none is the default of NAS; name one: have one, two" in said
    shell.write("destinations.yaml", places % ", default: true")
    shell.run(*asked)
    shell.write("destinations.yaml", places % ", enabled: false")
    shell.run(*asked)


# -- doctor


def test_the_doctor_finds_a_fresh_set_up_well_and_makes_nothing(shell: CommandLine) -> None:
    document = shell.json("doctor")
    assert document["ok"] is True
    assert {each["name"] for each in document["verdicts"]} >= {
        "configuration",
        "home",
        "worktable",
        "bus",
        "ledger",
        "staging",
        "engine PYTHON",
        "destination delivered",
        "destination mail",
        "channel EMAIL",
        "channel LOG",
    }
    assert not shell.home.exists()


def test_the_doctor_changes_nothing_in_a_home_that_is_used(shell: CommandLine, line: Line) -> None:
    line.take_in(request("R-1"))
    shell.run("request", "submit", "--no-check", "--type", "PYTHON", "--name", "one")
    shell.run("destination", "test")
    for folder in ("delivered", "mail", "staging"):
        (shell.home / folder).mkdir(exist_ok=True)
    before = everything(shell.home)
    assert "requests wait in it" in shell.text("doctor")
    assert everything(shell.home) == before


@pytest.mark.parametrize("name", ["worktable", "bus", "ledger"])
def test_the_doctor_leaves_an_empty_database_file_empty(shell: CommandLine, name: str) -> None:
    shell.home.mkdir()
    (shell.home / f"{name}.db").touch()
    before = everything(shell.home)
    verdicts = {each["name"]: each for each in shell.json("doctor")["verdicts"]}
    assert "is empty; its tables are made at the first use" in verdicts[name]["text"]
    assert everything(shell.home) == before


def test_the_doctor_tests_channels(shell: CommandLine) -> None:
    (shell.folder / "file").touch()
    shell.write("reportbus.yaml", f"channels: {{EMAIL: {{maildir: {shell.folder}/file}}, LOG: {{}}}}\n")
    verdicts = {each["name"]: each for each in shell.json("doctor", code=1)["verdicts"]}
    assert verdicts["channel EMAIL"]["text"].startswith("DST_NO_FOLDER: ")
    assert verdicts["channel LOG"]["ok"] is True


def test_the_doctor_makes_no_folder_for_scripts(shell: CommandLine) -> None:
    shell.write("scripts/x.py", "")
    shell.write("reports/x.yaml", "name: x\nscript: x.py\nformats: [CSV]\n")
    assert "scripts run" in shell.text("doctor")
    assert not shell.home.exists()


def everything(folder: Path) -> dict[Path, tuple[int, int]]:
    """Each file and folder with its time and size, but for the index that readers of a log share."""
    return {
        path: (path.stat().st_mtime_ns, path.stat().st_size)
        for path in folder.rglob("*")
        if not path.name.endswith("-shm")
    }


def test_the_doctor_fails_with_a_verdict_for_each_part_that_is_not_well(shell: CommandLine) -> None:
    broken(shell)
    shell.home.mkdir()
    (shell.home / "worktable.db").write_text("no database at all, but long enough to be taken for one" * 30)
    of_version(shell.home / "ledger.db", "0000")
    verdicts = {each["name"]: each for each in shell.json("doctor", code=1)["verdicts"]}
    assert verdicts["worktable"]["text"].startswith("SYS_WORKTABLE: ")
    assert "run: reportbus db upgrade" in verdicts["ledger"]["text"]
    assert verdicts["destination acme"]["text"].startswith("DST_ROOT_MISSING: ")
    assert verdicts["engine PYTHON"]["ok"] is True


def test_the_doctor_tells_of_a_destination_whose_folder_cannot_be_made(shell: CommandLine) -> None:
    shell.home.mkdir()
    (shell.home / "delivered").write_bytes(b"")
    verdicts = {each["name"]: each for each in shell.json("doctor", code=1)["verdicts"]}
    assert verdicts["destination delivered"]["ok"] is False
    assert f"making {shell.home / 'delivered'}: " in verdicts["destination delivered"]["text"]
    assert verdicts["destination mail"]["ok"] is True


@pytest.mark.parametrize("words", [("config", "check"), ("doctor",)])
def test_a_report_whose_definition_is_no_good_is_found(shell: CommandLine, words: tuple[str, ...]) -> None:
    shell.write("reports/two.yaml", "name: two\nconnection: local\nsql: select $region as a\n")
    code = 78 if words[0] == "config" else 1
    assert "CFG_REPORT_SQL" in shell.run(*words, code=code).output
