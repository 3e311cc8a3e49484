"""Everything that writes to the ledger, at the same time, on the same few requests."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, Final

import pytest
from sqlalchemy import text

from contracts.ledger_samples import answered, drive, submission, succeeded
from reportbus.adapters.clock import SystemClock
from reportbus.adapters.ledger.sql import SqlLedger
from reportbus.core.errors import Refused
from reportbus.core.events import Event, Failed, HandedBack, Kind
from reportbus.core.jobs import Stage
from reportbus.core.lifecycle import Policies, Policy
from reportbus.core.model import TERMINAL
from reportbus.ports import Filter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reportbus.core.jobs import Task

SECONDS: Final = 8.0
REQUESTS: Final = 40
PASSING: Final = Failed(Kind.TRANSIENT, "TemporaryFailure", "not now", retry_after=0.05)
FOR_GOOD: Final = Failed(Kind.PERMANENT, "DST_PERMISSION", "never")
LIMIT_SECONDS: Final = 20.0
DEADLOCKS: Final = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


class Crowd:
    """Threads that each do one thing again and again until the time is up; a fault ends the test."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._until = time.monotonic() + SECONDS
        self._threads: list[threading.Thread] = []
        self.faults: list[BaseException] = []
        self.rounds: list[int] = []

    def join_in(self, seed: int, act: Callable[[SqlLedger, Random], None]) -> None:
        """One more, with a ledger of its own as another process has."""
        random = Random(seed)  # noqa: S311 - the same each time
        self._threads.append(threading.Thread(target=self._run, args=(random, act)))

    def let_go(self) -> None:
        """All of them, until the time is up."""
        for thread in self._threads:
            thread.start()
        for thread in self._threads:
            thread.join()

    def _run(self, random: Random, act: Callable[[SqlLedger, Random], None]) -> None:
        ledger = open_ledger(self._url)
        rounds = 0
        try:
            while time.monotonic() < self._until and not self.faults:
                act(ledger, random)
                rounds += 1
        except BaseException as error:  # noqa: BLE001 - it is shown by the test
            self.faults.append(error)
        finally:
            self.rounds.append(rounds)
            ledger.close()


def open_ledger(url: str) -> SqlLedger:
    return SqlLedger(url, SystemClock(), policies=Policies(usual=Policy(max_backoff=0.1)), wakeups=False)


def working(ledger: SqlLedger, random: Random) -> None:
    """A worker that answers at random, also twice and late, and retires after a while."""
    worker = ledger.worker()
    limits = random.choice([{}, {"target:nas1": 3}])
    for _ in range(random.randrange(5, 30)):
        tasks = worker.claim(dict.fromkeys(Stage, random.randrange(1, 12)), limits)
        events = [answer(random, task) for task in tasks]
        random.shuffle(events)
        kept = worker.record(events, dict.fromkeys(Stage, random.randrange(4)))
        late = random.choices(events, k=2) if events else []
        worker.record([*late, *(answer(random, task) for task in kept)], {})
        worker.renew()
    worker.close()


def answer(random: Random, task: Task) -> Event:
    luck = random.random()
    if luck < 0.6:
        return succeeded(task)
    bad = PASSING if luck < 0.85 else FOR_GOOD if luck < 0.95 else HandedBack()
    return answered([task], bad)[0]


def submitting(ledger: SqlLedger, random: Random) -> None:
    """Requests, most of them known already."""
    numbers = [random.randrange(REQUESTS) for _ in range(5)]
    ledger.intake.accept([submission(f"r{n}", targets=n % 6, notify=n % 3 == 0) for n in numbers])


def interfering(ledger: SqlLedger, random: Random) -> None:
    """Cancel one, retry another."""
    with suppress(Refused):
        ledger.operations.cancel(f"r{random.randrange(REQUESTS)}", "ann")
    for _ in range(3):
        with suppress(Refused):
            ledger.operations.retry(f"r{random.randrange(REQUESTS)}", "ann", staged=random.random() < 0.5)


def sweeping(ledger: SqlLedger, random: Random) -> None:
    ledger.operations.sweep()
    ledger.operations.note_ignored(f"r{random.randrange(REQUESTS)}", "EVT_IGNORED", "of no use")


def writing_back(ledger: SqlLedger, random: Random) -> None:
    pending = list(ledger.operations.unwritten(REQUESTS))
    random.shuffle(pending)
    ledger.operations.written(pending)


def complaints(ledger: SqlLedger) -> Sequence[str]:
    """What is wrong with the ledger once all is done."""
    views = ledger.records.list(Filter(limit=1000))
    return [
        *(f"{view.request_id} is {view.status}" for view in views if view.status not in TERMINAL),
        *(str(job) for view in views for job in ledger.records.jobs(view.request_id)),
        *map(str, ledger.records.verify()),
    ]


@pytest.mark.parametrize("seed", [1, 2])
def test_those_who_change_the_same_requests_at_once_meet_no_deadlock(empty_ledger: str, seed: int) -> None:
    """Each transaction locks in the same order, or passes over what somebody else has locked."""
    ledger = open_ledger(empty_ledger)
    ledger.intake.accept([submission(f"r{n}", targets=n % 6, notify=n % 3 == 0) for n in range(REQUESTS)])
    crowd = Crowd(empty_ledger)
    acts = [*[working] * 3, submitting, interfering, *[sweeping, writing_back] * 2]
    for number, act in enumerate(acts):
        crowd.join_in(seed * 100 + number, act)
    crowd.let_go()
    assert [] == crowd.faults
    assert min(crowd.rounds) > 0

    ledger.operations.sweep()
    worker = ledger.worker()
    end = time.monotonic() + LIMIT_SECONDS
    while any(ledger.records.jobs(f"r{n}") for n in range(REQUESTS)):
        drive(worker)
        assert time.monotonic() < end, complaints(ledger)
    assert [] == complaints(ledger)
    with ledger.database.read() as connection:
        assert 0 == connection.execute(text(DEADLOCKS)).scalar_one()
    ledger.close()
