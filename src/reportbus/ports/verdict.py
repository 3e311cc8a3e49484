"""The verdict of a test call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from reportbus.core.codes import CODES

if TYPE_CHECKING:
    from reportbus.core.errors import ReportbusError


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a test call found: `ok`, and one sentence that says so or says what to mend."""

    ok: bool
    text: str

    @classmethod
    def refusing(cls, error: ReportbusError) -> Self:
        """What went wrong, and its remedy."""
        return cls(ok=False, text=f"{error.code}: {error.text}. {CODES[error.code].remedy}")
