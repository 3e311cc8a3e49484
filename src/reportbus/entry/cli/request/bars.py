"""Progress bars, for a person who waits at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from reportbus.core.model import Status
from reportbus.entry.cli.request.follow import progress_words
from reportbus.entry.cli.table import cut

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from rich.progress import TaskID

    from reportbus.entry.actions.finding import Found

_STEPS: Final = {
    Status.PENDING: 0.0,
    Status.IN_PROGRESS: 1.0,
    Status.GENERATED: 2.0,
    Status.DISTRIBUTED: 3.0,
    Status.COMPLETED: 3.0,
    Status.FAILED: 3.0,
}
_ALL_STEPS: Final = 3.0
_BAR: Final = 20
_BESIDE: Final = 2 + _BAR + max(map(len, Status)) + 4
"""Places of a line beside a request's name and the words behind it: spinner, bar, status and blanks."""
_TOGETHER: Final = ""
_NAME_TOGETHER: Final = "requests"


class Bars:
    """A bar each for up to `most` requests, one for all where there are more; on standard error."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._tasks: dict[str, TaskID] = {}
        self._console = Console(stderr=True)
        self._progress = Progress(
            SpinnerColumn(finished_text=" "),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=_BAR),
            TextColumn("{task.fields[status]}", markup=False),
            TextColumn("{task.fields[words]}", markup=False),
            console=self._console,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, seen: Mapping[str, Found]) -> None:
        """Bring the bars to what was seen."""
        if len(seen) <= self._most:
            for request_id, found in seen.items():
                self._set(request_id, _ALL_STEPS, _steps(found), found.status, progress_words(found))
            return
        for name, task in self._tasks.items():
            self._progress.update(task, visible=name == _TOGETHER)
        ended = sum(found.ended for found in seen.values())
        self._set(_TOGETHER, len(seen), ended, f"{ended} of {len(seen)} ended", _counts(seen))

    def _set(self, name: str, total: float, completed: float, status: str, words: str) -> None:
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name or _NAME_TOGETHER, status="", words="")
        room = self._console.width - _BESIDE - len(name or _NAME_TOGETHER)
        shown = cut(words, max(room, 0))
        self._progress.update(self._tasks[name], total=total, completed=completed, status=status, words=shown)


def _steps(found: Found) -> float:
    """How much of the way a request has behind it; deliveries count one by one."""
    if found.view is None:
        return 0.0
    steps = _STEPS[found.view.status]
    if found.view.status is not Status.GENERATED or not found.view.targets:
        return steps
    return steps + found.view.delivered / found.view.targets


def _counts(seen: Mapping[str, Found]) -> str:
    counts = {status: sum(found.status == status for found in seen.values()) for status in Status}
    return ", ".join(f"{number} {status}" for status, number in counts.items() if number)
