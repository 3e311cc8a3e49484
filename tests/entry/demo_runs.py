"""Demos as people start them: in processes of their own, in folders of their own."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reportbus.config import load
from reportbus.wiring.parts import Parts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pytest

FEW: Final = "13"
"""Requests of a short demo: one of each kind, the one to the partner, and the one that is no good."""

_PROGRAM: Final = (sys.executable, "-c", "from reportbus.entry.cli import main; main()")
_SECONDS: Final = 55


@dataclass(frozen=True, slots=True)
class Folder:
    """A working directory that demos run in, with the demo's home below it."""

    path: Path

    @property
    def home(self) -> Path:
        """The demo's usual home."""
        return self.path / "reportbus-data" / "demo"

    @property
    def variables(self) -> dict[str, str]:
        """What makes other commands work on it."""
        return {"REPORTBUS_HOME": str(self.home), "REPORTBUS_CONFIG": str(self.home / "config")}

    def start(
        self,
        variables: Mapping[str, str] | None = None,
        *,
        requests: str = FEW,
        stdout: int = subprocess.PIPE,
    ) -> subprocess.Popen[str]:
        """A demo under way, a short one unless told; standard output and standard error together."""
        clean = {name: text for name, text in os.environ.items() if not name.startswith("REPORTBUS_")}
        return subprocess.Popen(
            [*_PROGRAM, "demo", "--requests", requests],
            cwd=self.path,
            env={**clean, **(variables or {})},
            stdout=stdout,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def play(self) -> tuple[int, str]:
        """A short demo from beginning to end: its exit code, and what it said."""
        with self.start() as process:
            try:
                output, _ = process.communicate(timeout=_SECONDS)
            finally:
                process.kill()
        return process.returncode, output

    def parts(self) -> Parts:
        """The parts that the demo used."""
        return Parts(load(self.variables, self.path))


@dataclass(frozen=True, slots=True)
class Played:
    """A demo that has been played."""

    folder: Folder
    output: str


def played_once(factory: pytest.TempPathFactory, worker: str) -> Played:
    """One demo for all tests that only look at it, those of other test processes included."""
    base = factory.getbasetemp() if worker == "master" else factory.getbasetemp().parent
    folder = Folder(base / "demo")
    folder.path.mkdir(exist_ok=True)
    said = folder.path / "said"
    with (folder.path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not said.exists():
            code, output = folder.play()
            assert code == 0, output
            said.write_text(output)
    return Played(folder, said.read_text())


def with_data_of(played: Played, path: Path) -> Folder:
    """A folder without a demo, but with the data that one has loaded."""
    folder = Folder(path)
    (folder.home / "data").mkdir(parents=True)
    (folder.home / "README.txt").touch()
    shutil.copy(played.folder.home / "data" / "flights.duckdb", folder.home / "data")
    return folder


def copy_of(played: Played, path: Path) -> Folder:
    """A folder in which a demo has been played."""
    shutil.copytree(played.folder.path, path, dirs_exist_ok=True)
    return Folder(path)
