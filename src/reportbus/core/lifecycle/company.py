"""Which jobs one worker may have in hand together, once workers have died with them in hand.

When a process dies nobody knows which of its jobs it died of: all of them count a loss. The more losses, the
fewer such jobs go together, the last time each goes alone: so one that kills its workers is given up by
itself, and those that were merely there when it did come through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_FACTOR: Final = 16


def together(losses: int, max_losses: int) -> int:
    """How many jobs may be together where one of them has lost so many workers, which it may `max_losses`."""
    return int(_FACTOR ** max(0, max_losses - losses))


class Company:
    """Those jobs in one worker's hands that have lost workers before; at first these, by their losses."""

    def __init__(self, losses: Iterable[int], max_losses: int) -> None:
        self._max_losses = max_losses
        self._count = 0
        self._worst = 0
        for each in losses:
            self._count += 1
            self._worst = max(self._worst, each)

    @property
    def most_losses(self) -> int | None:
        """With how many losses a job may come in at most; None where any may, since there is none yet."""
        if not self._count:
            return None
        return next((losses for losses in range(self._max_losses - 1, 0, -1) if self._holds(losses)), 0)

    def admits(self, losses: int) -> bool:
        """Whether a job with so many losses may come in; if so it is in. One without losses always may."""
        if not losses:
            return True
        if not self._holds(losses):
            return False
        self._count += 1
        self._worst = max(self._worst, losses)
        return True

    def _holds(self, losses: int) -> bool:
        return self._count < together(max(self._worst, losses), self._max_losses)
