"""The destination `partner`: a folder that is taken away for a while, as a share is whose server is down."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from reportbus.ports import Destination, Verdict


class Partner:
    """The partner's folder at `root`, which was made when the destination was opened.

    What earlier demos delivered there is kept.
    """

    def __init__(self, root: Path, destination: Destination) -> None:
        self.root = root
        self._destination = destination
        self._away = root.with_name(f"{root.name}.away")

    def test(self) -> Verdict:
        """Whether a delivery would get through."""
        return self._destination.test()

    def take_away(self) -> None:
        """From here on, deliveries to it fail."""
        _move(self.root, self._away)

    def bring_back(self) -> None:
        """It is there again. Nothing happens where it was not away."""
        if self._away.exists():
            _move(self._away, self.root)


def _move(source: Path, target: Path) -> None:
    """Move a folder, into the other one where that was made again meanwhile."""
    if target.exists():
        shutil.copytree(source, target, dirs_exist_ok=True)
        shutil.rmtree(source)
    else:
        source.rename(target)
