from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from entry.states import failing, handed_back, request, well
from reportbus.core.errors import Problem
from reportbus.core.events import Delivered, Event, Kind
from reportbus.core.jobs import Stage

if TYPE_CHECKING:
    from entry.command_line import CommandLine
    from entry.states import Line
    from reportbus.core.events import Answer
    from reportbus.core.jobs import Task

TIMEOUT = failing(Stage.DELIVER, "ConnectionTimeout", "no answer from nas", 1, kind=Kind.TRANSIENT)
MISSING = failing(Stage.DELIVER, "DST_ROOT_MISSING", "/mnt/acme does not exist", 2)


def story(shell: CommandLine, request_id: str) -> list[tuple[str, str]]:
    return [(each["what"], each["text"]) for each in shell.json("request", "why", request_id)["moments"]]


def test_the_story_has_every_wait_attempt_and_answer_in_order(shell: CommandLine, line: Line) -> None:
    line.take_in(request("R-1"))
    line.clock.advance(7)
    line.finish(well)
    told = story(shell, "R-1")
    assert [what for what, _ in told] == ["PENDING", "generate", "staged", "deliver", "deliver", "COMPLETED"]
    assert told[0][1] == "taken in: PYTHON one as CSV, priority 5, 1 target, asked for by ada"
    assert told[1][1] == "engine PYTHON: attempt 1 began after waiting 7.0 s"
    assert told[2][1].endswith("reports/R-1/1/1/one.csv, 12,345 bytes, 200 rows")
    assert told[4][1].startswith("target 1 (delivered: in/1/one.csv): done")
    assert told[4][1].endswith("/srv/in/1/one.csv, 12,345 bytes, checked by hash")


def test_a_passing_fault_is_told_with_the_rule_and_the_wait_for_the_next_attempt(
    shell: CommandLine, line: Line
) -> None:
    line.take_in(request("R-1"))
    line.answer(well)
    line.answer(TIMEOUT)
    answer = shell.json("request", "why", "R-1")
    (reason,) = answer["reasons"]
    assert reason["about"] == "target 1 (delivered: in/1/one.csv)"
    assert (reason["code"], reason["text"]) == ("ConnectionTimeout", "no answer from nas")
    assert reason["rule"] == "a passing fault is tried again"
    assert "a passing fault is tried again, in " in answer["moments"][-1]["text"]
    next_attempt, deadline = answer["coming"]
    assert "target 1 (delivered: in/1/one.csv): attempt 2 of at most 4" in next_attempt["text"]
    assert next_attempt["at"].endswith("Z")
    assert "RUN_EXPIRED" in deadline["text"]
    assert reason["remedies"] == ["Check that the host is up and reachable, if it stays so."]


def test_the_wait_before_a_retry_is_not_counted_as_waiting_for_a_place(
    shell: CommandLine, line: Line
) -> None:
    line.take_in(request("R-1"))
    line.answer(well)
    line.answer(TIMEOUT)
    line.clock.advance(10)
    line.finish(well)
    told = shell.json("request", "why", "R-1")["moments"]
    (second,) = [each for each in told if "attempt 2 began" in each["text"]]
    (failed,) = [row for row in line.ledger.records.audit("R-1") if "again_in" in row.details]
    assert second["waited"] == pytest.approx(10 - float(str(failed.details["again_in"])), abs=0.01)


def test_a_failed_request_says_what_is_missing_why_and_how_to_mend_it(shell: CommandLine, line: Line) -> None:
    line.take_in(request("R-1", targets=3))
    line.finish(MISSING)
    answer = shell.json("request", "why", "R-1")
    assert answer["summary"] == "PYTHON one: FAILED, 2 of 3 delivered"
    (reason,) = answer["reasons"]
    assert reason["about"] == "target 2 (delivered: in/2/one.csv)"
    assert reason["rule"] == "the same attempt would fail again: not tried again by itself"
    assert answer["coming"] == [{"text": "nothing by itself: the run has ended", "at": None}]
    (mend,) = reason["remedies"]
    assert mend.startswith("Create it or mount it")
    assert answer["todo"] == [
        "Once that is mended: reportbus request retry R-1, which makes 1 of 3 deliveries."
    ]
    text = shell.text("request", "why", "R-1")
    assert f"not tried again by itself)\n  -> {mend}\n\nWhat happens next\n" in text


