from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from reportbus.entry.cli.context import operator

if TYPE_CHECKING:
    from entry.command_line import CommandLine

GOOD = {"report_type": "PYTHON", "report_name": "one", "distribution_config": {"targets": "none"}}
SUBMIT = ("request", "submit", "--no-check", "--type", "PYTHON", "--name", "one")


def rows(shell: CommandLine) -> list[dict[str, Any]]:
    """The worktable, as any SQLite client sees it; empty where nobody needed one yet."""
    if not (shell.home / "worktable.db").exists():
        return []
    with closing(sqlite3.connect(shell.home / "worktable.db")) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM REPORT_REQUESTS ORDER BY rowid")]


def config(shell: CommandLine) -> dict[str, object]:
    (row,) = rows(shell)
    found: dict[str, object] = json.loads(row["DISTRIBUTION_CONFIG"])
    return found


def test_a_request_becomes_a_pending_row_and_its_id_is_printed(shell: CommandLine) -> None:
    printed = shell.text(*SUBMIT, "--target", "none", "--priority", "2", "--by", "ada")
    (row,) = rows(shell)
    assert printed == f"{row['REQUEST_ID']}\n"
    assert (row["REPORT_TYPE"], row["REPORT_NAME"], row["STATUS"]) == ("PYTHON", "one", "PENDING")
    assert (row["PRIORITY"], row["REQUESTED_BY"]) == (2, "ada")
    assert row["REQUESTED_AT"] is not None


def test_what_is_left_out_is_left_to_the_table_but_for_who_asks(shell: CommandLine) -> None:
    shell.run(*SUBMIT, "--id", "R-1")
    (row,) = rows(shell)
    assert (row["REQUEST_ID"], row["PRIORITY"], row["PARAMETERS"]) == ("R-1", 5, "{}")
    assert row["REQUESTED_BY"] == operator()


def test_parameters_are_text_unless_they_say_that_they_are_json(shell: CommandLine) -> None:
    shell.run(*SUBMIT, "-p", "year=2026", "-p", "top:=10", "-p", 'regions:=["N", "S"]', "-p", "note=a=b")
    (row,) = rows(shell)
    assert json.loads(row["PARAMETERS"]) == {"year": "2026", "top": 10, "regions": ["N", "S"], "note": "a=b"}


def test_parameters_may_be_one_json_object_with_some_added(shell: CommandLine) -> None:
    shell.run(*SUBMIT, "--parameters", '{"top": 10}', "-p", "year=2026")
    (row,) = rows(shell)
    assert json.loads(row["PARAMETERS"]) == {"top": 10, "year": "2026"}


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["-p", "year"], "no key=text"),
        (["-p", "top:=ten"], "VAL_JSON"),
        (["-p", "a=1", "-p", "a=2"], "given twice"),
        (["--parameters", "[1]", "-p", "a=2"], "JSON object"),
        (["--target", "nowhere/in"], "no destination 'nowhere'; have delivered, mail"),
        (["--target", "{"], "VAL_JSON"),
        (["--target", "none", "--target", "delivered"], "none stands alone"),
        (["--file", "-"], "either"),
    ],
)
def test_options_that_make_no_request_are_wrong_usage(
    shell: CommandLine, words: list[str], fault: str
) -> None:
    assert fault in shell.error(*SUBMIT, *words, code=2, stdin="{}")
    assert rows(shell) == []


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("delivered", {"type": "NAS", "destination": "delivered", "path": ""}),
        ("delivered/in/finance", {"type": "NAS", "destination": "delivered", "path": "in/finance"}),
        ("sftp://acme/in/finance", {"type": "SFTP", "destination": "acme", "path": "in/finance"}),
        ("mailto:a@example.com,b@example.com", {"type": "EMAIL", "to": ["a@example.com", "b@example.com"]}),
        ('{"type": "NAS", "path": "x"}', {"type": "NAS", "path": "x"}),
    ],
)
def test_a_target_may_be_written_in_several_ways(
    shell: CommandLine, text: str, target: dict[str, object]
) -> None:
    shell.run(*SUBMIT, "--target", text, "--format", "CSV", "--file-name", "{{ report }}.csv")
    assert config(shell) == {"format": "CSV", "file_name": "{{ report }}.csv", "targets": [target]}


def test_none_as_target_has_the_report_staged_only(shell: CommandLine) -> None:
    shell.run(*SUBMIT, "--target", "none")
    assert config(shell) == {"targets": "none"}


def test_a_file_holds_one_request_or_several(shell: CommandLine) -> None:
    several = [{**GOOD, "request_id": f"R-{number}"} for number in range(3)]
    assert (
        shell.text("request", "submit", "--no-check", "--file", "-", stdin=json.dumps(several))
        == "R-0\nR-1\nR-2\n"
    )
    (shell.folder / "one.json").write_text(json.dumps({**GOOD, "request_id": "R-3"}))
    document = shell.json("request", "submit", "--no-check", "--file", "one.json")
    assert document == {"submitted": [{"request_id": "R-3"}]}
    assert [row["REQUEST_ID"] for row in rows(shell)] == ["R-0", "R-1", "R-2", "R-3"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{", "VAL_JSON: the file: "),
        ("[]", "CFG_TYPE: the file: "),
        ("[1]", "CFG_TYPE: [0]: "),
        ('{"report_name": "a", "report_name": "b"}', "VAL_JSON_DUPLICATE_KEY: "),
        (
            '[{}, {"reprot_name": "a"}]',
            "CFG_UNKNOWN_FIELD: [1]: there is no field 'reprot_name'; have request_id",
        ),
    ],
)
def test_a_file_that_holds_no_request_is_refused(shell: CommandLine, text: str, fault: str) -> None:
    assert shell.error("request", "submit", "--no-check", "--file", "-", stdin=text).startswith(fault)


def test_every_problem_is_told_at_once_and_nothing_is_submitted(shell: CommandLine) -> None:
    bad = {
        "report_type": "CRYSTAL",
        "report_name": "x",
        "priority": 11,
        "distribution_config": {"format": "DOC"},
    }
    lines = shell.error("request", "submit", "--file", "-", stdin=json.dumps([GOOD, bad])).splitlines()
    assert {line.split(":")[0] for line in lines} >= {
        "VAL_REPORT_TYPE",
        "VAL_PRIORITY",
        "VAL_FORMAT",
        "VAL_NO_TARGETS",
    }
    assert "VAL_PRIORITY: [1].PRIORITY: 11 is no priority" in "\n".join(lines)
    assert rows(shell) == []


def test_a_row_too_large_for_the_bus_is_refused_here_as_intake_would(shell: CommandLine) -> None:
    large = {**GOOD, "parameters": {"text": "x" * 300_000}}
    assert "VAL_TOO_LARGE" in shell.error("request", "submit", "--file", "-", stdin=json.dumps(large))


def test_an_id_that_is_taken_is_an_error_and_nothing_is_submitted(shell: CommandLine) -> None:
    shell.run(*SUBMIT, "--id", "R-1")
    both = [{**GOOD, "request_id": "R-2"}, {**GOOD, "request_id": "R-1"}]
    error = shell.error("request", "submit", "--no-check", "--file", "-", stdin=json.dumps(both))
    assert error == "VAL_DUPLICATE_ID_CONFLICT: 1 request id is not new: 'R-1'\n"
    assert len(rows(shell)) == 1
