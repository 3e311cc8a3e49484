"""How much of the disk a script's own folder takes."""

from __future__ import annotations

import os
from contextlib import suppress

_BLOCK = 512


def too_much(folder: str, *, size: int, files: int) -> str:
    """What there is too much of: "files", "disk" or "". Looks at no more than `files` entries."""
    waiting, seen, used = [folder], 0, 0
    while waiting:
        with suppress(OSError), os.scandir(waiting.pop()) as entries:  # it went away meanwhile
            for entry in entries:
                seen += 1
                if seen > files:
                    return "files"
                used += entry.stat(follow_symlinks=False).st_blocks * _BLOCK
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
    return "disk" if used > size else ""
