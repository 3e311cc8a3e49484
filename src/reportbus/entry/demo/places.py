"""What lies in a folder that reports are delivered to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder below the root with the sizes of its files, in bytes by name."""

    name: str
    sizes: Mapping[str, int]


def files_below(root: Path) -> Iterator[Folder]:
    """The folders below the root that have files, by name."""
    for path in sorted(path for path in (root, *root.rglob("*")) if path.is_dir()):
        sizes = {entry.name: entry.stat().st_size for entry in sorted(path.iterdir()) if entry.is_file()}
        if sizes:
            yield Folder(str(path.relative_to(root)), sizes)
