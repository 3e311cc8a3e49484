"""A watcher at the endpoints: it reads whatever stands under a final name, again and again."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from flows.ready_engine import content

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

TEMPORARY: Final = ".reportbus-"
"""How the names of growing files begin in the folder destination."""

_SAMPLE_SECONDS: Final = 0.003


class Watcher:
    """Looks at folders every few milliseconds while the block runs.

    A file's name begins with its request's id. `bad` tells of each whose bytes were not the request's report.
    """

    def __init__(self, *folders: Path) -> None:
        self.bad: list[str] = []
        self.samples = 0
        self._folders = folders
        self._seen: dict[Path, tuple[int, int, int]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._stop.wait(_SAMPLE_SECONDS):
            self._look()

    def _look(self) -> None:
        self.samples += 1
        for folder in self._folders:
            for path in files_below(folder):
                if not path.name.startswith(TEMPORARY):
                    self._read(path)

    def _read(self, path: Path) -> None:
        try:
            about = path.stat()
            state = (about.st_ino, about.st_size, about.st_mtime_ns)
            if self._seen.get(path) == state or not stat.S_ISREG(about.st_mode):
                return
            found = path.read_bytes()
        except FileNotFoundError:
            return
        self._seen[path] = state
        right = content(request_of(path))
        if found != right:
            self.bad.append(f"{path}: {len(found)} bytes that are not the report of {len(right)}")


def files_below(folder: Path) -> Iterator[Path]:
    """All files below a folder, which may not be there yet and may change meanwhile."""
    for where, _, names in os.walk(folder):
        yield from (Path(where, name) for name in names)


def request_of(path: Path) -> str:
    """The id of the request a staged or delivered file is of."""
    return path.name.partition("~")[0].partition(".")[0]
