"""What a command that fails says to programs: one document, with the exit code that people get."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from entry.states import failing, request
from reportbus.core.jobs import Stage

if TYPE_CHECKING:
    from entry.command_line import CommandLine
    from entry.states import Line

BROKEN = failing(Stage.DELIVER, "DST_ROOT_MISSING", "/mnt/acme does not exist")


@pytest.mark.parametrize("verb", ["show", "why", "watch", "cancel", "retry"])
def test_an_id_that_nobody_knows_is_an_error_document(shell: CommandLine, verb: str) -> None:
    text = "no request 'nope', neither in the ledger nor in the worktable"
    assert shell.json("request", verb, "nope", code=1)["error"] == {
        "code": "RUN_UNKNOWN_REQUEST",
        "text": text,
        "problems": [{"code": "RUN_UNKNOWN_REQUEST", "text": text, "field": ""}],
    }
    assert shell.error("request", verb, "nope", "-o", "json").startswith("RUN_UNKNOWN_REQUEST: ")


def test_every_problem_of_a_request_is_in_the_document(shell: CommandLine) -> None:
    bad = {"report_type": "CRYSTAL", "report_name": "x", "priority": 11}
    error = shell.json("request", "submit", "--file", "-", code=1, stdin=json.dumps(bad))["error"]
    assert error["code"] == error["problems"][0]["code"]
    found = {(each["code"], each["field"]) for each in error["problems"]}
    assert found >= {("VAL_REPORT_TYPE", "REPORT_TYPE"), ("VAL_PRIORITY", "PRIORITY")}


@pytest.mark.parametrize(
    "words", [("request", "list"), ("doctor",), ("up",), ("engine", "list"), ("db", "upgrade")], ids=" ".join
)
def test_a_wrong_configuration_is_an_error_document_too(shell: CommandLine, words: tuple[str, ...]) -> None:
    shell.write("reportbus.yaml", "poll: {batch: 0, nope: 1}\n")
    error = shell.json(*words, code=78)["error"]
    assert {each["code"] for each in error["problems"]} == {"CFG_RANGE", "CFG_UNKNOWN_FIELD"}


def test_the_configuration_check_keeps_its_own_document(shell: CommandLine) -> None:
    shell.write("reportbus.yaml", "poll: {batch: 0}\n")
    assert shell.json("config", "check", code=78)["ok"] is False


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("request", "show"), "Missing argument 'ID'."),
        (("request", "list", "--status", "LOST"), "'LOST' is not one of"),
        (("request", "list", "--nope"), "No such option '--nope'"),
        (("destination", "test", "nope"), "the destination 'nope' is not configured"),
        (("request", "nope"), "No such command 'nope'"),
        (("db", "sql"), "No such option '-o'"),
    ],
)
def test_wrong_usage_is_an_error_document_too(shell: CommandLine, words: tuple[str, ...], text: str) -> None:
    error = shell.json(*words, code=2)["error"]
    assert error["code"] == "SYS_USAGE"
    assert text in error["text"]


@pytest.mark.parametrize("words", [("-ojson",), ("--output", "json"), ("--output=json",)], ids=" ".join)
def test_the_option_may_be_written_in_every_usual_way(shell: CommandLine, words: tuple[str, ...]) -> None:
    assert json.loads(shell.text("request", "show", "nope", *words, code=1))["error"]


def test_without_the_option_standard_output_stays_empty(shell: CommandLine) -> None:
    assert shell.text("request", "show", "nope", code=1) == ""
    assert shell.text("request", "show", "nope", "-o", "text", code=1) == ""


def test_what_was_done_all_the_same_stands_beside_the_error(shell: CommandLine, line: Line) -> None:
    line.take_in(request("R-1"))
    line.finish(BROKEN)
    document = shell.json("request", "retry", "nope", "R-1", code=1)
    assert [each["request_id"] for each in document["retried"]] == ["R-1"]
    assert document["error"]["code"] == "RUN_UNKNOWN_REQUEST"


def test_what_was_seen_until_time_ran_out_stands_beside_the_error(shell: CommandLine, line: Line) -> None:
    line.take_in(request("R-1"))
    document = shell.json("request", "watch", "R-1", "--timeout", "0", code=1)
    assert [each["status"] for each in document["requests"]] == ["PENDING"]
    assert document["error"]["code"] == "RUN_NOT_ENDED"


def test_an_answer_that_is_bad_news_is_no_error_document(shell: CommandLine, line: Line) -> None:
    line.take_in(request("R-1"))
    line.finish(BROKEN)
    assert shell.json("request", "watch", "R-1", code=1).keys() == {"requests"}


def test_an_export_that_cannot_begin_is_an_error_document(shell: CommandLine) -> None:
    assert shell.json("audit", "export", code=1)["error"]["code"] == "SYS_NO_LEDGER"
