"""A working directory with a configuration, as a test writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reportbus.config import ConfigurationRefused, load

if TYPE_CHECKING:
    from pathlib import Path

    from reportbus.config import Settings


class WorkingDirectory:
    """A folder with a `config` folder in it, made with its first file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def file(self, name: str, text: str | bytes) -> Path:
        """Write a file: one of `config`, or `.env`."""
        path = self.folder / name if name == ".env" else self.folder / "config" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def load(self, **environment: str) -> Settings:
        """The settings with these variables and no others."""
        return load(environment, self.folder)

    def problems(self, **environment: str) -> list[str]:
        """What is wrong with them; a failure where nothing is."""
        with pytest.raises(ConfigurationRefused) as refused:
            self.load(**environment)
        return [str(problem) for problem in refused.value.problems]
