"""What the Python engine's two halves, data exports and registered scripts, have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reportbus.core.errors import Problem
    from reportbus.core.model import JsonValue
    from reportbus.ports import Produced, StagedWriter, Verdict, Work


class Producer(Protocol):
    """One report of the catalogue: it knows what may be asked of it, and makes it."""

    def check(self, parameters: Mapping[str, JsonValue], format_: str) -> Sequence[Problem]:
        """Everything wrong with asking for this report, all at once; quick and pure.

        Codes: VAL_FORMAT, VAL_PARAM_MISSING, VAL_PARAM_UNKNOWN, VAL_PARAM_TYPE, VAL_PARAM_LIMIT.
        """

    def produce(self, work: Work, sink: StagedWriter) -> Produced:
        """Make the report as `Engine.generate` says; Refused where `check` would find something."""


class Resource(Protocol):
    """Something kept open between reports: a source of data, a place to run scripts."""

    def test(self) -> Verdict:
        """Whether it answers; changes nothing. Its text names the resource."""

    def close(self) -> None:
        """Let go of it. Closing twice is harmless."""
