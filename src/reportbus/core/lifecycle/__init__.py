"""The life of a request: every decision of the line, as one table and pure functions.

Two rules: what decides about statuses, retries, the next job or the order of jobs stands in this package and
nowhere else; and nothing here does I/O, reads a clock, draws a random number or logs.

A request has runs, numbered from 1. A run only moves forward through `NEXT` and ends in exactly one terminal
status. It waits for its open jobs; when the last of them is answered it moves to the next status, and that
status opens its own jobs: PENDING the generate job, GENERATED one deliver job per target, a terminal status
one notify job per rule. Notify jobs never change a status. `retry` opens the next run on a FAILED request, at
the first status whose work is not done.

Each function of `runs` and `answers` returns a `Step`: the new state, the jobs it opens and closes, and what
to write down. Where a function does not apply it raises `IllegalStep` and nothing changes.

Read it in this order; each module imports only from those above it:

```
table      the statuses and what leads from one to the next
policy     when a job that failed is tried again
order      which of the due jobs goes first
company    which jobs go together once workers have died with them
state      where a run stands, and what a step consists of
record     how steps are written down
moving     what follows once the report is staged, and the end of a run
runs       how a run begins, and how it is ended from outside
answers    what follows from the answer to a job
```
"""

from __future__ import annotations

from reportbus.core.lifecycle.answers import step
from reportbus.core.lifecycle.company import Company
from reportbus.core.lifecycle.order import rank
from reportbus.core.lifecycle.policy import NOTICE_SECONDS, NOTIFY_POLICY, Policies, Policy
from reportbus.core.lifecycle.record import COMPONENT_OF
from reportbus.core.lifecycle.runs import accept, end_early, refuse, retry, start
from reportbus.core.lifecycle.state import Fate, Past, RunState, Step
from reportbus.core.lifecycle.table import ENTRY_STATUSES, NEXT, IllegalStep, Trigger

__all__ = [
    "COMPONENT_OF",
    "ENTRY_STATUSES",
    "NEXT",
    "NOTICE_SECONDS",
    "NOTIFY_POLICY",
    "Company",
    "Fate",
    "IllegalStep",
    "Past",
    "Policies",
    "Policy",
    "RunState",
    "Step",
    "Trigger",
    "accept",
    "end_early",
    "rank",
    "refuse",
    "retry",
    "start",
    "step",
]
