"""A command line and a line for each test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from entry.command_line import CommandLine
from entry.states import Line
from reportbus.adapters.clock import ManualClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def shell(tmp_path: Path) -> CommandLine:
    """Commands with a home of their own."""
    return CommandLine(tmp_path)


@pytest.fixture
def line(shell: CommandLine) -> Iterator[Line]:
    """A ledger with one worker, in the shell's home; its clock stands an hour ago."""
    clock = ManualClock(datetime.now(UTC) - timedelta(hours=1))
    with shell.parts(clock) as parts:
        yield Line(parts, clock)
