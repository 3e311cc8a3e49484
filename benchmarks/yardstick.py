"""How fast the cores are meanwhile: virtual ones swing by a factor of two within seconds.

CPU milliseconds are the same unit in two runs only where the yardstick took as long in both.
"""

from __future__ import annotations

import statistics
import time
from typing import Final

_TURNS: Final = 10_000
_UNIT: Final = 100_000
"""What is shown is the time of so many turns."""


class Yardstick:
    """The same small piece of Python again and again, beside what is measured."""

    def __init__(self) -> None:
        self._took: list[float] = []

    def restart(self) -> None:
        """Forget the looks so far."""
        self._took.clear()

    def look(self) -> None:
        """Take the time once; half a millisecond of one core."""
        began = time.thread_time()
        sum(turn * turn for turn in range(_TURNS))
        self._took.append(time.thread_time() - began)

    def milliseconds(self) -> float:
        """CPU milliseconds of 100,000 turns: the mean of all looks since the restart."""
        return round(statistics.mean(self._took) * 1000 * _UNIT / _TURNS, 1)
