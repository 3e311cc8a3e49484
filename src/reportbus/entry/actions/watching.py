"""Watching requests until they have ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reportbus.core.model import TERMINAL, Status
from reportbus.entry.actions.finding import Found, find_all, look_up, of_rows
from reportbus.ports import Filter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from reportbus.ports import Clock, Records, WorktableRows

_SHORTEST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 2.0
_PAUSE_EACH: Final = 0.01
"""Seconds between two looks for each request that is looked at: many are looked at less often."""

_MOST: Final = 10_000
_OPEN: Final = Filter(status=tuple(status for status in Status if status not in TERMINAL), limit=_MOST)


class Watch:
    """Looks at requests until all of them have ended or the time is up.

    With `everything`, at all that are open or wait in the worktable, also those that come meanwhile.
    `places` gives the ledger and the worktable, which may be made meanwhile; `pause` waits so many seconds.
    """

    def __init__(
        self,
        places: Callable[[], tuple[Records, WorktableRows]],
        clock: Clock,
        pause: Callable[[float], object],
    ) -> None:
        self._places = places
        self._clock = clock
        self._pause = pause

    def looks(
        self, ids: Sequence[str], *, timeout: float | None = None, everything: bool = False
    ) -> Iterator[Mapping[str, Found]]:
        """The requests by id, at each look, the first one at once. Raises Refused for an id nobody knows."""
        until = None if timeout is None else self._clock.monotonic() + timeout
        seen = find_all(ids, *self._places())
        while True:
            if everything:
                seen |= self._open()
            yield seen
            waiting = [id_ for id_, found in seen.items() if not found.ended]
            left = _LONGEST_PAUSE if until is None else until - self._clock.monotonic()
            if not waiting or left <= 0:
                return
            self._pause(min(left, _LONGEST_PAUSE, max(_SHORTEST_PAUSE, len(waiting) * _PAUSE_EACH)))
            again = (look_up if everything else find_all)(waiting, *self._places())
            seen = {id_: again.get(id_, found) for id_, found in seen.items() if found.ended or id_ in again}

    def _open(self) -> dict[str, Found]:
        """What has not ended, of the ledger and of the worktable."""
        records, worktable = self._places()
        views = records.list(_OPEN)
        rows = worktable.fetch(_MOST, again=_MOST, published_before=self._clock.now())
        named = [row for row in rows if isinstance(row.columns.get("REQUEST_ID"), str)]
        waiting = {id_: found for id_, found in of_rows(named, records).items() if not found.ended}
        return waiting | {view.request_id: Found(view.request_id, view) for view in views}
