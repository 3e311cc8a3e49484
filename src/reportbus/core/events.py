"""What happened: the answers to jobs, recorded for good."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from reportbus.core.errors import ReportbusError, Transient, Unknown

if TYPE_CHECKING:
    from reportbus.core.jobs import Task
    from reportbus.core.model import Artifact, Receipt


class Kind(StrEnum):
    """Whether a failure may pass, is for good, or leaves open what happened."""

    TRANSIENT = "TRANSIENT"
    PERMANENT = "PERMANENT"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Generated:
    """The engine made the report and these files of it are staged, whole and durable."""

    artifacts: tuple[Artifact, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The target has the file."""

    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Notified:
    """The channel took the notice."""

    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Failed:
    """The attempt failed.

    `retry_after` is the other side's wish in seconds; `trace` a stack trace, redacted.
    """

    kind: Kind
    code: str
    text: str
    retry_after: float | None = None
    trace: str = ""


@dataclass(frozen=True, slots=True)
class HandedBack:
    """The worker stops and did not finish the job; it costs no attempt."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The worker that held the job is gone, let its lease lapse, or gave it up because its thread hangs."""


@dataclass(frozen=True, slots=True)
class Released:
    """The worker lives and let the job go in the middle: its stop came first, or it was taken for dead.

    What was done of the job nobody can tell.
    """


Answer: TypeAlias = Generated | Delivered | Notified | Failed | HandedBack | Lost | Released


class Event(NamedTuple):
    """The answer to one job. `elapsed` is how long the attempt took, in seconds."""

    task: Task
    answer: Answer
    elapsed: float = 0.0


def failed(error: ReportbusError) -> Failed:
    """The answer that says what `error` says."""
    if isinstance(error, Transient):
        return Failed(Kind.TRANSIENT, error.code, error.text, error.retry_after)
    kind = Kind.UNKNOWN if isinstance(error, Unknown) else Kind.PERMANENT
    return Failed(kind, error.code, error.text)
