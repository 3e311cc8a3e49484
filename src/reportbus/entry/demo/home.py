"""The demo's own home: a folder that nothing else uses, with the demo's configuration in it."""

from __future__ import annotations

import fcntl
import json
import shutil
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reportbus.core.errors import Problem
from reportbus.entry.cli.context import Failure, misconfigured

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from importlib.resources.abc import Traversable

HOME: Final = "REPORTBUS_HOME"
CONFIG: Final = "REPORTBUS_CONFIG"
_DEFAULT: Final = "reportbus-data/demo"
_MARK: Final = "README.txt"
_MARKED: Final = """\
This folder is made by `reportbus demo`. Nothing else uses it. To be rid of it, delete it.
"""
_WRITTEN_ANEW: Final = "# `reportbus demo` writes this file anew each time it runs.\n"


@dataclass(frozen=True, slots=True)
class Home:
    """Where the demo keeps everything."""

    path: Path

    @property
    def config(self) -> Path:
        """The folder with its configuration."""
        return self.path / "config"

    @property
    def data(self) -> Path:
        """The database that its reports are about."""
        return self.path / "data" / "flights.duckdb"

    @property
    def log(self) -> Path:
        """What the roles have to say."""
        return self.path / "demo.log"

    @property
    def variables(self) -> dict[str, Path]:
        """What makes any command work on this home."""
        return {HOME: self.path, CONFIG: self.config}


@contextmanager
def opened_home(environment: Mapping[str, str]) -> Iterator[Home]:
    """The home that the environment names, or the usual one, for this demo alone.

    Ends the command where the folder is somebody else's, or another demo runs in it.
    """
    home = Home(Path(environment.get(HOME) or _DEFAULT).absolute())
    mark = home.path / _MARK
    if home.path.exists() and not mark.exists() and any(home.path.iterdir()):
        text = f"'{home.path}' holds something else than a demo; name a new folder, or none for {_DEFAULT}"
        raise misconfigured([Problem("CFG_INCONSISTENT", text, HOME)])
    home.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    with mark.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failure(
                [f"another demo runs in {shown(home.path)}; wait for its end, or stop it"]
            ) from None
        if not file.tell():
            file.write(_MARKED)
            file.flush()
        yield home


def write_config(home: Home, isolation: str) -> None:
    """Write the demo's configuration into its home; files that stand beside it stay."""
    values = {"home": str(home.path), "isolation": isolation}
    _copy(files(__package__) / "config", home.config, values)


def shown(path: Path) -> str:
    """A path as people type it: below the working directory without it."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def program() -> str:
    """How this `reportbus` is called from here."""
    own = Path(sys.executable).with_name("reportbus")
    found = shutil.which("reportbus")
    return "reportbus" if found and own.exists() and Path(found).samefile(own) else shown(own)


def _copy(source: Traversable, target: Path, values: Mapping[str, str]) -> None:
    if source.is_dir():
        target.mkdir(exist_ok=True)
        for entry in source.iterdir():
            if not entry.name.startswith("__"):
                _copy(entry, target / entry.name, values)
        return
    content = source.read_bytes()
    if target.suffix == ".yaml":
        text = content.decode()
        for name, value in values.items():
            text = text.replace(f"{{{{ {name} }}}}", json.dumps(value)[1:-1])
        content = (_WRITTEN_ANEW + text).encode()
    with suppress(FileNotFoundError):
        if target.read_bytes() == content:
            return
    _replace(target, content)


def _replace(target: Path, content: bytes) -> None:
    """Whole or not at all, whenever the demo is stopped."""
    temporary = target.with_name(f".{target.name}.new")
    temporary.write_bytes(content)
    temporary.replace(target)