def test_the_story_goes_on_in_the_next_run(shell: CommandLine, line: Line) -> None:
    line.take_in(request("R-1", targets=2))
    line.finish(MISSING)
    line.ledger.operations.retry("R-1", "ops", staged=True)
    line.finish(well)
    answer = shell.json("request", "why", "R-1")
    assert answer["summary"] == "PYTHON one: COMPLETED in run 2, 2 of 2 delivered"
    second = [each for each in answer["moments"] if each["run"] == 2]
    assert second[0]["text"] == "run 2 opened by ops, from staging, without the engine"
    assert [each["what"] for each in second] == ["retry", "deliver", "deliver", "COMPLETED"]
    text = shell.text("request", "why", "R-1")
    assert text.index("Run 1") < text.index("Run 2") < text.index("What happens next")


def test_the_newest_runs_cause_is_told_and_those_before_it_as_earlier_ones(
    shell: CommandLine, line: Line
) -> None:
    line.take_in(request("R-1", targets=2))
    line.finish(MISSING)
    line.ledger.operations.retry("R-1", "ops", staged=True)
    line.clock.advance(2 * 86_400)
    line.ledger.operations.sweep()
    answer = shell.json("request", "why", "R-1")
    assert [(each["about"], each["code"]) for each in answer["reasons"]] == [("", "RUN_EXPIRED")]
    assert answer["earlier"] == [
        {
            "about": "run 1",
            "code": "DST_ROOT_MISSING",
            "text": "/mnt/acme does not exist",
            "rule": "",
            "remedies": [],
        }
    ]
    assert not any("Create it or mount it" in step for step in answer["todo"])
    text = shell.text("request", "why", "R-1")
    assert "How earlier runs ended\n  run 1: DST_ROOT_MISSING: /mnt/acme does not exist" in text


def test_a_run_that_was_cancelled_with_a_target_failed_says_both(shell: CommandLine, line: Line) -> None:
    line.take_in(request("R-1", targets=2))
    line.answer(well)
    first, second = line.claim()
    line.worker.record([Event(second, MISSING(second))], {})
    line.ledger.operations.cancel("R-1", "ops")
    line.worker.record([Event(first, handed_back(first))], {})
    reasons = shell.json("request", "why", "R-1")["reasons"]
    assert [(each["about"][:8], each["code"]) for each in reasons] == [
        ("target 1", "RUN_CANCELLED"),
        ("target 2", "DST_ROOT_MISSING"),
    ]


def test_a_report_whose_last_fault_was_passing_when_it_was_cancelled_names_no_rule(
    shell: CommandLine, line: Line
) -> None:
    line.take_in(request("R-1"))
    line.answer(failing(Stage.GENERATE, "ConnectionTimeout", "no answer", kind=Kind.TRANSIENT))
    line.ledger.operations.cancel("R-1", "ops")
    (reason,) = shell.json("request", "why", "R-1")["reasons"]
    assert (reason["code"], reason["rule"]) == ("RUN_CANCELLED", "")


def test_an_engine_that_fails_for_good_is_the_reason(shell: CommandLine, line: Line) -> None:
    line.take_in(request("R-1"))
    line.finish(failing(Stage.GENERATE, "ENG_EMPTY_OUTPUT", "the file is empty"))
    (reason,) = shell.json("request", "why", "R-1")["reasons"]
    assert (reason["code"], reason["rule"][:16]) == ("ENG_EMPTY_OUTPUT", "the same attempt")
    assert "Why\n  ENG_EMPTY_OUTPUT: the file is empty" in shell.text("request", "why", "R-1")


def test_a_worker_that_stopped_or_was_lost_is_part_of_the_story(shell: CommandLine, line: Line) -> None:
    line.take_in(request("R-1"))
    line.answer(handed_back)
    line.claim()
    line.clock.advance(120)  # past the lease
    line.ledger.operations.sweep()
    text = "\n".join(text for _, text in story(shell, "R-1"))
    assert "handed it back; that costs no attempt" in text
    assert "the worker that did it is gone or hung after 0:02:00 (loss 1)" in text


