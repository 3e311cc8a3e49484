from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from entry.states import REPORT, failing, request, well
from reportbus.core.errors import Problem
from reportbus.core.events import Kind
from reportbus.core.jobs import Stage
from reportbus.core.model import Status

if TYPE_CHECKING:
    from entry.command_line import CommandLine
    from entry.states import Line

BROKEN = failing(Stage.DELIVER, "DST_ROOT_MISSING", "/mnt/acme does not exist", 2)


def stage(shell: CommandLine, key: str, content: bytes) -> None:
    """Put a file on staging."""
    with shell.parts() as parts, parts.staging.writer(key, limit=len(content)) as writer:
        writer.write(content)
        parts.staging.publish([writer])


@pytest.fixture
def three(line: Line) -> None:
    """R-1 COMPLETED, R-2 FAILED with 1 of 2 delivered, R-3 PENDING."""
    line.take_in(request("R-1"))
    line.finish(well)
    line.take_in(request("R-2", targets=2, requested_by="bob"))
    line.finish(BROKEN)
    line.take_in(request("R-3", report_name="two"))


def test_requests_are_listed_newest_first(shell: CommandLine, three: None) -> None:
    heading, *lines = shell.text("request", "list").splitlines()
    assert heading.split() == [
        "ID",
        "TYPE",
        "REPORT",
        "STATUS",
        "DONE",
        "RUN",
        "PRIO",
        "BY",
        "TAKEN",
        "IN",
        "CODE",
    ]
    assert [line.split()[0] for line in lines] == ["R-3", "R-2", "R-1"]
    assert "FAILED     1 of 2" in lines[1]
    assert lines[1].endswith("Z  DST_ROOT_MISSING")


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (["--status", "failed"], ["R-2"]),
        (["--status", "failed", "--status", "COMPLETED"], ["R-2", "R-1"]),
        (["--name", "two"], ["R-3"]),
        (["--type", "SSRS"], []),
        (["--by", "bob"], ["R-2"]),
        (["--since", "1m"], []),
        (["--since", "7d", "--until", "2100-01-01"], ["R-3", "R-2", "R-1"]),
    ],
)
def test_a_listing_can_be_narrowed(shell: CommandLine, three: None, words: list[str], ids: list[str]) -> None:
    found = shell.json("request", "list", *words)["requests"]
    assert [each["request_id"] for each in found] == ids


def test_a_listing_goes_on_where_it_ended(shell: CommandLine, three: None) -> None:
    first = shell.json("request", "list", "--limit", "2")
    second = shell.json("request", "list", "--limit", "2", "--before", str(first["next_before"]))
    assert [each["request_id"] for each in second["requests"]] == ["R-1"]
    assert second["next_before"] is None
    assert f"--before {first['next_before']}" in shell.run("request", "list", "--limit", "2").stderr


def test_a_time_that_is_none_is_wrong_usage(shell: CommandLine) -> None:
    assert "'yesterday' is no time like" in shell.error("request", "list", "--since", "yesterday", code=2)


def test_a_request_is_shown_with_all_that_became_of_it(shell: CommandLine, three: None) -> None:
    document = shell.json("request", "show", "R-2")
    assert document["request"]["status"] == "FAILED"
    assert document["request"]["ended_at"].endswith("Z")
    assert document["asked"]["parameters"] == {"region": "N"}
    assert [each["state"] for each in document["deliveries"]] == ["DELIVERED", "FAILED"]
    assert document["outputs"] == ["reports/R-2/1/1/one.csv"]
    assert [each["code"] for each in document["errors"]] == ["DST_ROOT_MISSING"]
    text = shell.text("request", "show", "R-2")
    assert "DST_ROOT_MISSING: /mnt/acme does not exist" in text
    assert text.endswith("Why, and what to do: reportbus request why R-2\n")


def test_a_request_under_way_is_shown_with_its_open_jobs(shell: CommandLine, three: None) -> None:
    (job,) = shell.json("request", "show", "R-3")["jobs"]
    assert (job["stage"], job["lane"], job["state"]) == ("GENERATE", "engine:PYTHON", "READY")
    assert "GENERATE  engine:PYTHON  READY" in shell.text("request", "show", "R-3")


