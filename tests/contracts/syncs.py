"""Syncs that fail, or that tell what they were asked to make durable."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reportbus.adapters.durable_files import Place


class WatchedSync:
    """Calls `at` with the number of each sync, from 1, before it is over; raises what that raises."""

    def __init__(self, at: Callable[[int], None]) -> None:
        self._at = at
        self.count = 0

    def __call__(self, folder: int) -> WatchedSync:
        """Stand in for the maker of syncs, too."""
        return self

    def mark(self) -> int:
        return 0

    def sync(self, mark: int, places: Iterable[Place]) -> None:
        self.count += 1
        self._at(self.count)


def failing(*numbers: int) -> WatchedSync:
    """The syncs of these numbers fail as those of a broken disk do."""

    def at(number: int) -> None:
        if number in numbers:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    return WatchedSync(at)
