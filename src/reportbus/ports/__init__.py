"""The shapes of the outside systems: an adapter fills one; the contract stands here, not in the adapter.

Rules for every adapter:

* It raises `Transient`, `Permanent` or `Unknown` of `reportbus.core.errors` and nothing else; it never
  retries.
* Calls that take several items answer for each of them, in order: one bad item does not spoil the others.
* Every wait has a deadline. What an adapter opens is closed by `close`, which may be called twice.
* Objects are safe to use from several threads unless their docstring says otherwise.
"""

from __future__ import annotations

from reportbus.ports.bus import Batch, Bus, Consumer, Message
from reportbus.ports.clock import Clock, Deadline
from reportbus.ports.delivery import Attempt, Channel, Delivery, Destination, Notice
from reportbus.ports.engine import Engine, Produced, Work
from reportbus.ports.ledger import (
    Intake,
    Intaken,
    Operations,
    Pending,
    Pulse,
    Records,
    Submission,
    Swept,
    WorkLedger,
)
from reportbus.ports.secrets import Secrets
from reportbus.ports.staging import StagedObject, StagedWriter, Staging
from reportbus.ports.verdict import Verdict
from reportbus.ports.views import (
    AuditRow,
    Broken,
    DeliveryState,
    DeliveryView,
    ErrorView,
    Filter,
    JobView,
    RequestView,
    WorkerView,
)
from reportbus.ports.worktable import Worktable, WorktableRow, WorktableRows, WriteBack

__all__ = [
    "Attempt",
    "AuditRow",
    "Batch",
    "Broken",
    "Bus",
    "Channel",
    "Clock",
    "Consumer",
    "Deadline",
    "Delivery",
    "DeliveryState",
    "DeliveryView",
    "Destination",
    "Engine",
    "ErrorView",
    "Filter",
    "Intake",
    "Intaken",
    "JobView",
    "Message",
    "Notice",
    "Operations",
    "Pending",
    "Produced",
    "Pulse",
    "Records",
    "RequestView",
    "Secrets",
    "StagedObject",
    "StagedWriter",
    "Staging",
    "Submission",
    "Swept",
    "Verdict",
    "Work",
    "WorkLedger",
    "WorkerView",
    "Worktable",
    "WorktableRow",
    "WorktableRows",
    "WriteBack",
]
