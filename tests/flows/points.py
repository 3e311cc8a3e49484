"""Where the line may be killed: before and after each effect outside and each commit.

A point is named by the station it lies at and by what has been done there; its number says at which pass the
process dies, so that other requests are before and behind the one at the point. A process that passes a point
which does not stand here fails (see `Killer`), and every point that stands here is a case of the tests.
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from threading import Event, Lock
from typing import TYPE_CHECKING, Final

from reportbus.adapters.durable_files import FAILPOINTS

if TYPE_CHECKING:
    from pathlib import Path

PASSED: Final = "passed"
HELD: Final = "held"
GO_ON: Final = "go-on"

_HOLD_SECONDS: Final = 120.0
_LOOK_SECONDS: Final = 0.01


def _commit(station: str, hit: int = 2) -> dict[str, int]:
    return {f"{station}: before the commit": hit, f"{station}: after the commit": hit}


def _files(station: str, hit: int = 2) -> dict[str, int]:
    return {f"{station}: {step}": hit for step in FAILPOINTS}


POINTS: Final[dict[str, int]] = {
    "poll: rows fetched": 2,
    "poll: rows published": 2,
    "poll: rows stamped": 2,
    "accept: messages taken": 2,
    **_commit("accept"),
    "accept: messages committed": 2,
    **_commit("enroll", 1),
    **_commit("renew"),
    **_commit("claim"),
    "engine: before it is asked": 9,
    "engine: half of the report": 9,
    "engine: after the report": 9,
    **_commit("checkpoint"),
    **_files("staging", 3),
    "staging: files told": 3,
    **_commit("record GENERATE"),
    "staged: events taken": 2,
    "staged: events committed": 2,
    "deliver: before the call": 3,
    "deliver: half of a file": 5,
    **_files("deliver", 3),
    "deliver: after the call": 3,
    **_commit("record DELIVER"),
    "notify: before the call": 3,
    **_files("notify", 3),
    "notify: after the call": 3,
    **_commit("record NOTIFY"),
    "write back: changes read": 2,
    "write back: rows written": 2,
    **_commit("written"),
}
"""On the way of a request, and at what pass the process is killed there."""

RECOVERY_POINTS: Final[dict[str, int]] = {**_commit("bury", 1), **_commit("take back", 1)}
"""Where the jobs of a process that was killed before are taken back."""

STOP_POINTS: Final[dict[str, int]] = {**_commit("hand back", 1), **_commit("retire", 1)}
"""Where a process ends after SIGTERM with work in hand."""

_ALL: Final = POINTS | RECOVERY_POINTS | STOP_POINTS


class Killer:
    """Ends this process with SIGKILL at the `hit`-th pass of `point`; without a point it only counts.

    With `hold` only the thread that passes there is held, until somebody makes the file `GO_ON` in `folder`;
    `HELD` stands there from then on. Each point passed for the first time is written to `PASSED`.
    """

    def __init__(self, folder: Path, point: str = "", hit: int = 1, *, hold: bool = False) -> None:
        if point:
            assert point in _ALL
        self._folder = folder
        self._point = point
        self._hit = hit
        self._hold = hold
        self._count: Counter[str] = Counter()
        self._lock = Lock()

    def __call__(self, point: str) -> None:
        """This point is passed."""
        assert point in _ALL, f"no point {point!r}: name it, and it is tested"
        with self._lock:
            self._count[point] += 1
            count = self._count[point]
            if count == 1:
                with (self._folder / PASSED).open("a") as file:
                    file.write(f"{point}\n")
        if point == self._point and count == self._hit:
            self._act()

    def _act(self) -> None:
        if not self._hold:
            os.kill(os.getpid(), signal.SIGKILL)
        (self._folder / HELD).touch()
        until = time.monotonic() + _HOLD_SECONDS
        while not (self._folder / GO_ON).exists():
            assert time.monotonic() < until, "nobody let it go on"
            Event().wait(_LOOK_SECONDS)
