"""The command line as people use it, each test with a home and a configuration of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import chdir
from typing import TYPE_CHECKING, Any, Final

from click.testing import CliRunner

from reportbus.config import load
from reportbus.entry.cli import cli
from reportbus.wiring.parts import Parts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from click.testing import Result

    from reportbus.ports import Clock

PROGRAM: Final = (sys.executable, "-c", "from reportbus.entry.cli import main; main()")
_SECONDS: Final = 30

ONE: Final = """
name: one
title: One
connection: local
sql: select 1 as a
"""


class CommandLine:
    """Runs commands below `folder`, in this process or in one of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.config = folder / "config"
        self.write("reports/one.yaml", ONE)
        mine = {"REPORTBUS_HOME": str(self.home), "REPORTBUS_CONFIG": str(self.config)}
        self._clean = [name for name in os.environ if name.startswith("REPORTBUS_")]
        self.variables: dict[str, str] = mine

    def write(self, name: str, text: str) -> None:
        """Write a file of the configuration."""
        path = self.config / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run(self, *words: str, code: int = 0, stdin: str | None = None) -> Result:
        """Run a command in this process; it has to end with `code`."""
        env: Mapping[str, str | None] = {**dict.fromkeys(self._clean), **self.variables}
        with chdir(self.folder):
            result = CliRunner(env=env, catch_exceptions=False).invoke(cli, words, input=stdin)
        assert result.exit_code == code, result.output
        return result

    def text(self, *words: str, code: int = 0, stdin: str | None = None) -> str:
        """What a command writes to standard output."""
        return self.run(*words, code=code, stdin=stdin).stdout

    def error(self, *words: str, code: int = 1, stdin: str | None = None) -> str:
        """What a command that fails writes to standard error."""
        return self.run(*words, code=code, stdin=stdin).stderr

    def json(self, *words: str, code: int = 0, stdin: str | None = None) -> Any:  # noqa: ANN401 - a test knows what it asked for
        """The one JSON document that a command writes."""
        return json.loads(self.text(*words, "-o", "json", code=code, stdin=stdin))

    def environment(self) -> dict[str, str]:
        """The variables of a process of its own: those of this one, and what says where things are."""
        left_out = {*self._clean, "NO_COLOR", "COLUMNS"}
        return {name: value for name, value in os.environ.items() if name not in left_out} | self.variables

    def start(self, *words: str, stdout: int = subprocess.PIPE) -> subprocess.Popen[str]:
        """A command in a process of its own."""
        return subprocess.Popen(
            [*PROGRAM, *words],
            cwd=self.folder,
            env=self.environment(),
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, process: subprocess.Popen[str]) -> tuple[int, str, str]:
        """How a process ended: its exit code and both outputs."""
        out, err = process.communicate(timeout=_SECONDS)
        return process.returncode, out, err

    def parts(self, clock: Clock | None = None) -> Parts:
        """The parts that the commands use."""
        return Parts(load(self.variables, self.folder), clock)
