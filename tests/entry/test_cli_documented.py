"""Pages name commands; they have to be there."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from reportbus.core.codes import CODES
from reportbus.entry.cli import cli

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *(path for path in (ROOT / "docs").rglob("*.md") if path.name != "cli.md")]
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
COMMAND = re.compile(r"\breportbus((?: [a-z][a-z-]*)+)(?=[ `\n)\"]|$)")


def missing(words: str) -> str:
    """The first word that is no command of the group before it; words behind a command are its arguments."""
    group: click.Command | None = cli
    for word in words.split():
        if not isinstance(group, click.Group):
            return ""
        group = group.get_command(click.Context(group), word)
        if group is None:
            return word
    return ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    named = {words for code in CODE.findall(page.read_text()) for words in COMMAND.findall(code)}
    assert {words: found for words in named if (found := missing(words))} == {}


def test_every_command_that_a_remedy_names_exists() -> None:
    named = {
        words for info in CODES.values() for words in re.findall(r"reportbus( [a-z-]+ [a-z-]+)", info.remedy)
    }
    assert named
    assert {words: found for words in named if (found := missing(words))} == {}
