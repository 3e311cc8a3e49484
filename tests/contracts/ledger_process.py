"""A worker process for tests of the ledger: `ledger_process.py URL MODE`. It says what it does line by line.

* `work`: claims and does everything that is due, saying each job it did, until nothing is left.
* `hold`: claims what is due, says how much, and waits to be killed, stopped, or told by a line to record it.
* `die`: claims one job and dies of SIGKILL within the transaction that records its answer.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from contracts.ledger_samples import ALL, NONE, drive, succeeded
from reportbus.adapters.clock import SystemClock
from reportbus.adapters.ledger.sql import SqlLedger
from reportbus.core.jobs import Job, Stage
from reportbus.core.lifecycle import Policies

if TYPE_CHECKING:
    from reportbus.core.lifecycle import Policy

LEASE_SECONDS = 0.5


class Deadly(Policies):
    """Policies that are asked for once: in the middle of a transaction."""

    def of(self, job: Job) -> Policy:
        """Die."""
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


def say(text: object) -> None:
    """One line to whoever started the process."""
    print(text, flush=True)  # noqa: T201


def main(url: str, mode: str) -> None:
    """See the module."""
    policies = Deadly() if mode == "die" else None
    lease = LEASE_SECONDS if mode == "hold" else 60.0
    ledger = SqlLedger(url, SystemClock(), policies=policies, lease_seconds=lease)
    worker = ledger.worker()
    if mode == "work":
        while tasks := worker.claim({Stage.GENERATE: 7}, {}):
            for task in tasks:
                say(f"{task.request.request_id} {task.job.number} {task.fence}")
            worker.record([succeeded(task) for task in tasks], NONE)
        drive(worker)
        worker.close()
        return
    tasks = worker.claim(ALL, {})
    say(len(tasks))
    if mode == "die":
        worker.record([succeeded(tasks[0])], ALL)
    sys.stdin.readline()
    kept = worker.record([succeeded(task) for task in tasks], ALL)
    say(len(kept))


if __name__ == "__main__":
    main(*sys.argv[1:])
