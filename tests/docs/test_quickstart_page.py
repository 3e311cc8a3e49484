from __future__ import annotations

import re
import shlex
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Final

import pytest

from entry.demo_runs import Played, copy_of, played_once

if TYPE_CHECKING:
    from collections.abc import Iterator

    from entry.demo_runs import Folder

pytestmark = pytest.mark.slow

PAGE: Final = (Path(__file__).parents[2] / "docs" / "quickstart.md").read_text()
PROGRAM: Final = (sys.executable, "-c", "from reportbus.entry.cli import main; main()")


def blocks(language: str) -> list[str]:
    """The page's examples in a language."""
    found = re.findall(rf"^ *```{language}\n(.*?)^ *```", PAGE, re.DOTALL | re.MULTILINE)
    return [dedent(block) for block in found]


def commands(verb: str) -> list[list[str]]:
    """The commands of the page with this verb, as words behind the program's name."""
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith(f".venv/bin/reportbus {verb}")]


def run(folder: Folder, words: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *words],
        cwd=folder.path,
        env=folder.variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


@contextmanager
def up(folder: Folder) -> Iterator[None]:
    """The line at work on the folder's home."""
    (words,) = commands("up")
    with subprocess.Popen(
        [*PROGRAM, *words], cwd=folder.path, env=folder.variables, stdout=subprocess.DEVNULL
    ) as process:
        try:
            yield
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Played:
    """A short demo, played once."""
    worker = getattr(request.config, "workerinput", {"workerid": "master"})["workerid"]
    return played_once(tmp_path_factory, worker)


def test_the_page_works_from_top_to_bottom(played: Played, tmp_path: Path) -> None:
    folder = copy_of(played, tmp_path)
    good, bad, mine = commands("request submit")
    (definition,) = blocks("yaml")
    (folder.home / "config" / "reports" / "longest_flights.yaml").write_text(definition)
    with up(folder):
        for words in (good, mine):
            done = run(folder, words)
            assert 0 == done.returncode, done
        refused = run(folder, bad)
    assert blocks("text")[1] == refused.stderr
    delivered = sorted(path.suffix for path in (folder.home / "delivered" / "mine").iterdir())
    assert [".html", ".pdf"] == delivered
    assert 0 == run(folder, commands("request list")[0]).returncode


def test_the_table_of_runs_is_what_the_demo_shows(played: Played) -> None:
    assert blocks("text")[0] in played.output


def test_the_folders_named_are_there(played: Played) -> None:
    rows = re.findall(r"^\| (`.*?`) \|", PAGE, re.MULTILINE)
    names = [name for row in rows for name in re.findall(r"`([^`]+)`", row)]
    assert 8 == len(names)
    assert [name for name in names if not (played.folder.home / name).exists()] == []