def test_a_request_that_is_only_in_the_worktable_is_shown_as_its_row(shell: CommandLine) -> None:
    shell.run("request", "submit", "--no-check", "--type", "PYTHON", "--name", "one", "--id", "R-1")
    assert shell.json("request", "show", "R-1")["worktable"]["columns"]["REPORT_NAME"] == "one"
    assert "was not taken in yet" in shell.text("request", "show", "R-1")


@pytest.mark.parametrize("verb", ["show", "watch", "why", "cancel", "retry"])
def test_an_id_that_nobody_knows_is_an_error_with_its_code(shell: CommandLine, verb: str) -> None:
    assert shell.error("request", verb, "nope").startswith("RUN_UNKNOWN_REQUEST: no request 'nope'")


def test_cancelling_ends_a_request_and_names_who_did_it(shell: CommandLine, three: None) -> None:
    assert shell.text("request", "cancel", "R-3", "--by", "ops") == "R-3 is cancelled\n"
    view = shell.json("request", "show", "R-3")["request"]
    assert (view["status"], view["code"], view["text"]) == ("FAILED", "RUN_CANCELLED", "cancelled by ops")
    assert shell.error("request", "cancel", "R-3").startswith("RUN_ENDED: ")


def test_cancelling_what_a_worker_holds_lets_it_end(shell: CommandLine, line: Line) -> None:
    line.take_in(request("R-1"))
    line.claim()
    assert shell.text("request", "cancel", "R-1") == "R-1 ends with the jobs in hand\n"


def test_a_retry_begins_anew_where_the_report_is_not_staged_any_more(shell: CommandLine, three: None) -> None:
    assert shell.text("request", "retry", "R-2") == "R-2 begins run 2, from the engine on\n"
    assert shell.json("request", "show", "R-2")["request"]["run"] == 2


def test_a_retry_begins_from_staging_where_the_report_still_stands_there(
    shell: CommandLine, three: None
) -> None:
    stage(shell, "reports/R-2/1/1/one.csv", REPORT)
    assert shell.json("request", "retry", "R-2") == {
        "retried": [{"request_id": "R-2", "run": 2, "staged": True, "opened": True}]
    }
    assert shell.json("request", "show", "R-2")["request"]["status"] == "GENERATED"


@pytest.mark.parametrize("harmed", [REPORT[:-1], REPORT[:-1] + b"2"], ids=["shorter", "other bytes"])
def test_one_retry_makes_a_report_again_whose_staged_file_is_not_what_was_recorded(
    shell: CommandLine, line: Line, harmed: bytes
) -> None:
    line.take_in(request("R-1"))
    line.finish(failing(Stage.DELIVER, "STG_MISMATCH", "the staged bytes are not what was recorded"))
    stage(shell, "reports/R-1/1/1/one.csv", harmed)
    assert shell.text("request", "retry", "R-1") == "R-1 begins run 2, from the engine on\n"
    line.finish(well)
    shown = shell.json("request", "show", "R-1")
    assert (shown["request"]["status"], shown["outputs"]) == ("COMPLETED", ["reports/R-1/2/4/one.csv"])


def test_a_retry_after_the_deadline_has_the_whole_time_again(shell: CommandLine, line: Line) -> None:
    line.take_in(request("R-1", expires_at=line.clock.now()))
    line.clock.advance(1)
    line.ledger.operations.sweep()
    assert shell.json("request", "show", "R-1")["request"]["code"] == "RUN_EXPIRED"
    shell.write("reportbus.yaml", "intake: {request_deadline_seconds: 600}\n")
    shell.run("request", "retry", "R-1")
    view = shell.json("request", "show", "R-1")["request"]
    began, ends = (datetime.fromisoformat(view[name]) for name in ("changed_at", "expires_at"))
    assert (ends - began).total_seconds() == pytest.approx(600, abs=0.01)
    assert f"has to end by  {ends:%Y-%m-%dT%H:%M:%S}Z" in shell.text("request", "show", "R-1")


