"""A filesystem that is soon full, or is full for a while."""

from __future__ import annotations

import errno
import subprocess
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from servers.parts import PartMissing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_FILES: Final = 2_000
"""At most so many files fit onto it."""

_FILLER: Final = ".reportbus-filler-"
"""How the names of the files begin that fill it: whoever watches a folder takes them for temporary ones."""

_STEPS: Final = (65_536, 4_096, 1)


@contextmanager
def small_disk(at: Path, kib: int, kind: str = "tmpfs") -> Iterator[Path]:
    """Mount a new filesystem of so many KiB at a new folder. PartMissing where that is not permitted."""
    at.mkdir()
    mounted = subprocess.run(
        ["/bin/mount", "-t", kind, "-o", f"size={kib}k,nr_inodes={_FILES}", "reportbus-test", str(at)],
        check=False,
        capture_output=True,
        text=True,
        timeout=10,
    )
    if mounted.returncode:
        raise PartMissing(f"no filesystem can be mounted here: {mounted.stderr.strip()}")
    try:
        yield at
    finally:
        subprocess.run(["/bin/umount", "--lazy", str(at)], check=True, timeout=10)


@contextmanager
def filled(disk: Path) -> Iterator[None]:
    """While the block runs the disk has room for no byte and for no file."""
    _fill(disk)
    try:
        yield
    finally:
        for path in disk.glob(f"{_FILLER}*"):
            path.unlink()


def _fill(disk: Path) -> None:
    with Path(disk, f"{_FILLER}bytes").open("wb", buffering=0) as file:
        for step in _STEPS:
            _until_it_is_full(partial(file.write, bytes(step)))
    numbers = count()
    _until_it_is_full(lambda: Path(disk, f"{_FILLER}{next(numbers)}").touch())


def _until_it_is_full(write: Callable[[], object]) -> None:
    try:
        while True:
            write()
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
