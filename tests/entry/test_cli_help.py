from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

from reportbus.entry.cli import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

    from entry.command_line import CommandLine

SLOW = (
    "sqlalchemy",
    "alembic",
    "duckdb",
    "pyarrow",
    "rich",
    "yaml",
    "reportbus.config",
    "reportbus.adapters",
)
OWN_OUTPUT = {"audit export", "db sql", "demo"}


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


@pytest.mark.parametrize(
    "words", [["--help"], ["request", "--help"], ["request", "submit", "--help"], ["--version"]]
)
def test_help_is_answered_without_importing_what_commands_need(words: list[str]) -> None:
    """That is what makes it quick: the imports left out take most of a second."""
    program = f"""
import sys
from reportbus.entry.cli import cli
cli({words!r}, standalone_mode=False)
print([name for name in {SLOW!r} if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stderr.strip() == "[]"


def test_every_command_says_what_it_does_and_has_json_for_programs() -> None:
    for path, command in commands(cli):
        assert command.help, path
        assert command.short_help or len(path.split()) > 1, path
        options = {name for parameter in command.params for name in parameter.opts}
        assert "--output" in options or path in OWN_OUTPUT, path


def test_every_option_and_every_group_has_a_help_text() -> None:
    missing = [
        f"{path} {parameter.name}"
        for path, command in commands(cli)
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.help
    ]
    assert missing == []


def test_help_names_the_commands_in_the_order_people_meet_them(shell: CommandLine) -> None:
    text = shell.text("--help")
    assert (
        text.index("  up ") < text.index("  request ") < text.index("  dead-letter ") < text.index("  demo ")
    )


@pytest.mark.parametrize(
    "words",
    [
        ["no-such-command"],
        ["request"],
        ["request", "show"],
        ["request", "list", "--status", "LOST"],
        ["run", "cook"],
    ],
)
def test_wrong_usage_ends_with_2_and_says_how_it_is_used(shell: CommandLine, words: list[str]) -> None:
    assert "Usage: " in shell.run(*words, code=2).output
