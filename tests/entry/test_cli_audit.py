from __future__ import annotations

import csv
import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from entry.states import failing, request, well
from reportbus.core.jobs import Stage

if TYPE_CHECKING:
    from entry.command_line import CommandLine
    from entry.states import Line


@pytest.fixture
def two(line: Line) -> None:
    line.take_in(request("R-1"))
    line.finish(well)
    line.take_in(request("R-2"))
    line.finish(failing(Stage.GENERATE, "ENG_EMPTY_OUTPUT", "the file is empty"))


def exported(shell: CommandLine, *words: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in shell.text("audit", "export", *words).splitlines()]


def test_the_record_is_exported_row_by_row(shell: CommandLine, two: None) -> None:
    rows = exported(shell)
    assert [(row["request_id"], row["sequence"]) for row in rows][:2] == [("R-1", 1), ("R-1", 2)]
    assert {row["request_id"] for row in rows} == {"R-1", "R-2"}
    first = rows[0]
    assert first["at"] == str(first["at"])[:26] + "Z"
    assert first["details"] == {
        "run": 1,
        "report_type": "PYTHON",
        "report_name": "one",
        "format": "CSV",
        "priority": 5,
        "targets": 1,
        "requested_by": "ada",
    }


def test_an_export_can_be_narrowed(shell: CommandLine, two: None) -> None:
    assert {row["request_id"] for row in exported(shell, "--request", "R-2")} == {"R-2"}
    (error,) = exported(shell, "--event", "ERROR")
    assert (error["request_id"], error["component"]) == ("R-2", "ENGINE")
    assert {row["component"] for row in exported(shell, "--component", "DISTRIBUTOR")} == {"DISTRIBUTOR"}
    assert exported(shell, "--since", "1m") == []
    assert len(exported(shell, "--since", "2h", "--until", "2100-01-01")) == len(exported(shell))


def test_an_export_without_a_row_says_so_and_has_its_heading(shell: CommandLine, two: None) -> None:
    done = shell.run("audit", "export", "--event", "CANCEL")
    assert (done.stdout, done.stderr) == ("", "no row of the record fits\n")
    assert shell.text("audit", "export", "--event", "cancel", "-o", "csv").startswith("request_id,")


def test_an_event_that_there_is_not_is_wrong_usage(shell: CommandLine, two: None) -> None:
    error = shell.error("audit", "export", "--event", "NOPE", code=2)
    assert "'NOPE' is not one of" in error
    assert "'generation'" in error
    assert "'distributor'" in shell.error("audit", "export", "--component", "NOPE", code=2)


def test_json_is_a_document_a_line_as_well(shell: CommandLine, two: None) -> None:
    assert exported(shell, "-o", "json") == exported(shell)


def test_csv_has_a_heading_and_the_same_rows(shell: CommandLine, two: None) -> None:
    text = shell.text("audit", "export", "-o", "csv")
    rows = list(csv.DictReader(text.splitlines()))
    lines = exported(shell)
    assert [row["hash"] for row in rows] == [line["hash"] for line in lines]
    assert json.loads(rows[0]["details"]) == lines[0]["details"]


def test_an_untouched_record_verifies(shell: CommandLine, two: None) -> None:
    assert shell.text("audit", "verify") == "every row is as it was written: 2 chains checked\n"
    assert shell.json("audit", "verify", "--request", "R-1") == {"ok": True, "requests": 1, "broken": []}


def test_every_place_that_was_touched_is_named_and_the_exit_code_is_1(shell: CommandLine, two: None) -> None:
    """The database refuses that itself; whoever owns it can still do it, and this is how it comes out."""
    with closing(sqlite3.connect(shell.home / "ledger.db")) as connection, connection:
        connection.execute("DROP TRIGGER audit_log_no_update")
        connection.execute("DROP TRIGGER audit_log_no_delete")
        connection.execute("UPDATE audit_log SET details = '{}' WHERE request_id = 'R-1' AND sequence = 3")
        connection.execute("DELETE FROM audit_log WHERE request_id = 'R-2' AND sequence = 2")
    broken = shell.json("audit", "verify", code=1)["broken"]
    assert {(each["request_id"], each["sequence"]) for each in broken} >= {("R-1", 3), ("R-2", 2)}
    text = shell.text("audit", "verify", code=1)
    assert "R-2        2  row 2 is missing; the next one is 3" in text
    assert shell.json("audit", "verify", "--request", "R-1", code=1)["ok"] is False


def test_a_reader_that_has_enough_ends_the_export_quietly(shell: CommandLine, line: Line) -> None:
    for number in range(40):
        line.take_in(*(request(f"R-{number}-{each}") for each in range(50)))
    export = shell.start("audit", "export")
    assert export.stdout is not None
    assert export.stdout.readline().startswith('{"request_id": "R-0-0"')
    export.stdout.close()
    assert shell.finish(export)[::2] == (1, "")
