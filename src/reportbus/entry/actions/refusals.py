"""What a request was refused for, out of the one text in which it stands on record."""

from __future__ import annotations

import re
from typing import Final

from reportbus.core.codes import CODES

_BETWEEN: Final = re.compile(rf"; (?=(?:{'|'.join(CODES)}): )")


def problems_in(text: str) -> list[tuple[str, str]]:
    """Each problem: its code, and its text with the code before it."""
    return [(problem.partition(": ")[0], problem) for problem in _BETWEEN.split(text)]
