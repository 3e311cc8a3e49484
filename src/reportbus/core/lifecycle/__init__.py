"""The life of a request: every decision of the line, as one table and pure functions."""

from __future__ import annotations

from reportbus.core.lifecycle.answers import (
    COMPONENT_OF,
    ENTRY_STATUSES,
    NEXT,
    NOTICE_SECONDS,
    NOTIFY_POLICY,
    Fate,
    IllegalStep,
    Past,
    Policy,
    RunState,
    Step,
    Trigger,
    accept,
    end_early,
    refuse,
    retry,
    start,
    step,
)
from reportbus.core.lifecycle.company import Company

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
    "Policy",
    "RunState",
    "Step",
    "Trigger",
    "accept",
    "end_early",
    "refuse",
    "retry",
    "start",
    "step",
]
