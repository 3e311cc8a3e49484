"""Where something was given."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Where:
    """A place: a file with its line, or "environment NAME". `via` are the variables that were put in."""

    source: str
    line: int = 0
    via: tuple[str, ...] = ()

    def __str__(self) -> str:
        place = f"{self.source}:{self.line}" if self.line else self.source
        return f"{place} ({', '.join(self.via)})" if self.via else place
