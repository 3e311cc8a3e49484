"""Watching requests until they have ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reportbus.core.model import TERMINAL, Status
from reportbus.entry.actions.finding import Found, find
from reportbus.ports import Filter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from reportbus.ports import Clock, Records, Worktable

_SHORTEST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 2.0
_PAUSE_EACH: Final = 0.01
"""Seconds between two looks for each request that is looked at: many are looked at less often."""

_MOST: Final = 10_000
_OPEN: Final = Filter(status=tuple(status for status in Status if status not in TERMINAL), limit=_MOST)


class Watch:
    """Looks at requests until all of them have ended or the time is up.

    With `everything`, at all that are open, also those that come meanwhile. `pause` waits so many seconds.
    """

    def __init__(
        self, records: Records, worktable: Worktable, clock: Clock, pause: Callable[[float], object]
    ) -> None:
        self._records = records
        self._worktable = worktable
        self._clock = clock
        self._pause = pause

    def looks(
        self, ids: Sequence[str], *, timeout: float | None = None, everything: bool = False
    ) -> Iterator[Mapping[str, Found]]:
        """The requests by id, at each look, the first one at once. Raises Refused for an id nobody knows."""
        until = None if timeout is None else self._clock.monotonic() + timeout
        seen = {request_id: find(request_id, self._records, self._worktable) for request_id in ids}
        while True:
            if everything:
                seen |= {view.request_id: Found(view.request_id, view) for view in self._records.list(_OPEN)}
            yield seen
            waiting = [found.request_id for found in seen.values() if not found.ended]
            left = _LONGEST_PAUSE if until is None else until - self._clock.monotonic()
            if not waiting or left <= 0:
                return
            self._pause(min(left, _LONGEST_PAUSE, max(_SHORTEST_PAUSE, len(waiting) * _PAUSE_EACH)))
            seen |= {request_id: find(request_id, self._records, self._worktable) for request_id in waiting}
