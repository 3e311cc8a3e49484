"""The network is cut at a COMMIT: before the server has heard it, or before its answer is back.

Whoever was cut off does what the line does: it tries again, and finds out by that what became of the first
time.
"""

from __future__ import annotations

import time
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

import pytest

from contracts.ledger_samples import ALL, NONE, answered, drive, submission, succeeded
from reportbus.adapters.clock import SystemClock
from reportbus.adapters.ledger.sql import SqlLedger
from reportbus.core.errors import Refused, Transient
from reportbus.core.events import Failed, HandedBack, Kind
from reportbus.core.jobs import Stage
from reportbus.core.model import Status
from reportbus.ports import Intaken
from servers.proxy import Cut, Proxy
from waiting import LIMIT_SECONDS, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from reportbus.adapters.ledger.work import SqlWorkLedger
    from reportbus.core.jobs import Task

FOR_GOOD = Failed(Kind.PERMANENT, "DST_PERMISSION", "not allowed to write in /nas")

pytestmark = pytest.mark.parametrize("cut", list(Cut))


class Line:
    """A ledger behind a network that is cut when told to, and the same ledger seen from elsewhere."""

    def __init__(self, ledger: SqlLedger, seen: SqlLedger, proxy: Proxy) -> None:
        self.ledger = ledger
        self.seen = seen
        self._proxy = proxy

    def cut_off(self, cut: Cut, act: Callable[[], object], *, after: int = 0) -> None:
        """Do something whose COMMIT is cut, or that after some others."""
        before = self._proxy.cut
        self._proxy.cut_next(*[None] * after, cut)
        with pytest.raises(Transient):
            act()
        assert before + 1 == self._proxy.cut

    def finish(self, *workers: SqlWorkLedger) -> None:
        """Work until nothing is left, then see that everything is as if nothing had been cut."""
        for worker in workers:
            drive(worker)
        self.seen.operations.sweep()
        drive(self.seen.worker())
        counts = self.seen.records.counts()
        assert counts[Status.COMPLETED] == sum(counts.values())
        assert [] == list(self.seen.records.verify())


def gathered(claim: Callable[[], Sequence[Task]], count: int) -> list[Task]:
    """So many tasks, by as many claims as it takes: what the server does not know to be cut off is locked."""
    tasks = list(claim())
    end = time.monotonic() + LIMIT_SECONDS
    while len(tasks) < count:
        assert time.monotonic() < end, tasks
        tasks += claim()
    return tasks


@pytest.fixture
def line(empty_ledger: str, proxy: Proxy) -> Iterator[Line]:
    with (
        closing(SqlLedger(proxy.url(empty_ledger), SystemClock(), wakeups=False)) as ledger,
        closing(SqlLedger(empty_ledger, SystemClock(), wakeups=False)) as seen,
    ):
        yield Line(ledger, seen, proxy)


def test_requests_are_taken_in_once(line: Line, cut: Cut) -> None:
    batch = [submission("a"), submission("b")]
    line.ledger.intake.accept([submission("c")])
    line.cut_off(cut, lambda: line.ledger.intake.accept(batch))
    taken = line.ledger.intake.accept(batch)

    assert [Intaken.NEW if cut is Cut.BEFORE else Intaken.KNOWN] * 2 == taken
    assert 3 == line.seen.records.counts()[Status.PENDING]
    assert [1, 1, 1] == [len(line.seen.records.jobs(id_)) for id_ in "abc"]


def test_claimed_tasks_come_to_the_worker_with_its_next_claim(line: Line, cut: Cut) -> None:
    line.ledger.intake.accept([submission(id_) for id_ in "abc"])
    worker = line.ledger.worker()
    line.cut_off(cut, lambda: worker.claim({Stage.GENERATE: 2}, {}))
    tasks = gathered(partial(worker.claim, ALL, {}), 3)

    assert ["a", "b", "c"] == sorted(task.request.request_id for task in tasks)
    assert [] == list(line.seen.worker().claim(ALL, {}))
    worker.record([succeeded(task) for task in tasks], NONE)
    line.finish(worker)


def test_tasks_claimed_by_a_worker_that_never_heard_of_it_come_to_others(line: Line, cut: Cut) -> None:
    line.ledger.intake.accept([submission(id_) for id_ in "abc"])
    worker = line.ledger.worker()
    line.cut_off(cut, lambda: worker.claim(ALL, {}))
    worker.close()

    assert 3 == len(line.seen.worker().claim(ALL, {}))


def test_answers_count_once_and_what_follows_from_them_is_done_once(line: Line, cut: Cut) -> None:
    """The tasks that the record kept for the worker were told to nobody: its next claim finds them."""
    line.ledger.intake.accept([submission(id_, targets=2) for id_ in "ab"])
    worker = line.ledger.worker()
    events = [succeeded(task) for task in worker.claim(ALL, {})]
    line.cut_off(cut, lambda: worker.record(events, {Stage.DELIVER: 3}))
    kept = worker.record(events, {Stage.DELIVER: 3})
    found = worker.claim(ALL, {})

    assert 4 == len({(task.request_key, task.job.number) for task in [*kept, *found]})
    assert 4 == len(kept) + len(found)
    worker.record([succeeded(task) for task in [*kept, *found]], NONE)
    line.finish(worker)
    assert [2, 2] == [len(line.seen.records.deliveries(id_)) for id_ in "ab"]