def test_a_job_that_a_living_worker_let_go_is_part_of_the_story(shell: CommandLine, line: Line) -> None:
    line.take_in(request("R-1"))
    line.claim()
    line.clock.advance(3)
    line.worker.close()
    text = "\n".join(text for _, text in story(shell, "R-1"))
    assert "the worker stopped, or was cut off, after 3.0 s in the middle of it; it is done again" in text


def test_nobody_can_tell_is_told_as_that(shell: CommandLine, line: Line) -> None:
    line.take_in(request("R-1"))
    line.answer(well)
    line.answer(failing(Stage.DELIVER, "DST_REFUSED", "the connection was lost", kind=Kind.UNKNOWN))
    (reason,) = shell.json("request", "why", "R-1")["reasons"]
    assert (
        reason["rule"]
        == "nobody can tell whether it happened: tried once more, marked as a possible duplicate"
    )


def test_a_refused_request_says_every_problem_with_its_remedy(shell: CommandLine, line: Line) -> None:
    line.refuse(
        "R-1",
        Problem("VAL_PRIORITY", "11; is no priority", "priority"),
        Problem("VAL_NO_TARGETS", "no target is switched on", "targets"),
    )
    answer = shell.json("request", "why", "R-1")
    assert answer["summary"] == "PYTHON one: FAILED, refused"
    assert [(each["code"], each["text"]) for each in answer["reasons"]] == [
        ("VAL_PRIORITY", "priority: 11; is no priority"),
        ("VAL_NO_TARGETS", "targets: no target is switched on"),
    ]
    assert [len(each["remedies"]) for each in answer["reasons"]] == [1, 1]
    assert answer["earlier"] == []
    assert answer["todo"] == ["It cannot be retried: mend the request and submit it under a new id."]
    assert answer["moments"][0]["text"] == "refused, for 2 problems"


def test_a_refusal_with_many_long_problems_is_told_whole(shell: CommandLine, line: Line) -> None:
    line.refuse("R-1", *(Problem("VAL_PARAM_LIMIT", "x" * 300, f"p{number}") for number in range(20)))
    reasons = shell.json("request", "why", "R-1")["reasons"]
    assert [each["text"] for each in reasons] == [f"p{number}: {'x' * 300}" for number in range(20)]
    assert shell.text("request", "why", "R-1").count("->") == 1


def test_a_cancelled_request_says_by_whom(shell: CommandLine, line: Line) -> None:
    line.take_in(request("R-1"))
    line.ledger.operations.cancel("R-1", "ops")
    told = story(shell, "R-1")
    assert told[1] == ("stop", "RUN_CANCELLED: cancelled by ops; 1 job that no worker held closed")
    assert "request retry R-1" in shell.text("request", "why", "R-1")


def test_what_a_cancel_stops_is_not_told_as_a_worker_that_stopped(shell: CommandLine, line: Line) -> None:
    line.take_in(request("R-1"))
    (task,) = line.claim()
    line.ledger.operations.cancel("R-1", "ops")
    line.clock.advance(12.5)
    line.worker.record([Event(task, handed_back(task))], {})
    text = "\n".join(text for _, text in story(shell, "R-1"))
    assert "it was stopped after 12.5 s, since the request was cancelled" in text
    assert "the worker stopped" not in text


def test_what_the_deadline_stops_is_told_as_that(shell: CommandLine, line: Line) -> None:
    line.take_in(request("R-1", expires_at=line.clock.now()))
    (task,) = line.claim()
    line.clock.advance(1)
    line.ledger.operations.sweep()
    line.worker.record([Event(task, handed_back(task))], {})
    text = "\n".join(text for _, text in story(shell, "R-1"))
    assert "it was stopped after 1.0 s, since the request's deadline had passed" in text


def test_a_trace_is_shown_once_with_its_lines(shell: CommandLine, line: Line) -> None:
    said = "it ended with 1; it said:\nTraceback (most recent call last):\n  line 3\nKeyError: 'x'"
    line.take_in(request("R-1"))
    line.finish(failing(Stage.GENERATE, "PY_EXIT", said))
    text = shell.text("request", "why", "R-1")
    assert text.count("Traceback") == 1
    assert (
        "\n  PY_EXIT: it ended with 1; it said:\n  Traceback (most recent call last):\n    line 3\n" in text
    )
    assert text.count("PY_EXIT: it ended with 1; it said: …") == 2
    assert "\\n" not in text
    assert "Traceback" in shell.text("request", "show", "R-1")
    assert "\\n" not in shell.text("dead-letter", "show", "R-1")
    assert "it said: …" in shell.text("request", "watch", "R-1", code=1)


