"""What every ledger shows to those who look while others are at work; used like `contracts.ledger`."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event, func, select, text

from contracts.ledger_samples import ALL, NONE, answered, drive, refusal, submission, succeeded
from reportbus.adapters.clock import SystemClock
from reportbus.adapters.ledger import schema, tables
from reportbus.adapters.ledger.sql import SqlLedger
from reportbus.core.events import Failed, Kind
from reportbus.core.jobs import Stage
from reportbus.ports import DeliveryState

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reportbus.adapters.ledger.work import SqlWorkLedger
    from reportbus.ports import DeliveryView

FOR_GOOD = Failed(Kind.PERMANENT, "DST_PERMISSION", "not allowed to write in /nas")
LIMIT_SECONDS = 30.0
ROUNDS = 20


class LedgerRecordsContract:
    """What looking promises."""

    @pytest.fixture
    def ledger_url(self) -> str:
        """The address of an empty database."""
        raise NotImplementedError

    @pytest.fixture
    def ledger(self, ledger_url: str) -> Iterator[SqlLedger]:
        """A ledger without requests."""
        schema.upgrade_url(ledger_url, SystemClock())
        with closing(SqlLedger(ledger_url, SystemClock(), wakeups=False)) as ledger:
            yield ledger

    @pytest.fixture
    def worker(self, ledger: SqlLedger) -> SqlWorkLedger:
        """A worker of it."""
        return ledger.worker("tester")

    # -- one state

    def test_what_is_read_together_is_of_one_moment(self, ledger: SqlLedger) -> None:
        count = select(func.count()).select_from(tables.requests)
        with ledger.database.read() as connection:
            before = connection.execute(count).scalar_one()
            ledger.intake.accept([submission("a")])
            assert before == connection.execute(count).scalar_one()

    def test_a_record_verifies_though_it_grows_between_two_statements(
        self, ledger: SqlLedger, worker: SqlWorkLedger, ledger_url: str
    ) -> None:
        ledger.intake.accept([submission("a"), submission("b")])
        tasks = list(worker.claim({Stage.GENERATE: 2}, {}))

        def meanwhile(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:  # noqa: ANN401 - SQLAlchemy's
            if statement.lstrip().startswith("SELECT") and tasks:
                worker.record([succeeded(tasks.pop())], NONE)

        with closing(SqlLedger(ledger_url, SystemClock(), wakeups=False)) as other:
            event.listen(other.database.engine, "before_cursor_execute", meanwhile)
            assert [] == list(other.records.verify())
        assert not tasks

    def test_a_record_that_is_being_written_verifies_every_time(
        self, ledger: SqlLedger, ledger_url: str
    ) -> None:
        stop, began = threading.Event(), threading.Event()

        def work() -> None:
            with closing(SqlLedger(ledger_url, SystemClock(), wakeups=False)) as other:
                worker = other.worker()
                number = 0
                while not stop.is_set():
                    other.intake.accept([submission(f"r{number}-{each}") for each in range(20)])
                    drive(worker)
                    number += 1
                    began.set()
                worker.close()

        thread = threading.Thread(target=work)
        thread.start()
        try:
            assert began.wait(LIMIT_SECONDS)
            found = [broken for _ in range(ROUNDS) for broken in ledger.records.verify()]
        finally:
            stop.set()
            thread.join(LIMIT_SECONDS)
        assert [] == found

    # -- deliveries

    def test_a_failed_delivery_is_found_behind_any_number_of_newer_requests(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        ledger.intake.accept([submission("failed", targets=2)])
        one, two = worker.record([succeeded(t) for t in worker.claim(ALL, {})], ALL)
        worker.record([succeeded(one), *answered([two], FOR_GOOD)], NONE)
        ledger.intake.accept([submission(f"done{n}") for n in range(5)])
        drive(worker)
        ledger.intake.accept([*(submission(f"open{n}") for n in range(5)), refusal("no")])
        records = ledger.records

        (failed,) = records.deliveries(None, state=DeliveryState.FAILED, limit=2)
        assert ("failed", 2, "DST_PERMISSION", 1) == (
            failed.request_id,
            failed.target,
            failed.code,
            failed.run,
        )
        delivered = records.deliveries(None, state=DeliveryState.DELIVERED, limit=6)
        assert ["done4", "done3", "done2", "done1", "done0", "failed"] == ids(delivered)
        assert ["open4", "open3"] == ids(records.deliveries(None, state=DeliveryState.OPEN, limit=2))
        assert ["open4", "open3"] == ids(records.deliveries(None, limit=2))
        assert [2] == [each.target for each in records.deliveries("failed", state=DeliveryState.FAILED)]

    def test_a_delivery_that_is_being_retried_is_open(self, ledger: SqlLedger, worker: SqlWorkLedger) -> None:
        ledger.intake.accept([submission("a", targets=2)])
        one, two = worker.record([succeeded(t) for t in worker.claim(ALL, {})], ALL)
        worker.record([succeeded(one), *answered([two], FOR_GOOD)], NONE)
        assert states(ledger) == {1: "DELIVERED", 2: "FAILED"}

        ledger.operations.retry("a", "ann", staged=False)
        assert states(ledger) == {1: "DELIVERED", 2: "OPEN"}
        assert [] == ledger.records.deliveries(None, state=DeliveryState.FAILED)
        tasks = worker.record([succeeded(t) for t in worker.claim(ALL, {})], ALL)
        assert states(ledger) == {1: "DELIVERED", 2: "OPEN"}
        worker.record(answered(tasks, FOR_GOOD), NONE)
        assert states(ledger) == {1: "DELIVERED", 2: "FAILED"}
        assert [2] == [each.run for each in ledger.records.deliveries(None, state=DeliveryState.FAILED)]

    def test_what_the_end_of_its_request_left_undone_is_skipped_and_says_why(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        ledger.intake.accept([submission("a", targets=2), submission("b")])
        worker.record(answered(worker.claim(ALL, {}), FOR_GOOD), NONE)
        view = ledger.records.find("a")

        assert view is not None
        assert [("b", 1), ("a", 1), ("a", 2)] == [
            (each.request_id, each.target)
            for each in ledger.records.deliveries(None, state=DeliveryState.SKIPPED)
        ]
        assert [("DST_PERMISSION", FOR_GOOD.text, 1, view.ended_at)] * 2 == [
            (each.code, each.text, each.run, each.at) for each in ledger.records.deliveries("a")
        ]
        assert [] == ledger.records.deliveries(None, state=DeliveryState.OPEN)

    def test_of_a_request_that_is_being_cancelled_only_what_a_worker_has_is_open(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        ledger.intake.accept([submission("a", targets=3)])
        (one,) = worker.record([succeeded(t) for t in worker.claim(ALL, {})], {Stage.DELIVER: 1})
        ledger.operations.cancel("a", "ann")

        assert states(ledger) == {1: "OPEN", 2: "SKIPPED", 3: "SKIPPED"}
        worker.record([succeeded(one)], NONE)
        assert states(ledger) == {1: "DELIVERED", 2: "SKIPPED", 3: "SKIPPED"}
        ledger.operations.retry("a", "ann", staged=True)
        assert states(ledger) == {1: "DELIVERED", 2: "OPEN", 3: "OPEN"}

    def test_a_failure_stands_where_the_next_run_never_came_to_the_target(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        ledger.intake.accept([submission("a")])
        worker.record(
            answered(worker.record([succeeded(t) for t in worker.claim(ALL, {})], ALL), FOR_GOOD), NONE
        )
        ledger.operations.retry("a", "ann", staged=False)
        ledger.operations.cancel("a", "ann")

        (failed,) = ledger.records.deliveries(None, state=DeliveryState.FAILED)
        assert ("a", 1, "DST_PERMISSION") == (failed.request_id, failed.run, failed.code)

    def test_each_state_has_its_part_of_the_whole_list(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        ledger.intake.accept([*(submission(f"r{n}", targets=n % 4) for n in range(24)), refusal("no")])
        tasks = worker.claim({Stage.GENERATE: 18}, {})
        kept = worker.record(
            [*answered(tasks[:4], FOR_GOOD), *map(succeeded, tasks[4:])], {Stage.DELIVER: 15}
        )
        worker.record([*answered(kept[:5], FOR_GOOD), *map(succeeded, kept[5:12])], NONE)
        for each in ledger.records.deliveries(None, state=DeliveryState.OPEN)[::5]:
            ledger.operations.cancel(each.request_id, "ann")
        whole = ledger.records.deliveries(None)

        assert set(DeliveryState) == {each.state for each in whole}
        for state in DeliveryState:
            part = [each for each in whole if each.state is state]
            assert part == ledger.records.deliveries(None, state=state)
            assert part[:2] == ledger.records.deliveries(None, state=state, limit=2)
            assert part[:1] == ledger.records.deliveries(part[0].request_id, state=state, limit=1)
        for each in whole:
            jobs = [(job.stage, job.subject) for job in ledger.records.jobs(each.request_id)]
            due = (Stage.DELIVER, each.target) in jobs or (Stage.GENERATE, 0) in jobs
            assert (each.state is DeliveryState.OPEN) == due

    def test_no_delivery_is_shown_of_a_request_whose_content_is_gone(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        ledger.intake.accept([submission("a"), submission("b")])
        with ledger.database.write() as connection:
            connection.execute(text("DELETE FROM contents WHERE request_key = 1"))

        assert ["b"] == ids(ledger.records.deliveries(None, limit=2))


def ids(deliveries: Sequence[DeliveryView]) -> list[str]:
    """Whose they are."""
    return [each.request_id for each in deliveries]


def states(ledger: SqlLedger) -> dict[int, str]:
    """How the targets of request "a" fare."""
    return {each.target: each.state for each in ledger.records.deliveries("a")}
