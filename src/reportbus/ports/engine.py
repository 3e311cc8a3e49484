"""What makes reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reportbus.core.errors import Problem
    from reportbus.core.model import JsonValue, Request
    from reportbus.ports.clock import Deadline
    from reportbus.ports.staging import StagedWriter
    from reportbus.ports.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Work:
    """One attempt at making one report.

    `key` is the same for every attempt of the job: a repeat at an engine that knows keys finds the first.
    `checkpoint` is what an earlier attempt saved; `save` stores a new one durably before it returns (an
    engine's job id, before polling for it). `cancelled` says whether to stop; look at least once a second.
    """

    key: str
    request: Request
    deadline: Deadline
    checkpoint: Mapping[str, JsonValue]
    save: Callable[[Mapping[str, JsonValue]], None]
    cancelled: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Produced:
    """What an engine wrote into the sink. `rows` where it counts them, `note` for the audit trail."""

    rows: int | None = None
    note: str = ""


class Engine(Protocol):
    """What makes reports of one type."""

    def check(self, report_name: str, parameters: Mapping[str, JsonValue], format_: str) -> Sequence[Problem]:
        """Everything wrong with asking for this report, from what is known without a call.

        `format_` may be none there is: the engine knows which formats its report can be had in. Problems name
        the field as the worktable does: REPORT_NAME, PARAMETERS.name, DISTRIBUTION_CONFIG.format.

        Codes: VAL_REPORT_UNKNOWN, VAL_FORMAT, VAL_PARAM_MISSING, VAL_PARAM_UNKNOWN, VAL_PARAM_TYPE,
        VAL_PARAM_LIMIT.
        """

    def generate(self, work: Work, sink: StagedWriter) -> Produced:
        """Make the report and write its bytes into `sink` as they come; memory does not grow with them.

        Ends by the deadline with Transient ConnectionTimeout, and soon after `cancelled` with Permanent
        RUN_CANCELLED; in both cases nothing of the work goes on behind it.
        """

    def test(self) -> Verdict:
        """One real call with a clear verdict; changes nothing."""

    def close(self) -> None:
        """Let go of connections and processes."""