def test_used_up_retries_do_not_promise_another_one(shell: CommandLine, line: Line) -> None:
    line.take_in(request("R-1"))
    line.finish(TIMEOUT)
    text = shell.text("request", "why", "R-1")
    assert "its retries are used up" in text
    assert "etried by itself" not in text


def test_a_job_in_hand_names_its_worker(shell: CommandLine, line: Line) -> None:
    line.take_in(request("R-1"))
    line.claim()
    assert "is being made by worker station-1" in shell.text("request", "why", "R-1")


def test_a_job_that_nobody_takes_says_that_no_worker_is_alive(shell: CommandLine, line: Line) -> None:
    """The line's clock stands an hour ago, so its worker's lease has lapsed by now."""
    line.take_in(request("R-1"))
    text = shell.text("request", "why", "R-1")
    assert "engine PYTHON: attempt 1 of at most 4 has waited 1:00:" in text
    assert "No worker is alive. Start the line: reportbus up (or: reportbus run generator)." in text


def test_a_row_set_back_by_hand_is_told_as_ignored(shell: CommandLine, line: Line) -> None:
    line.take_in(request("R-1"))
    line.finish(well)
    line.ledger.operations.written(line.ledger.operations.unwritten(10))
    line.take_in(request("R-1"))
    ignored = ("ignored", "VAL_ALREADY_DONE: the request is known; nothing was changed")
    assert story(shell, "R-1")[-1] == ignored


def test_a_report_that_a_newer_one_superseded_is_told_as_such(shell: CommandLine, line: Line) -> None:
    def superseded(task: Task) -> Answer:
        answer = well(task)
        if isinstance(answer, Delivered):
            return Delivered(replace(answer.receipt, verified="superseded"))
        return answer

    line.take_in(request("R-1"))
    line.finish(superseded)
    assert story(shell, "R-1")[4][1].endswith(
        ": a newer request's file stands at /srv/in/1/one.csv; it was not replaced"
    )


# -- what only stands in the worktable


def submit(shell: CommandLine, *words: str) -> None:
    shell.run("request", "submit", "--no-check", "--type", "PYTHON", "--name", "one", "--id", "R-1", *words)


def change(shell: CommandLine, assignment: str) -> None:
    with closing(sqlite3.connect(shell.home / "worktable.db")) as connection, connection:
        connection.execute(f"UPDATE REPORT_REQUESTS SET {assignment}")  # noqa: S608 - a test's


def test_a_row_that_was_not_taken_in_waits_for_the_poller(shell: CommandLine) -> None:
    submit(shell, "--target", "none")
    answer = shell.json("request", "why", "R-1")
    assert answer["summary"] == "PENDING in the worktable, not taken in yet"
    assert "the poller puts it on the bus at one of its next looks" in answer["coming"][0]["text"]
    assert "No worker is alive" in answer["todo"][0]


def test_a_published_row_waits_for_an_orchestrator(shell: CommandLine) -> None:
    submit(shell, "--target", "none")
    change(shell, "PROCESSED_AT = '2026-11-01 06:30:00'")
    assert "published at 2026-11-01 06:30:00 UTC; an orchestrator" in shell.text("request", "why", "R-1")


def test_a_row_with_another_status_is_not_taken_up(shell: CommandLine) -> None:
    submit(shell, "--target", "none")
    change(shell, "STATUS = 'ON HOLD'")
    answer = shell.json("request", "why", "R-1")
    assert (
        answer["coming"][0]["text"] == "nothing: its STATUS is 'ON HOLD', and only PENDING rows are taken up"
    )
    assert answer["todo"] == ["If it shall be taken up, set its STATUS to PENDING."]


def test_a_row_that_will_be_refused_says_so_before_it_is(shell: CommandLine) -> None:
    submit(shell, "--priority", "11")
    reasons = {each["code"]: each for each in shell.json("request", "why", "R-1")["reasons"]}
    assert {"VAL_PRIORITY", "VAL_NO_TARGETS"} <= reasons.keys()
    assert reasons["VAL_PRIORITY"]["rule"] == "will be refused"
