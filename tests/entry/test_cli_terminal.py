"""What people see at a terminal, and only there."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import termios
from typing import TYPE_CHECKING

import pytest

from entry.command_line import PROGRAM
from entry.states import failing, request, well
from reportbus.core.jobs import Stage

if TYPE_CHECKING:
    from entry.command_line import CommandLine
    from entry.states import Line

NARROW = 60
_ANSI = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def at_terminal(shell: CommandLine, *words: str, **variables: str) -> tuple[int, str]:
    """Run a command at a terminal of NARROW columns; its exit code and all that it showed."""
    master, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (40, NARROW))
    with subprocess.Popen(
        [*PROGRAM, *words],
        cwd=shell.folder,
        env={**shell.environment(), "TERM": "xterm", **variables},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    ) as process:
        os.close(terminal)
        shown = bytearray()
        try:
            while piece := os.read(master, 65_536):
                shown += piece
        except OSError:  # the program has let go of the terminal
            pass
        os.close(master)
        return process.wait(timeout=20), shown.decode()


@pytest.fixture
def two(line: Line) -> None:
    line.take_in(request("R-1", report_name="a/report/with/quite/a/long/name"))
    line.finish(well)
    line.take_in(request("R-2"))
    line.finish(failing(Stage.DELIVER, "DST_ROOT_MISSING", "/mnt/acme does not exist"))


def test_status_words_are_coloured_at_a_terminal_and_nowhere_else(shell: CommandLine, two: None) -> None:
    assert "\x1b[31mFAILED\x1b[0m" in at_terminal(shell, "request", "show", "R-2")[1]
    assert "\x1b" not in shell.text("request", "show", "R-2")


def test_no_color_is_heard(shell: CommandLine, two: None) -> None:
    code, shown = at_terminal(shell, "request", "show", "R-2", NO_COLOR="1")
    assert code == 0
    assert "\x1b" not in shown


def test_tables_and_texts_fit_the_terminal(shell: CommandLine, two: None) -> None:
    for words in (("request", "why", "R-2"), ("destination", "test"), ("config", "show", "retry")):
        lines = _ANSI.sub("", at_terminal(shell, *words)[1]).splitlines()
        assert max(map(len, lines)) <= NARROW, words


def test_who_waits_at_a_terminal_sees_bars(shell: CommandLine, two: None) -> None:
    code, shown = at_terminal(shell, "request", "watch", "R-1", "R-2")
    plain = _ANSI.sub("", shown)
    assert code == 1
    assert "━" in plain
    assert "R-1" in plain
    assert "FAILED" in plain


def test_many_requests_share_one_bar(shell: CommandLine, line: Line) -> None:
    line.take_in(*(request(f"R-{number}") for number in range(30)))
    code, shown = at_terminal(shell, "request", "watch", "--all", "--timeout", "0")
    assert code == 1
    assert "0 of 30 ended" in _ANSI.sub("", shown)
