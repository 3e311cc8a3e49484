"""The word somebody probably meant."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_FEW: Final = 12
_LONGEST: Final = 100


def suggestion(word: str, known: Iterable[str]) -> str:
    """The known word nearest to `word`, as the end of a sentence; where none is near, all if they are few."""
    words = list(known)
    by_small = {name.lower(): name for name in words}
    near = get_close_matches(word[:_LONGEST].lower(), by_small, n=1)
    if near:
        return f"; did you mean '{by_small[near[0]]}'?"
    return f"; have {', '.join(words)}" if 0 < len(words) <= _FEW else ""