def test_a_checkpoint_that_is_stored_again_is_stored(line: Line, cut: Cut) -> None:
    line.ledger.intake.accept([submission("a")])
    worker = line.ledger.worker()
    (task,) = worker.claim(ALL, {})
    line.cut_off(cut, lambda: worker.checkpoint(task, {"engine_job": "1"}))

    assert worker.checkpoint(task, {"engine_job": "1"})
    worker.record(answered([task], HandedBack()), NONE)
    (again,) = worker.claim(ALL, {})
    assert {"engine_job": "1"} == again.checkpoint


def test_what_was_written_back_is_written_back_at_most_once_more(line: Line, cut: Cut) -> None:
    line.ledger.intake.accept([submission("a"), submission("b")])
    drive(line.ledger.worker())
    pending = line.ledger.operations.unwritten(10)
    line.cut_off(cut, lambda: line.ledger.operations.written(pending))

    assert (pending if cut is Cut.BEFORE else []) == list(line.ledger.operations.unwritten(10))
    line.ledger.operations.written(pending)
    assert [] == list(line.ledger.operations.unwritten(10))


def test_the_lease_stands(line: Line, cut: Cut) -> None:
    line.ledger.intake.accept([submission("a")])
    worker = line.ledger.worker()
    worker.claim(ALL, {})
    line.cut_off(cut, worker.renew)

    assert worker.renew().alive
    assert (0, 0) == (line.seen.operations.sweep().workers, line.seen.operations.sweep().jobs)


def test_a_cancelled_request_is_cancelled_once(line: Line, cut: Cut) -> None:
    line.ledger.intake.accept([submission("a", notify=True)])
    line.cut_off(cut, lambda: line.ledger.operations.cancel("a", "ann"))
    if cut is Cut.BEFORE:
        line.ledger.operations.cancel("a", "ann")
    else:
        with pytest.raises(Refused, match="RUN_ENDED"):
            line.ledger.operations.cancel("a", "ann")

    assert [Stage.NOTIFY] == [job.stage for job in line.seen.records.jobs("a")]


def test_a_retry_opens_one_run(line: Line, cut: Cut) -> None:
    line.ledger.intake.accept([submission("a")])
    worker = line.ledger.worker()
    worker.record(answered(worker.claim(ALL, {}), FOR_GOOD), NONE)
    line.cut_off(cut, lambda: line.ledger.operations.retry("a", "ann", staged=False))
    if cut is Cut.BEFORE:
        line.ledger.operations.retry("a", "ann", staged=False)
    else:
        with pytest.raises(Refused, match="RUN_NOT_FAILED"):
            line.ledger.operations.retry("a", "ann", staged=False)
    view = line.seen.records.find("a")

    assert view is not None
    assert (2, 1) == (view.run, len(line.seen.records.jobs("a")))
    line.finish(worker)


@pytest.mark.parametrize("after", [0, 1])
def test_the_jobs_of_a_dead_worker_are_taken_back_once(line: Line, cut: Cut, after: int) -> None:
    """The sweep is cut off where it buries the worker, or where it takes back its jobs."""
    line.ledger.intake.accept([submission(id_) for id_ in "abc"])
    lost = line.seen.worker()
    lost.claim(ALL, {})
    line.seen._liveness.drop(lost.worker)
    line.cut_off(cut, line.ledger.operations.sweep, after=after)

    worker = line.seen.worker()

    def sweep_and_claim() -> Sequence[Task]:
        line.ledger.operations.sweep()
        return worker.claim(ALL, {})

    tasks = gathered(sweep_and_claim, 3)
    assert [1, 1, 1] == [task.job.losses for task in tasks]
    worker.record([succeeded(task) for task in tasks], NONE)
    line.finish(worker)


def test_a_worker_that_does_not_know_whether_it_is_enrolled_leaves_nothing_behind(
    line: Line, cut: Cut
) -> None:
    line.ledger.worker().close()
    line.cut_off(cut, line.ledger.worker)
    if cut is Cut.AFTER:
        until(lambda: line.seen.operations.sweep().workers == 1)
    assert [] == list(line.seen.records.workers())

    for _ in range(12):  # no connection is kept for it either
        line.cut_off(cut, line.ledger.worker)
    line.ledger.worker().close()


def test_what_a_retiring_worker_held_is_due(line: Line, cut: Cut) -> None:
    line.ledger.intake.accept([submission(id_) for id_ in "abc"])
    worker = line.ledger.worker()
    worker.claim(ALL, {})
    line.cut_off(cut, worker.close)
    line.seen.operations.sweep()

    assert 3 == len(line.seen.worker().claim(ALL, {}))
