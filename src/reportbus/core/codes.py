"""Every stable code: what it means and what to do about it. `docs/reference/codes.md` is made from this table.

A code is `AREA_REASON`: VAL request, CFG configuration or target, SEC security refusal, TPL template,
ENG engine, STG staging, EVT event, DST delivery, PY Python engine, SYS the platform itself, RUN the
course of a run. The four transient codes are the ones of the retry strategy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class CodeInfo:
    """`meaning` says what happened, `remedy` what a person can do about it."""

    meaning: str
    remedy: str


CODES: Final[dict[str, CodeInfo]] = {
    # transient: the retry strategy's four
    "ConnectionTimeout": CodeInfo("The other side did not answer in time.", "Retried by itself; if it stays, check that the host is up and reachable."),
    "ServiceUnavailable": CodeInfo("The other side is down or refuses work for now.", "Retried by itself; if it stays, check the service."),
    "ThrottlingException": CodeInfo("The other side asks for fewer calls.", "Retried by itself; if it stays, lower the engine's or target's concurrency."),
    "TemporaryFailure": CodeInfo("A passing fault.", "Retried by itself; the error's text says what failed."),
    # VAL: the request
    # CFG: configuration and targets
    # SEC: security refusals
    # TPL: templates
    # ENG: engines
    # STG: staging
    # EVT: events
    # DST: deliveries
    # PY: the Python engine
    # SYS: the platform
    # RUN: the course of a run
}
