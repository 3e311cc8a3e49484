"""A filesystem that is soon full."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from servers.parts import PartMissing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def small_disk(at: Path, kib: int, kind: str = "tmpfs") -> Iterator[Path]:
    """Mount a new filesystem of so many KiB at a new folder. PartMissing where that is not permitted."""
    at.mkdir()
    mounted = subprocess.run(
        ["/bin/mount", "-t", kind, "-o", f"size={kib}k", "reportbus-test", str(at)],
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
