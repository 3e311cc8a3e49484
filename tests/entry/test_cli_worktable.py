"""Requests that stand in the worktable: not taken in yet, refused by themselves, or taken up by nobody."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from entry.hops import published, run_line, take_in, write_back
from entry.states import request, well

if TYPE_CHECKING:
    from entry.command_line import CommandLine
    from entry.states import Line

SUBMIT = ("request", "submit", "--no-check", "--type", "PYTHON", "--name", "one", "--target", "none")


def change(shell: CommandLine, assignment: str) -> None:
    with closing(sqlite3.connect(shell.home / "worktable.db")) as connection, connection:
        connection.execute(f"UPDATE REPORT_REQUESTS SET {assignment}")  # noqa: S608 - a test's


def status(shell: CommandLine) -> str:
    with closing(sqlite3.connect(shell.home / "worktable.db")) as connection:
        (found,) = connection.execute("SELECT STATUS FROM REPORT_REQUESTS").fetchone()
    return str(found)


# -- rows that were refused under ids that were made up for them


@pytest.mark.parametrize("request_id", ["x y", "../../x"])
def test_a_row_that_was_refused_under_another_id_has_ended(shell: CommandLine, request_id: str) -> None:
    shell.run(*SUBMIT, "--id", request_id)
    run_line(shell)
    text = shell.text("request", "watch", request_id, "--timeout", "0", code=1)
    assert "FAILED       taken in as invalid-" in text
    assert "VAL_REQUEST_ID: " in text


def test_why_tells_of_such_a_row_what_it_was_refused_for(shell: CommandLine) -> None:
    shell.run(*SUBMIT, "--id", "x y")
    run_line(shell)
    answer = shell.json("request", "why", "x y")
    assert answer["request_id"].startswith("invalid-")
    assert answer["summary"] == "PYTHON one: FAILED, refused; the row 'x y' of the worktable"
    assert [each["code"] for each in answer["reasons"]] == ["VAL_REQUEST_ID"]
    assert answer["todo"] == ["It cannot be retried: mend the request and submit it under a new id."]
    assert shell.text("request", "show", "x y").startswith("invalid-")
    assert shell.text("audit", "export", "--request", "x y").startswith('{"request_id": "invalid-')


def test_a_row_whose_id_another_row_has_is_found_as_what_became_of_it(shell: CommandLine) -> None:
    shell.run(*SUBMIT, "--id", "dup-1")
    shell.run(*SUBMIT, "--id", "dup-1 ", "-p", "a=1")
    run_line(shell)
    second, first = shell.json("request", "why", "dup-1 "), shell.json("request", "why", "dup-1")
    assert (second["request_id"][:10], second["status"]) == ("duplicate-", "FAILED")
    assert (first["request_id"], first["status"]) == ("dup-1", "PENDING")
    (other,) = first["others"]
    assert other["about"] == f"row 'dup-1 ', on record as {second['request_id']}"
    assert other["code"] == "VAL_DUPLICATE_ID_CONFLICT"
    assert "\nOther rows with this id\n  row 'dup-1 '" in shell.text("request", "why", "dup-1")
    assert second["others"] == []


def test_a_row_with_blanks_around_its_id_is_the_request_of_that_id(shell: CommandLine) -> None:
    shell.run(*SUBMIT, "--id", " R-1 ")
    run_line(shell)
    assert shell.json("request", "why", " R-1 ")["request_id"] == "R-1"


def test_waiting_for_a_row_that_is_refused_ends_with_its_refusal(shell: CommandLine) -> None:
    waiting = shell.start(*SUBMIT, "--id", "x y", "--wait", "--timeout", "20")
    assert waiting.stdout is not None
    assert "x y  PENDING      in the worktable, not taken in yet" in waiting.stdout.readline()
    run_line(shell)
    code, out, err = shell.finish(waiting)
    assert (code, err) == (1, "")
    assert "VAL_REQUEST_ID" in out


# -- rows that nobody takes up


def test_watching_a_row_that_nobody_takes_up_ends_and_says_so(shell: CommandLine) -> None:
    shell.run(*SUBMIT, "--id", "R-1")
    change(shell, "STATUS = 'ON HOLD'")
    error = shell.error("request", "watch", "R-1")
    assert error.startswith("RUN_NOT_TAKEN_IN: request 'R-1' was not taken in yet: its STATUS")
    assert "'ON HOLD', and only PENDING rows are taken up" in error


def test_a_row_without_a_status_is_told_as_that(shell: CommandLine) -> None:
    shell.run(*SUBMIT, "--id", "R-1")
    change(shell, "STATUS = NULL")
    text = shell.text("request", "why", "R-1")
    assert text.startswith("R-1\nWithout a STATUS in the worktable, not taken in yet\n")
    assert "None" not in text


# -- rows that wait


def test_watching_all_waits_for_rows_that_were_not_taken_in_yet(shell: CommandLine) -> None:
    shell.run(*SUBMIT, "--id", "R-1")
    done = shell.run("request", "watch", "--all", "--timeout", "0", code=1)
    assert "R-1  PENDING      in the worktable, not taken in yet" in done.stdout
    assert done.stderr == "RUN_NOT_ENDED: 1 of 1 had not ended after 0 s: R-1\n"


def test_watching_all_where_all_have_ended_says_so(shell: CommandLine, line: Line) -> None:
    line.take_in(request("R-1"))
    line.finish(well)
    done = shell.run("request", "watch", "--all")
    assert (done.stdout, done.stderr[:19]) == ("", "no request to watch")


@pytest.mark.parametrize(
    "words", [("request", "retry"), ("dead-letter", "replay"), ("dead-letter", "show"), ("audit", "verify")]
)
def test_what_needs_a_request_in_the_ledger_says_that_a_row_was_not_taken_in_yet(
    shell: CommandLine, words: tuple[str, ...]
) -> None:
    shell.run(*SUBMIT, "--id", "R-1")
    words = (*words, "--request") if words[0] == "audit" else words
    error = shell.error(*words, "R-1")
    assert error == ("RUN_NOT_TAKEN_IN: request 'R-1' was not taken in yet: it is PENDING in the worktable\n")
    assert not (shell.home / "ledger.db").exists()


def test_cancelling_a_row_that_waits_ends_its_request_for_good(shell: CommandLine) -> None:
    shell.run(*SUBMIT, "--id", "R-1")
    with shell.parts() as parts:
        on_the_bus = published(parts)
        assert shell.text("request", "cancel", "R-1", "--by", "ops") == "R-1 is cancelled\n"
        take_in(parts, on_the_bus)
        write_back(parts)
    view = shell.json("request", "show", "R-1")["request"]
    assert (view["status"], view["code"], view["text"]) == ("FAILED", "RUN_CANCELLED", "cancelled by ops")
    assert status(shell) == "FAILED"
    assert shell.error("request", "cancel", "R-1").startswith("RUN_ENDED: ")
    assert shell.text("request", "retry", "R-1") == "R-1 begins run 2, from the engine on\n"


def test_cancelling_a_row_that_was_taken_in_meanwhile_is_cancelling_its_request(
    shell: CommandLine,
) -> None:
    shell.run(*SUBMIT, "--id", "R-1")
    run_line(shell)
    assert shell.text("request", "cancel", "R-1") == "R-1 is cancelled\n"


def test_cancelling_a_row_that_nobody_takes_up_is_refused(shell: CommandLine) -> None:
    shell.run(*SUBMIT, "--id", "R-1")
    change(shell, "STATUS = 'ON HOLD'")
    assert "'ON HOLD'" in shell.error("request", "cancel", "R-1")
    assert status(shell) == "ON HOLD"
    assert not (shell.home / "ledger.db").exists()


def test_cancelling_a_row_that_is_no_good_tells_that_it_has_ended_by_that(shell: CommandLine) -> None:
    shell.run(*SUBMIT, "--id", "R-1", "--priority", "11")
    assert shell.error("request", "cancel", "R-1").startswith("RUN_ENDED: ")
    assert shell.json("request", "why", "R-1")["reasons"][0]["code"] == "VAL_PRIORITY"


# -- looking


LOOKING = [
    ["request", "list"],
    ["request", "watch", "--all"],
    ["delivery", "list"],
    ["dead-letter", "list"],
    ["dead-letter", "replay", "--all"],
]


@pytest.mark.parametrize("words", LOOKING, ids=" ".join)
def test_looking_before_the_first_start_finds_nothing_says_why_and_makes_nothing(
    shell: CommandLine, words: list[str]
) -> None:
    done = shell.run(*words)
    assert done.stdout == ""
    assert f"there is no ledger yet at sqlite:///{shell.home / 'ledger.db'}; " in done.stderr
    assert "reportbus up" in done.stderr
    assert not shell.home.exists()


@pytest.mark.parametrize("words", [["show"], ["why"], ["watch"], ["cancel"], ["retry"]], ids=" ".join)
def test_asking_for_an_id_before_the_first_start_makes_nothing(shell: CommandLine, words: list[str]) -> None:
    assert shell.error("request", *words, "R-1").startswith("RUN_UNKNOWN_REQUEST: ")
    assert not shell.home.exists()


@pytest.mark.parametrize("verb", ["verify", "export"])
def test_the_record_of_a_ledger_that_is_not_there_is_not_called_good(shell: CommandLine, verb: str) -> None:
    done = shell.run("audit", verb, code=1)
    assert (done.stdout, done.stderr[:14]) == ("", "SYS_NO_LEDGER:")
    assert not shell.home.exists()


def test_looking_at_an_empty_file_leaves_it_empty(shell: CommandLine) -> None:
    shell.home.mkdir()
    for name in ("ledger.db", "worktable.db"):
        (shell.home / name).touch()
    shell.run("request", "list")
    shell.error("request", "why", "R-1")
    assert {path.name: path.stat().st_size for path in shell.home.iterdir()} == {
        "ledger.db": 0,
        "worktable.db": 0,
    }


def test_a_ledger_that_cannot_be_used_is_named(shell: CommandLine) -> None:
    shell.home.mkdir()
    ledger = shell.home / "ledger.db"
    ledger.write_text("no database, but some text that is long enough to be none")
    assert f"{ledger}: file is not a database" in shell.error("request", "list")
    assert f"{ledger}: file is not a database" in shell.error("db", "upgrade")
    ledger.unlink()
    ledger.mkdir()
    assert f"{ledger}: " in shell.error("request", "list")
    assert f"{ledger}: unable to open database file" in shell.error("run", "orchestrator")


def test_waiting_begins_before_there_is_a_ledger(shell: CommandLine, line: Line) -> None:
    line.take_in(request("R-1"))
    assert shell.error("request", "watch", "R-1", "--timeout", "0").startswith("RUN_NOT_ENDED")
