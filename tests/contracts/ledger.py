"""What every ledger has to keep; an adapter's test is this class and the fixture `ledger_url`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from contracts.ledger_samples import ALL, NONE, answered, drive, refusal, submission, succeeded
from reportbus.adapters.clock import SystemClock
from reportbus.adapters.ledger import schema, tables
from reportbus.adapters.ledger.revision import REVISION
from reportbus.adapters.ledger.sql import SqlLedger
from reportbus.core.errors import Permanent, Refused
from reportbus.core.events import Failed, HandedBack, Kind, Lost
from reportbus.core.jobs import Stage
from reportbus.core.lifecycle import Policies, Policy
from reportbus.core.model import Status
from reportbus.ports import Filter, Intaken
from waiting import LIMIT_SECONDS, until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reportbus.adapters.ledger.work import SqlWorkLedger
    from reportbus.core.events import Answer

TESTS = Path(__file__).parent.parent
PASSING = Failed(Kind.TRANSIENT, "ServiceUnavailable", "the share is away")
FOR_GOOD = Failed(Kind.PERMANENT, "DST_PERMISSION", "not allowed to write in /nas")
NOBODY_KNOWS = Failed(Kind.UNKNOWN, "DST_REFUSED", "the connection was lost after the last byte")
AT_ONCE = Policies(usual=Policy(max_backoff=0))
ROUNDING = timedelta(milliseconds=1)


class LedgerContract:
    """The ledger's promises."""

    @pytest.fixture
    def ledger_url(self) -> str:
        """The address of an empty database."""
        raise NotImplementedError

    @pytest.fixture
    def ledger(self, ledger_url: str) -> Iterator[SqlLedger]:
        """A ledger without requests, that tries again at once."""
        schema.upgrade_url(ledger_url, SystemClock())
        ledger = SqlLedger(ledger_url, SystemClock(), policies=AT_ONCE)
        yield ledger
        ledger.close()

    @pytest.fixture
    def worker(self, ledger: SqlLedger) -> SqlWorkLedger:
        """A worker of it."""
        return ledger.worker("tester")

    # -- taking in

    def test_a_new_request_is_pending_and_has_one_job(self, ledger: SqlLedger) -> None:
        assert [Intaken.NEW] == ledger.intake.accept([submission("a")])
        view = ledger.records.find("a")

        assert view is not None
        assert (Status.PENDING, 1, "PYTHON", "ann") == (
            view.status,
            view.run,
            view.report_type,
            view.requested_by,
        )
        assert [(Stage.GENERATE, "READY")] == [(j.stage, j.state) for j in ledger.records.jobs("a")]

    def test_a_waiting_request_that_comes_again_is_known_and_no_event(self, ledger: SqlLedger) -> None:
        ledger.intake.accept([submission("a"), submission("b"), submission("b")])

        assert [Intaken.KNOWN] * 2 == ledger.intake.accept([submission("a"), submission("a")])
        assert ["STATUS_CHANGE"] == [row.event_type for row in ledger.records.audit("a")]
        assert ["STATUS_CHANGE"] == [row.event_type for row in ledger.records.audit("b")]
        assert [] == list(ledger.operations.unwritten(10))

    def test_a_request_that_comes_again_before_the_worktable_was_told_is_no_event(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        ledger.intake.accept([submission("a"), refusal("bad")])
        drive(worker)
        before = [(row.request_id, row.sequence) for row in ledger.records.audit()]
        pending = ledger.operations.unwritten(10)

        assert [Intaken.KNOWN] * 2 == ledger.intake.accept([submission("a"), refusal("bad")])
        assert before == [(row.request_id, row.sequence) for row in ledger.records.audit()]
        assert pending == ledger.operations.unwritten(10)

    def test_a_waiting_request_with_changed_content_is_a_conflict_on_record_once(
        self, ledger: SqlLedger
    ) -> None:
        ledger.intake.accept([submission("a", text="first")])
        second, third = submission("a", text="second"), submission("a", text="third")

        assert [Intaken.CONFLICT] * 2 == ledger.intake.accept([second, second])
        assert [Intaken.CONFLICT] * 2 == ledger.intake.accept([second, third])
        ignored = [row.details["digest"] for row in ledger.records.audit("a") if row.event_type == "IGNORED"]
        assert [second.digest, third.digest] == ignored
        assert [] == list(ledger.operations.unwritten(10))
        assert [] == list(ledger.records.verify())

    def test_another_request_with_a_known_id_is_a_conflict_and_the_first_one_stands(
        self, ledger: SqlLedger
    ) -> None:
        ledger.intake.accept([submission("a", text="first")])
        found = ledger.intake.accept([submission("a", text="second")])
        content = ledger.records.content("a")

        assert content is not None
        assert ([Intaken.CONFLICT], {"text": "first"}) == (found, content.parameters)
        assert "VAL_DUPLICATE_ID_CONFLICT" == list(ledger.records.audit("a"))[-1].details["code"]

    def test_one_batch_may_hold_an_id_several_times(self, ledger: SqlLedger) -> None:
        batch = [submission("a"), submission("b"), submission("a"), submission("a", text="other")]

        assert [Intaken.NEW, Intaken.NEW, Intaken.KNOWN, Intaken.CONFLICT] == ledger.intake.accept(batch)
        assert 2 == len(ledger.records.list(Filter()))

    def test_a_refused_request_is_failed_with_its_problems_and_has_no_job(self, ledger: SqlLedger) -> None:
        assert [Intaken.REFUSED] == ledger.intake.accept([refusal("bad")])
        view = ledger.records.find("bad")
        errors = ledger.records.errors("bad")

        assert view is not None
        assert (Status.FAILED, "VAL_FORMAT", True) == (view.status, view.code, view.refused)
        assert "12 is not 1 to 9" in view.text
        assert [("VAL_FORMAT", False)] == [(error.code, error.retry_eligible) for error in errors]
        assert [] == ledger.records.jobs("bad")

    def test_a_refused_request_cannot_be_retried(self, ledger: SqlLedger) -> None:
        ledger.intake.accept([refusal("bad")])

        with pytest.raises(Refused, match="RUN_NOT_RETRYABLE"):
            ledger.operations.retry("bad", "ann", staged=False)

    def test_another_row_with_a_taken_id_is_refused_by_itself_and_told_so(self, ledger: SqlLedger) -> None:
        first = submission("a")._replace(ref="row 1")
        second = submission("a")._replace(ref="row 2")
        third = submission("a", text="other")._replace(ref="row 3")
        found = ledger.intake.accept([first, second])
        found = [*found, *ledger.intake.accept([second, third])]
        told = {(p.change.ref, p.change.status) for p in ledger.operations.unwritten(10)}

        assert [Intaken.NEW, Intaken.KNOWN, Intaken.KNOWN, Intaken.CONFLICT] == found
        assert {("row 2", Status.FAILED), ("row 3", Status.FAILED)} == told
        assert 2 == [row.event_type for row in ledger.records.audit("a")].count("IGNORED")
        assert [] == list(ledger.records.verify())

    def test_another_row_with_a_taken_id_that_is_set_back_by_hand_is_told_again(
        self, ledger: SqlLedger
    ) -> None:
        second = submission("a")._replace(ref="row 2")
        ledger.intake.accept([submission("a"), second])
        ledger.operations.written(ledger.operations.unwritten(10))

        assert [Intaken.KNOWN] == ledger.intake.accept([second])
        assert [("row 2", Status.FAILED)] == [
            (item.change.ref, item.change.status) for item in ledger.operations.unwritten(10)
        ]

    def test_what_rows_became_is_found_by_the_rows_also_under_ids_that_were_made_up(
        self, ledger: SqlLedger
    ) -> None:
        unusable = refusal("invalid-1")._replace(ref="row 4", digest="1" * 64)
        rows = [submission("a")._replace(ref=ref) for ref in ("row 1", "row 2")]
        ledger.intake.accept([*rows, submission("b")._replace(ref="row 3"), unusable])
        asked = {"row 1": "a", "row 2": "a", "row 3": "b", "row 4": "", "row 5": "a", "x'; --": "c"}
        found = ledger.records.of_rows(asked)

        assert {"row 1": "a", "row 3": "b", "row 4": "invalid-1"} == {
            ref: view.request_id for ref, view in found.items() if ref != "row 2"
        }
        assert ("VAL_DUPLICATE_ID", True) == (found["row 2"].code, found["row 2"].refused)
        assert {} == ledger.records.of_rows({})

    def test_a_row_that_was_refused_twice_is_what_it_became_last(self, ledger: SqlLedger) -> None:
        for number in range(3):
            ledger.intake.accept([refusal(f"invalid-{number}")._replace(ref="row", digest=f"{number}" * 64)])

        assert "invalid-2" == ledger.records.of_rows({"row": ""})["row"].request_id

    def test_of_many_ids_those_are_told_that_there_are_requests_for(self, ledger: SqlLedger) -> None:
        ledger.intake.accept([submission("a"), submission("b"), refusal("bad")])

        assert {"a", "bad"} == ledger.operations.known({"a", "bad", "A", "x'; --", ""})
        assert set() == ledger.operations.known(set())

    def test_an_empty_batch_is_nothing(self, ledger: SqlLedger) -> None:
        assert [] == list(ledger.intake.accept([]))

    # -- working

    def test_a_request_is_worked_through_to_completed(self, ledger: SqlLedger, worker: SqlWorkLedger) -> None:
        ledger.intake.accept([submission(f"r{n}", targets=3, notify=True) for n in range(5)])

        assert 5 * (1 + 3 + 1) == drive(worker)
        assert 5 == ledger.records.counts()[Status.COMPLETED]
        assert [] == list(ledger.records.verify())

    def test_a_claim_starts_the_run_and_puts_the_attempt_on_record(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        ledger.intake.accept([submission("a")])
        (task,) = worker.claim(ALL, {})
        view = ledger.records.find("a")

        assert view is not None
        assert (Status.IN_PROGRESS, 1, "a") == (view.status, task.fence, task.request.request_id)
        assert ("PENDING", "IN_PROGRESS") == (
            list(ledger.records.audit("a"))[-1].old_status,
            list(ledger.records.audit("a"))[-1].new_status,
        )

    def test_the_most_urgent_come_first_and_then_the_oldest(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        for id_, priority in (("late", 9), ("old", 5), ("young", 5), ("urgent", 1)):
            ledger.intake.accept([submission(id_, priority=priority)])

        order = [worker.claim({Stage.GENERATE: 1}, {})[0].request.request_id for _ in range(4)]

        assert ["urgent", "old", "young", "late"] == order

    def test_no_job_is_claimed_twice(self, ledger: SqlLedger, worker: SqlWorkLedger) -> None:
        ledger.intake.accept([submission(f"r{n}") for n in range(10)])
        other = ledger.worker()
        first = worker.claim({Stage.GENERATE: 6}, {})
        second = other.claim({Stage.GENERATE: 6}, {})

        assert (6, 4, []) == (len(first), len(second), list(worker.claim(ALL, {})))

    def test_a_stage_that_is_not_asked_for_is_not_claimed(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        ledger.intake.accept([submission("a")])

        assert [] == list(worker.claim({Stage.DELIVER: 5, Stage.NOTIFY: 5}, {}))

    def test_a_lanes_limit_holds_over_all_workers(self, ledger: SqlLedger, worker: SqlWorkLedger) -> None:
        ledger.intake.accept([submission(f"r{n}") for n in range(5)])
        limits = {"engine:PYTHON": 2}
        first = worker.claim(ALL, limits)
        other = ledger.worker()

        assert (2, []) == (len(first), list(other.claim(ALL, limits)))
        worker.record([succeeded(first[0])], NONE)
        assert 1 == len(other.claim({Stage.GENERATE: 9}, limits))

    def test_a_full_lane_does_not_hide_the_jobs_behind_it(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        """However many older ones wait there: lanes that fill up on the way are looked past at once."""
        ledger.intake.accept([submission(f"a{n}") for n in range(60)])
        ledger.intake.accept([submission(f"b{n}", targets=2) for n in range(5)])
        worker.record([succeeded(task) for task in worker.claim(ALL, {})], NONE)

        claimed = worker.claim({Stage.DELIVER: 8, Stage.NOTIFY: 8}, {"target:nas1": 1})
        assert ["target:nas1", *["target:nas2"] * 5] == [task.job.lane for task in claimed]
        assert [] == worker.claim(ALL, {"target:nas1": 1})

    def test_of_several_lanes_that_fill_up_each_gets_its_share_and_no_more_than_asked_for_is_taken(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        ledger.intake.accept([submission(f"r{n}", targets=4) for n in range(10)])
        worker.record([succeeded(task) for task in worker.claim(ALL, {})], NONE)
        limits = {"target:nas1": 1, "target:nas2": 2, "target:nas4": 3}
        claimed = worker.claim({Stage.DELIVER: 12}, limits)
        lanes = Counter(task.job.lane for task in claimed)

        assert (12, 12) == (len(claimed), len({(task.request_key, task.job.number) for task in claimed}))
        assert {lane: lanes[lane] for lane in limits} == {**limits, "target:nas4": lanes["target:nas4"]}
        assert lanes["target:nas4"] <= 3

    @pytest.mark.parametrize("lane", ["target:nas1", "engine:PYTHON"])
    def test_whoever_frees_a_place_in_a_full_lane_wakes_those_who_wait_for_one(
        self, ledger: SqlLedger, worker: SqlWorkLedger, lane: str
    ) -> None:
        ledger.intake.accept([submission("a"), submission("b")])
        if lane.startswith("target"):
            worker.record([succeeded(task) for task in worker.claim(ALL, {})], NONE)
        (task,) = worker.claim(ALL, {lane: 1})
        until(lambda: not worker.wait(0.2))
        worker.record(answered([task], FOR_GOOD), NONE)

        assert worker.wait(LIMIT_SECONDS)
        assert 1 == len(worker.claim(ALL, {lane: 1}))

    def test_answers_open_the_next_jobs_for_the_same_worker_as_far_as_it_has_room(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        ledger.intake.accept([submission("a", targets=3)])
        kept = worker.record([succeeded(t) for t in worker.claim(ALL, {})], {Stage.DELIVER: 2})

        assert [Stage.DELIVER] * 2 == [task.job.stage for task in kept]
        assert ["RUNNING", "RUNNING", "READY"] == sorted(
            (job.state for job in ledger.records.jobs("a")), reverse=True
        )
        assert "sales.csv" == kept[0].artifacts[0].file_name

    def test_a_delivery_claimed_later_knows_the_staged_file(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        ledger.intake.accept([submission("a")])
        worker.record([succeeded(t) for t in worker.claim(ALL, {})], NONE)
        (task,) = ledger.worker().claim(ALL, {})

        assert ("reports/a/1/1/sales.csv", 3) == (task.artifacts[0].key, task.artifacts[0].size)

    def test_an_answer_given_twice_counts_once_and_the_second_is_audited(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        ledger.intake.accept([submission("a")])
        events = [succeeded(task) for task in worker.claim(ALL, {})]
        worker.record([*events, *events], NONE)

        assert [] == list(worker.record(events, ALL))
        assert 2 == [row.event_type for row in ledger.records.audit("a")].count("IGNORED")
        assert 1 == len(ledger.records.jobs("a"))

    def test_a_passing_fault_comes_again_with_a_higher_attempt_and_an_error_row(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        ledger.intake.accept([submission("a")])
        worker.record(answered(worker.claim(ALL, {}), PASSING), NONE)
        (task,) = worker.claim(ALL, {})

        assert (2, 2) == (task.job.attempt, task.fence)
        assert [("ServiceUnavailable", True)] == [
            (error.code, error.retry_eligible) for error in ledger.records.errors("a")
        ]

    def test_four_attempts_are_all_there_are(self, ledger: SqlLedger, worker: SqlWorkLedger) -> None:
        ledger.intake.accept([submission("a")])
        attempts = 0
        while tasks := worker.claim(ALL, {}):
            attempts += len(tasks)
            worker.record(answered(tasks, PASSING), NONE)

        assert (4, 1) == (attempts, ledger.records.counts()[Status.FAILED])

    def test_a_job_that_waits_is_not_due_before_its_time(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        ledger.intake.accept([submission("now"), submission("later")])
        patient = SqlLedger(
            str(ledger.database.url.render_as_string(hide_password=False)),
            SystemClock(),
            policies=Policies(usual=Policy(max_backoff=1000)),
        )
        other = patient.worker()
        tasks = other.claim(ALL, {})
        wait = Failed(Kind.TRANSIENT, "ThrottlingException", "slower, please", retry_after=900)
        other.record(answered(tasks, wait), NONE)

        assert [] == list(worker.claim(ALL, {}))
        assert {"WAITING"} == {job.state for job in ledger.records.jobs("later")}
        patient.close()

    def test_a_job_that_waited_comes_due(self, ledger: SqlLedger, worker: SqlWorkLedger) -> None:
        ledger.intake.accept([submission("a")])
        patient = SqlLedger(str(ledger.database.url.render_as_string(hide_password=False)), SystemClock())
        other = patient.worker()
        wait = Failed(Kind.TRANSIENT, "ThrottlingException", "slower, please", retry_after=0.05)
        other.record(answered(other.claim(ALL, {}), wait), NONE)
        until(lambda: bool(worker.claim(ALL, {})))
        patient.close()

    def test_texts_that_no_column_takes_are_stored_cleaned(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        ledger.intake.accept([submission("a")])
        nasty = Failed(Kind.PERMANENT, "ENG_BAD_RESPONSE", "nul \0, surrogate \ud800, long " + "x" * 10**6)
        worker.record(answered(worker.claim(ALL, {}), nasty), NONE)
        (error,) = ledger.records.errors("a")

        assert r"nul \x00" in error.text
        assert len(error.text) <= 2000
        assert [] == list(ledger.records.verify())

    def test_a_checkpoint_is_there_for_the_next_attempt(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        ledger.intake.accept([submission("a")])
        (task,) = worker.claim(ALL, {})
        assert worker.checkpoint(task, {"engine_job": "4711"})
        worker.record(answered([task], HandedBack()), NONE)
        (again,) = worker.claim(ALL, {})

        assert {"engine_job": "4711"} == again.checkpoint
        assert not worker.checkpoint(task, {"engine_job": "stale"})

    def test_what_a_retiring_worker_holds_is_due_at_once(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        ledger.intake.accept([submission(f"r{n}") for n in range(3)])
        worker.claim(ALL, {})
        worker.close()

        assert 3 == len(ledger.worker().claim(ALL, {}))

    def test_a_retired_worker_can_neither_claim_nor_record(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        ledger.intake.accept([submission("a"), submission("b")])
        tasks = worker.claim({Stage.GENERATE: 1}, {})
        worker.close()
        worker.record([succeeded(task) for task in tasks], ALL)

        assert ([], False) == (list(worker.claim(ALL, {})), worker.renew().alive)
        assert 0 == ledger.records.counts()[Status.GENERATED]

    # -- a worker that is gone

    def test_the_jobs_of_a_killed_worker_are_taken_back_at_once(
        self, ledger: SqlLedger, ledger_url: str
    ) -> None:
        ledger.intake.accept([submission(f"r{n}") for n in range(20)])
        with process(ledger_url, "hold") as child:
            assert "20" == said(child)
            child.kill()
            child.wait()
            until(lambda: ledger.operations.sweep().jobs == 20)

        assert 20 == len(ledger.worker().claim(ALL, {}))

    def test_a_living_worker_within_its_lease_keeps_its_jobs(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        ledger.intake.accept([submission("a")])
        worker.claim(ALL, {})

        assert (0, 0) == (ledger.operations.sweep().workers, len(ledger.worker().claim(ALL, {})))

    def test_a_stopped_worker_loses_its_jobs_with_its_lease_and_its_answers_then_change_nothing(
        self, ledger: SqlLedger, ledger_url: str
    ) -> None:
        ledger.intake.accept([submission("a")])
        with process(ledger_url, "hold") as child:
            assert "1" == said(child)
            child.send_signal(signal.SIGSTOP)
            until(lambda: ledger.operations.sweep().jobs == 1)
            fresh = ledger.worker()
            (task,) = fresh.claim(ALL, {})
            child.send_signal(signal.SIGCONT)
            tell(child)
            assert "0" == said(child)
            kept = fresh.record([succeeded(task)], ALL)

        assert (2, [Stage.DELIVER]) == (task.fence, [task.job.stage for task in kept])
        assert ["IGNORED"] == [r.event_type for r in ledger.records.audit("a") if r.event_type == "IGNORED"]
        assert [] == list(ledger.records.verify())

    def test_a_worker_killed_within_a_transaction_leaves_nothing_of_it(
        self, ledger: SqlLedger, ledger_url: str
    ) -> None:
        ledger.intake.accept([submission("a")])
        with process(ledger_url, "die") as child:
            assert "1" == said(child)
            assert -signal.SIGKILL == child.wait(LIMIT_SECONDS)
        view = ledger.records.find("a")

        assert view is not None
        assert view.status is Status.IN_PROGRESS
        until(lambda: ledger.operations.sweep().jobs == 1)
        drive(ledger.worker())
        assert 1 == ledger.records.counts()[Status.COMPLETED]
        assert [] == list(ledger.records.verify())

    def test_eight_processes_claim_each_job_once(self, ledger: SqlLedger, ledger_url: str) -> None:
        count = 200
        ledger.intake.accept([submission(f"r{n}") for n in range(count)])
        children = [start(ledger_url, "work") for _ in range(8)]
        lines = [line for child in children for line in child.communicate(timeout=50)[0].splitlines()]

        assert [0] * 8 == [child.returncode for child in children]
        assert sorted({f"r{n} 1 1" for n in range(count)}) == sorted(lines)
        assert count == ledger.records.counts()[Status.COMPLETED]
        assert [] == list(ledger.records.verify())

    def test_a_job_that_kills_its_workers_is_given_up(self, ledger: SqlLedger) -> None:
        ledger.intake.accept([submission("a")])
        losses = 0
        while tasks := (worker := ledger.worker()).claim(ALL, {}):
            losses += 1
            worker.record(answered(tasks, Lost()), NONE)
        view = ledger.records.find("a")

        assert view is not None
        assert (4, "SYS_CRASH_LOOP") == (losses, view.code)

    def test_a_job_that_kills_its_workers_does_not_take_down_those_that_were_in_hand_with_it(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        ledger.intake.accept([submission(f"r{n}") for n in range(300)])
        deaths = 0
        while tasks := worker.claim(ALL, {}):
            dies = any(task.request.request_id == "r150" for task in tasks)
            deaths += dies
            worker.record(answered(tasks, Lost()) if dies else [succeeded(task) for task in tasks], NONE)

        counts = ledger.records.counts()
        assert (4, 299, 1) == (deaths, counts[Status.COMPLETED], counts[Status.FAILED])
        view = ledger.records.find("r150")
        assert view is not None
        assert "SYS_CRASH_LOOP" == view.code

    def test_a_job_that_lost_its_workers_is_alone_with_fresh_ones_the_last_time(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        """Of those that lost workers too the others wait for its answer, and are taken then."""
        ledger.intake.accept([submission(f"r{n}") for n in range(3)])
        for _ in range(3):
            worker.record(answered(worker.claim(ALL, {}), Lost()), NONE)
        ledger.intake.accept([submission("fresh")])
        alone, fresh = worker.claim(ALL, {})

        assert (3, "fresh") == (alone.job.losses, fresh.request.request_id)
        assert [] == worker.claim(ALL, {})
        until(lambda: not worker.wait(0.2))
        worker.record([succeeded(alone)], NONE)
        assert worker.wait(LIMIT_SECONDS)
        assert [3] == [task.job.losses for task in worker.claim({Stage.GENERATE: 10}, {})]

    def test_those_that_may_not_come_in_do_not_hide_fresh_ones(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        ledger.intake.accept([submission(f"r{n}") for n in range(30)])
        self.lose(ledger, {"r0": 1} | {f"r{n}": 3 for n in range(1, 9)})
        (held,) = worker.claim({Stage.GENERATE: 1}, {})
        claimed = worker.claim({Stage.GENERATE: 7}, {})

        assert ("r0", [0] * 7) == (held.request.request_id, [task.job.losses for task in claimed])
        assert [f"r{n}" for n in range(9, 16)] == [task.request.request_id for task in claimed]

    def test_the_first_that_comes_in_keeps_out_others_and_the_places_go_to_those_that_fit(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        ledger.intake.accept([submission(f"r{n}") for n in range(40)])
        self.lose(ledger, {f"r{n}": 2 for n in range(20)} | {f"r{n}": 1 for n in range(20, 30)})
        claimed = worker.claim({Stage.GENERATE: 20}, {})

        assert [2] * 16 + [0] * 4 == [task.job.losses for task in claimed]

    def test_the_answer_of_one_that_lost_workers_wakes_those_who_left_others_out(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        """Also an answer after which nothing else is due."""
        ledger.intake.accept([submission("a"), submission("b")])
        self.lose(ledger, {"a": 3, "b": 3})
        (alone,) = worker.claim(ALL, {})
        until(lambda: not worker.wait(0.2))
        worker.record(answered([alone], FOR_GOOD), NONE)

        assert worker.wait(LIMIT_SECONDS)
        assert [3] == [task.job.losses for task in worker.claim(ALL, {})]

    def lose(self, ledger: SqlLedger, losses: Mapping[str, int]) -> None:
        """Have the requests' jobs lost so many workers each."""
        requests, jobs = tables.requests.c, tables.jobs.c
        with ledger.database.write() as connection:
            for request_id, count in losses.items():
                key = select(requests.request_key).where(requests.request_id == request_id).scalar_subquery()
                connection.execute(update(tables.jobs).where(jobs.request_key == key).values(losses=count))

    @pytest.mark.parametrize("swept", [True, False])
    def test_a_worker_that_lives_though_its_jobs_go_to_others_has_not_been_killed_by_them(
        self,
        ledger: SqlLedger,
        swept: bool,  # noqa: FBT001 - pytest passes by name
    ) -> None:
        """Whether others find it gone first, or it stops in the middle by itself."""
        ledger.intake.accept([submission("a")])
        for _ in range(6):
            worker = ledger.worker()
            (task,) = worker.claim(ALL, {})
            if swept:
                with ledger.database.write() as connection:
                    connection.execute(update(tables.workers).values(gone=True))
                assert 1 == ledger.operations.sweep().jobs
                assert [] == worker.record([succeeded(task)], ALL)
            worker.close()
        (task,) = (worker := ledger.worker()).claim(ALL, {})

        assert (0, 6, 1) == (task.job.losses, task.job.unknowns, task.job.attempt)
        worker.record([succeeded(task)], NONE)
        drive(worker)
        assert 1 == ledger.records.counts()[Status.COMPLETED]

    # -- operating

    def test_cancelling_ends_waiting_work_at_once(self, ledger: SqlLedger) -> None:
        ledger.intake.accept([submission("a", notify=True)])

        assert ledger.operations.cancel("a", "ann") is Status.FAILED
        assert [Stage.NOTIFY] == [job.stage for job in ledger.records.jobs("a")]

    def test_a_heartbeat_hears_of_the_cancel_and_the_run_ends_with_the_answer(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        ledger.intake.accept([submission("a")])
        (task,) = worker.claim(ALL, {})
        assert ledger.operations.cancel("a", "ann") is Status.IN_PROGRESS
        pulse = worker.renew()
        worker.record([succeeded(task)], ALL)
        view = ledger.records.find("a")

        assert view is not None
        assert (True, {(task.request_key, 1)}) == (pulse.alive, set(pulse.stop))
        assert (Status.FAILED, "RUN_CANCELLED") == (view.status, view.code)

    def test_the_notice_of_a_cancelled_run_is_not_told_to_stop(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        ledger.intake.accept([submission("a", notify=True)])
        ledger.operations.cancel("a", "ann")

        assert [Stage.NOTIFY] == [task.job.stage for task in worker.claim(ALL, {})]
        assert frozenset() == worker.renew().stop

    @pytest.mark.parametrize("id_", ["unknown", "done"])
    def test_what_is_unknown_or_ended_cannot_be_cancelled(
        self, ledger: SqlLedger, worker: SqlWorkLedger, id_: str
    ) -> None:
        ledger.intake.accept([submission("done")])
        drive(worker)

        with pytest.raises(Refused):
            ledger.operations.cancel(id_, "ann")

    def test_a_retry_makes_only_the_missing_delivery(self, ledger: SqlLedger, worker: SqlWorkLedger) -> None:
        ledger.intake.accept([submission("a", targets=3)])
        kept = worker.record([succeeded(t) for t in worker.claim(ALL, {})], ALL)
        worker.record([*answered([kept[1]], FOR_GOOD), succeeded(kept[0]), succeeded(kept[2])], NONE)
        failed = ledger.records.find("a")

        assert failed is not None
        assert (Status.FAILED, 3, 2) == (failed.status, failed.targets, failed.delivered)
        assert 2 == ledger.operations.retry("a", "ann", staged=True)
        (task,) = worker.claim(ALL, {})
        assert (Stage.DELIVER, 2, 2) == (task.job.stage, task.job.subject, task.job.run)
        worker.record([succeeded(task)], NONE)
        view = ledger.records.find("a")
        assert view is not None
        assert (Status.COMPLETED, 2, 3) == (view.status, view.run, view.delivered)
        assert ["DELIVERED"] * 3 == [d.state for d in ledger.records.deliveries("a")]
        assert [] == list(ledger.records.verify())

    @pytest.mark.parametrize("answer", [NOBODY_KNOWS, Lost()])
    @pytest.mark.parametrize("staged", [True, False])
    def test_a_retry_after_an_outcome_that_nobody_knows_is_marked(
        self,
        ledger: SqlLedger,
        worker: SqlWorkLedger,
        answer: Answer,
        staged: bool,  # noqa: FBT001 - pytest passes by name
    ) -> None:
        ledger.intake.accept([submission("a", targets=2)])
        first, second = worker.record([succeeded(t) for t in worker.claim(ALL, {})], ALL)
        worker.record([*answered([first], answer), *answered([second], FOR_GOOD)], NONE)
        while tasks := worker.claim(ALL, {}):
            worker.record(answered(tasks, answer), NONE)
        failed = {each.target: each.possible_duplicate for each in ledger.records.deliveries("a")}
        ledger.operations.retry("a", "ann", staged=staged)
        tasks = worker.claim(ALL, {})
        tasks = tasks if staged else worker.record([succeeded(task) for task in tasks], ALL)

        assert {1: True, 2: False} == failed
        assert {1: True, 2: False} == {task.job.subject: task.job.doubtful for task in tasks}

    def test_a_delivery_that_was_in_the_hands_of_a_retiring_worker_is_marked_also_after_a_cancel(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        ledger.intake.accept([submission("a")])
        worker.record([succeeded(task) for task in worker.claim(ALL, {})], ALL)
        worker.close()
        other = ledger.worker()
        (again,) = other.claim(ALL, {})
        other.record(answered([again], HandedBack()), NONE)
        ledger.operations.cancel("a", "ann")
        ledger.operations.retry("a", "ann", staged=True)
        (retried,) = other.claim(ALL, {})

        assert (1, True, 2, True) == (
            again.job.attempt,
            again.job.doubtful,
            retried.job.run,
            retried.job.doubtful,
        )

    def test_retrying_twice_makes_one_run(self, ledger: SqlLedger, worker: SqlWorkLedger) -> None:
        ledger.intake.accept([submission("a")])
        worker.record(answered(worker.claim(ALL, {}), FOR_GOOD), NONE)
        ledger.operations.retry("a", "ann", staged=False)

        with pytest.raises(Refused, match="RUN_NOT_FAILED"):
            ledger.operations.retry("a", "ann", staged=False)
        assert 1 == len(worker.claim(ALL, {}))

    def test_a_run_past_its_deadline_is_ended_by_the_sweep(self, ledger: SqlLedger) -> None:
        ledger.intake.accept([submission("late", expires_in=-1), submission("soon")])

        assert 1 == ledger.operations.sweep().expired
        view = ledger.records.find("late")
        assert view is not None
        assert (Status.FAILED, "RUN_EXPIRED") == (view.status, view.code)

    def test_a_retry_after_the_deadline_has_one_of_its_own(
        self, ledger: SqlLedger, worker: SqlWorkLedger, ledger_url: str
    ) -> None:
        ledger.intake.accept([submission("a", expires_in=-1)])
        ledger.operations.sweep()
        with closing(SqlLedger(ledger_url, SystemClock(), deadline_seconds=600)) as other:
            other.operations.retry("a", "ann", staged=False)
        view = ledger.records.find("a")

        assert view is not None
        assert view.changed_at + timedelta(seconds=600) == pytest.approx(view.expires_at, abs=ROUNDING)
        assert 0 == ledger.operations.sweep().expired
        tasks = worker.claim(ALL, {})
        kept = worker.record([succeeded(task) for task in tasks], ALL)
        assert [view.expires_at] * 2 == [task.expires_at for task in (*tasks, *kept)]
        assert {Stage.GENERATE, Stage.DELIVER} == {task.job.stage for task in (*tasks, *kept)}

    def test_a_retry_that_does_not_end_by_its_own_deadline_expires_too(
        self, ledger: SqlLedger, ledger_url: str
    ) -> None:
        ledger.intake.accept([submission("a")])
        ledger.operations.cancel("a", "ann")
        with closing(SqlLedger(ledger_url, SystemClock(), deadline_seconds=-1)) as other:
            other.operations.retry("a", "ann", staged=False)

        assert 1 == ledger.operations.sweep().expired
        view = ledger.records.find("a")
        assert view is not None
        assert (2, "RUN_EXPIRED") == (view.run, view.code)

    def test_each_change_is_written_back_once(self, ledger: SqlLedger, worker: SqlWorkLedger) -> None:
        ledger.intake.accept([submission("a")])
        drive(worker)
        pending = ledger.operations.unwritten(10)

        assert [("a", Status.COMPLETED, False)] == [
            (p.change.request_id, p.change.status, p.change.reopened) for p in pending
        ]
        ledger.operations.written(pending)
        assert [] == list(ledger.operations.unwritten(10))

    def test_a_change_during_the_write_back_is_written_the_next_time(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        ledger.intake.accept([submission("a")])
        tasks = worker.claim(ALL, {})
        pending = ledger.operations.unwritten(10)
        worker.record([succeeded(task) for task in tasks], NONE)
        ledger.operations.written(pending)

        assert [Status.GENERATED] == [p.change.status for p in ledger.operations.unwritten(10)]

    def test_a_row_set_back_by_hand_is_told_again_where_it_stands(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        ledger.intake.accept([submission("a")])
        drive(worker)
        ledger.operations.written(ledger.operations.unwritten(10))
        ledger.intake.accept([submission("a")])

        assert [Status.COMPLETED] == [p.change.status for p in ledger.operations.unwritten(10)]
        assert "VAL_ALREADY_DONE" == list(ledger.records.audit("a"))[-1].details["code"]

    @pytest.mark.parametrize("end", ["fault", "cancel", "deadline"])
    def test_a_later_run_that_ends_before_its_report_is_staged_misses_what_no_run_delivered(
        self, ledger: SqlLedger, worker: SqlWorkLedger, ledger_url: str, end: str
    ) -> None:
        ledger.intake.accept([submission("a", targets=2, notify=True)])
        first, second = worker.record([succeeded(task) for task in worker.claim(ALL, {})], ALL)
        worker.record([succeeded(first), *answered([second], FOR_GOOD)], NONE)
        with closing(SqlLedger(ledger_url, SystemClock(), deadline_seconds=-1)) as other:
            (other if end == "deadline" else ledger).operations.retry("a", "ann", staged=False)
        if end == "fault":
            worker.record(answered(worker.claim({Stage.GENERATE: 1}, {}), FOR_GOOD), NONE)
        elif end == "cancel":
            ledger.operations.cancel("a", "ann")
        else:
            ledger.operations.sweep()
        notices = worker.claim({Stage.NOTIFY: 2}, {})

        assert {1: (2,), 2: (2,)} == {n.job.run: n.outcome.missing for n in notices if n.outcome}

    # -- the database defends itself

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE requests SET status = 'FAILED', ended_at = changed_at WHERE request_id = 'a'",
            "UPDATE requests SET status = 'PENDING', ended_at = NULL WHERE request_id = 'a'",
            "UPDATE requests SET run = 2, status = 'PENDING', ended_at = NULL WHERE request_id = 'a'",
            "UPDATE audit_log SET details = '{}'",
            "DELETE FROM audit_log",
            "UPDATE runs SET status = 'FAILED'",
            "DELETE FROM runs",
            "INSERT INTO runs SELECT * FROM runs",
            "UPDATE requests SET status = 'GENERATED' WHERE request_id = 'waits'",
            "UPDATE requests SET status = 'COMPLETED', ended_at = changed_at WHERE request_id = 'waits'",
            "DELETE FROM requests WHERE request_id = 'a'",
            "UPDATE error_log SET error_code = ''",
            "DELETE FROM error_log",
        ],
    )
    def test_the_database_refuses_what_may_not_be(
        self, ledger: SqlLedger, worker: SqlWorkLedger, statement: str
    ) -> None:
        ledger.intake.accept([submission("a"), refusal("bad")])
        drive(worker)
        ledger.intake.accept([submission("waits")])

        with pytest.raises(DBAPIError), ledger.database.engine.begin() as connection:
            connection.execute(text(statement))

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE audit_log SET details = '{}' WHERE sequence = 3 AND request_id = 'r1'",
            "UPDATE audit_log SET new_status = 'FAILED' WHERE sequence = 1 AND request_id = 'r1'",
            "UPDATE audit_log SET event_timestamp = '2020-01-01 00:00:00.000000' WHERE request_id = 'r1'",
            "DELETE FROM audit_log WHERE sequence = 2 AND request_id = 'r1'",
            "DELETE FROM audit_log WHERE sequence = 6 AND request_id = 'r1'",
            "DELETE FROM audit_log WHERE request_id = 'r1'",
            "UPDATE audit_log SET sequence = 60 WHERE sequence = 6 AND request_id = 'r1'",
            "UPDATE audit_log SET request_key = 9999 WHERE sequence = 6 AND request_id = 'r1'",
        ],
    )
    def test_any_touched_audit_row_is_found(
        self, ledger: SqlLedger, worker: SqlWorkLedger, statement: str
    ) -> None:
        ledger.intake.accept([submission(f"r{n}") for n in range(3)])
        drive(worker)
        self.undefended(ledger)
        with ledger.database.engine.begin() as connection:
            connection.execute(text(statement))

        assert "r1" in {broken.request_id for broken in ledger.records.verify()}

    def undefended(self, ledger: SqlLedger) -> None:
        """Take the triggers away, as somebody with the owner's rights could."""
        raise NotImplementedError

    def test_an_older_schema_is_refused(self, ledger_url: str) -> None:
        with pytest.raises(Permanent, match="SYS_SCHEMA"):
            SqlLedger(ledger_url, SystemClock())

    def test_upgrading_twice_changes_nothing(self, ledger_url: str) -> None:
        first = schema.upgrade_url(ledger_url, SystemClock())

        assert first == schema.upgrade_url(ledger_url, SystemClock()) == schema.newest() == REVISION

    # -- hearing

    def test_a_waiting_worker_hears_of_new_work_of_another_process(
        self, ledger: SqlLedger, worker: SqlWorkLedger, ledger_url: str
    ) -> None:
        worker.wait(0.2)
        with ledger.database.engine.connect():
            other = SqlLedger(ledger_url, SystemClock())
            other.intake.accept([submission("a")])
            until(lambda: worker.wait(0.2))
            other.close()

    def test_a_ring_wakes_who_waits_in_this_process_though_nothing_was_committed(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        until(lambda: not worker.wait(0.2))
        with ThreadPoolExecutor() as threads:
            waiting = threads.submit(worker.wait, LIMIT_SECONDS)
            ledger.ring()
            assert waiting.result(LIMIT_SECONDS)

        assert not worker.wait(0.05)

    def test_a_ring_that_comes_before_the_waiting_is_heard_once(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        until(lambda: not worker.wait(0.2))
        for _ in range(100_000):
            ledger.ring()

        assert worker.wait(LIMIT_SECONDS)
        assert not worker.wait(0.05)

    def test_without_wake_ups_nothing_is_heard(self, ledger: SqlLedger, ledger_url: str) -> None:
        with closing(SqlLedger(ledger_url, SystemClock(), wakeups=False)) as quiet:
            worker = quiet.worker()
            quiet.ring()
            ledger.intake.accept([submission("a")])

            assert not worker.wait(0.2)

    def test_a_ledger_that_is_closed_rings_nobody_and_lets_nobody_wait(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        until(lambda: not worker.wait(0.2))
        with ThreadPoolExecutor() as threads:
            waiting = threads.submit(worker.wait, LIMIT_SECONDS)
            ledger.close()
            ledger.ring()
            assert not waiting.result(LIMIT_SECONDS / 2)

    def test_requests_are_listed_newest_first_and_page_by_key(self, ledger: SqlLedger) -> None:
        ledger.intake.accept([submission(f"r{n}") for n in range(5)])
        first = ledger.records.list(Filter(limit=2))
        rest = ledger.records.list(Filter(before_key=first[-1].request_key))

        assert ["r4", "r3"] == [view.request_id for view in first]
        assert ["r2", "r1", "r0"] == [view.request_id for view in rest]
        assert [] == ledger.records.list(Filter(status=[Status.FAILED]))


def start(url: str, mode: str) -> subprocess.Popen[str]:
    """Start a worker process."""
    script = TESTS / "contracts" / "ledger_process.py"
    return subprocess.Popen(
        [sys.executable, str(script), url, mode],
        env=os.environ | {"PYTHONPATH": str(TESTS)},
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


@contextmanager
def process(url: str, mode: str) -> Iterator[subprocess.Popen[str]]:
    """A worker process; killed at the end."""
    child = start(url, mode)
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def said(child: subprocess.Popen[str]) -> str:
    """The next line it says."""
    assert child.stdout is not None
    return child.stdout.readline().strip()


def tell(child: subprocess.Popen[str]) -> None:
    """Let it go on."""
    assert child.stdin is not None
    child.stdin.write("\n")
    child.stdin.flush()