def test_of_several_retries_one_that_cannot_be_does_not_keep_the_others(
    shell: CommandLine, three: None
) -> None:
    done = shell.run("request", "retry", "R-1", "R-2", code=1)
    assert done.stdout == "R-2 begins run 2, from the engine on\n"
    assert done.stderr == "RUN_NOT_FAILED: request R-1 is COMPLETED; only a FAILED request can be retried\n"


def test_what_was_refused_cannot_be_retried(shell: CommandLine, line: Line) -> None:
    line.refuse("R-1", Problem("VAL_PRIORITY", "11 is no priority", "priority"))
    assert shell.error("request", "retry", "R-1").startswith("RUN_NOT_RETRYABLE: ")


def test_watching_what_has_ended_tells_how_and_fails_where_one_failed(
    shell: CommandLine, three: None
) -> None:
    (line_,) = shell.text("request", "watch", "R-1").splitlines()
    assert line_.split("  ")[1:3] == ["R-1", "COMPLETED"]
    assert "1 of 2 delivered, DST_ROOT_MISSING: /mnt/acme" in shell.text("request", "watch", "R-2", code=1)


def test_watching_gives_up_after_its_time_and_names_what_has_not_ended(
    shell: CommandLine, three: None
) -> None:
    done = shell.run("request", "watch", "R-1", "R-3", "--timeout", "0", code=1)
    assert done.stderr == "RUN_NOT_ENDED: 1 of 2 had not ended after 0 s: R-3\n"


def test_watching_all_looks_at_those_that_have_not_ended(shell: CommandLine, three: None) -> None:
    document = shell.run("request", "watch", "--all", "--timeout", "0", "-o", "json", code=1)
    assert '"request_id": "R-3"' in document.stdout
    assert '"request_id": "R-1"' not in document.stdout
    assert shell.error("request", "watch", code=2).endswith("Name the requests to watch, or say --all.\n")
    assert shell.error("request", "watch", "--all", "R-3", code=2).endswith("or say --all; not both.\n")


def test_watching_ends_with_the_last_request(shell: CommandLine, three: None, line: Line) -> None:
    """In a process of its own, which sees the request on its way and then at its end."""
    watching = shell.start("request", "watch", "R-3", "--timeout", "20")
    assert watching.stdout is not None
    assert "PENDING" in watching.stdout.readline()
    line.finish(well)
    code, out, err = shell.finish(watching)
    assert (code, err) == (0, "")
    assert "COMPLETED    1 of 1 delivered" in out.splitlines()[-1]


def test_deliveries_are_listed_with_where_they_are_or_why_not(shell: CommandLine, three: None) -> None:
    found = shell.json("delivery", "list", "--request", "R-2")["deliveries"]
    assert [(each["target"], each["state"], each["code"]) for each in found] == [
        (1, "DELIVERED", ""),
        (2, "FAILED", "DST_ROOT_MISSING"),
    ]
    assert [
        each["request_id"] for each in shell.json("delivery", "list", "--state", "open")["deliveries"]
    ] == ["R-3"]
    text = shell.text("delivery", "list")
    assert "/srv/in/1/one.csv" in text
    assert "DST_ROOT_MISSING: /mnt/acme does not exist" in text
    assert shell.error("delivery", "list", "--request", "nope").startswith("RUN_UNKNOWN_REQUEST")


def test_what_never_went_out_is_listed_with_why_its_request_ended(
    shell: CommandLine, three: None, line: Line
) -> None:
    shell.text("request", "cancel", "R-3")
    (skipped,) = shell.json("delivery", "list", "--state", "skipped", "--limit", "1")["deliveries"]
    assert (skipped["request_id"], skipped["state"], skipped["code"]) == ("R-3", "SKIPPED", "RUN_CANCELLED")
    assert "SKIPPED" in shell.text("request", "show", "R-3")
    assert shell.json("delivery", "list", "--state", "open")["deliveries"] == []


# -- dead letters


