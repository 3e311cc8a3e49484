"""The requests on their way, as bars at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

if TYPE_CHECKING:
    from types import TracebackType

    from reportbus.entry.demo.progress import Tally


class Bars:
    """A bar each for what is taken in, made, delivered and ended."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<10}", markup=False),
            BarColumn(bar_width=40, style="bright_black", complete_style="blue", finished_style="green"),
            TextColumn("{task.completed:>3.0f} of {task.total:.0f}", markup=False),
            TextColumn("{task.fields[words]}", markup=False, style="red"),
            console=Console(highlight=False),
        )
        self._tasks = [
            self._progress.add_task(name, total=0, words="")
            for name in ("taken in", "made", "delivered", "ended")
        ]

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, tally: Tally) -> None:
        """Bring the bars to the tally."""
        failed = f"{tally.failed} FAILED" if tally.failed else ""
        for task, done, total, words in zip(
            self._tasks,
            (tally.taken, tally.made, tally.delivered, tally.ended),
            (tally.asked, tally.asked - tally.refused, max(tally.targets, 1), tally.asked),
            ("", "", "", failed),
            strict=True,
        ):
            self._progress.update(task, completed=done, total=total, words=words)