@pytest.fixture
def letters(line: Line) -> None:
    """R-1 out of retries, R-2 failed for good, R-3 refused, R-4 cancelled, R-5 COMPLETED."""
    line.take_in(request("R-1"))
    line.finish(failing(Stage.DELIVER, "ConnectionTimeout", "no answer from nas", kind=Kind.TRANSIENT))
    line.take_in(request("R-2", report_name="two"))
    line.finish(failing(Stage.GENERATE, "ENG_EMPTY_OUTPUT", "the file is empty"))
    line.refuse("R-3", Problem("VAL_PRIORITY", "11 is no priority", "priority"))
    line.take_in(request("R-4"))
    line.ledger.operations.cancel("R-4", "ops")
    line.take_in(request("R-5"))
    line.finish(well)


def test_dead_letters_are_those_that_failed_by_a_fault(shell: CommandLine, letters: None) -> None:
    found = shell.json("dead-letter", "list")["requests"]
    assert [(each["request_id"], each["code"]) for each in found] == [
        ("R-2", "ENG_EMPTY_OUTPUT"),
        ("R-1", "ConnectionTimeout"),
    ]
    assert [
        each["request_id"] for each in shell.json("dead-letter", "list", "--name", "two")["requests"]
    ] == ["R-2"]
    assert [each["request_id"] for each in shell.json("dead-letter", "list", "--limit", "1")["requests"]] == [
        "R-2"
    ]


def test_a_dead_letter_is_shown_with_its_errors_their_traces_and_the_fix(
    shell: CommandLine, letters: None
) -> None:
    document = shell.json("dead-letter", "show", "R-1")
    assert [each["retry_count"] for each in document["errors"]] == [3, 2, 1, 0]
    assert document["errors"][0]["trace"] == "adapter.py:1 in deliver"
    assert document["reasons"][0]["rule"] == "a passing fault, and its retries are used up"
    assert "reportbus request retry R-1" in document["todo"][-1]
    assert "adapter.py:1 in deliver" in shell.text("dead-letter", "show", "R-1")


@pytest.mark.parametrize("verb", ["show", "replay"])
@pytest.mark.parametrize(
    ("request_id", "why"),
    [("R-3", "it was refused at intake"), ("R-4", "retry it"), ("R-5", "it is COMPLETED")],
)
def test_what_is_no_dead_letter_is_treated_as_none_and_told_why(
    shell: CommandLine, letters: None, request_id: str, why: str, verb: str
) -> None:
    error = shell.error("dead-letter", verb, request_id)
    assert error.startswith(f"RUN_NO_DEAD_LETTER: {request_id} is no dead letter: ")
    assert why in error
    assert shell.json("request", "show", request_id)["request"]["run"] == 1


def test_where_there_are_no_dead_letters_that_is_said(shell: CommandLine, line: Line) -> None:
    assert shell.run("dead-letter", "list").stderr == "no dead letters\n"
    replayed = shell.run("dead-letter", "replay", "--all")
    assert (replayed.stdout, replayed.stderr) == ("", "no dead letters to replay\n")


def test_replaying_twice_makes_one_run(shell: CommandLine, letters: None) -> None:
    assert shell.text("dead-letter", "replay", "R-1") == "R-1 begins run 2, from the engine on\n"
    assert "was retried already: run 2" in shell.text("dead-letter", "replay", "R-1")
    assert shell.json("request", "show", "R-1")["request"]["run"] == 2


def test_all_dead_letters_can_be_replayed_or_those_that_options_choose(
    shell: CommandLine, letters: None
) -> None:
    chosen = shell.json("dead-letter", "replay", "--all", "--name", "two")["retried"]
    assert [each["request_id"] for each in chosen] == ["R-2"]
    rest = shell.json("dead-letter", "replay", "--all", "--by", "ops")["retried"]
    assert [each["request_id"] for each in rest] == ["R-1"]
    assert shell.json("dead-letter", "list")["requests"] == []
    assert shell.json("request", "show", "R-4")["request"]["status"] == Status.FAILED
