from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reportbus.adapters.engines.python.scratch import ScratchFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOBODY = 65_534
KILLED = """
import os, signal, sys
from pathlib import Path
from reportbus.adapters.engines.python.scratch import ScratchFolder
folder = ScratchFolder("spill-", Path(sys.argv[1]))
(folder.path / "data").write_bytes(b"x" * 1000)
os.kill(os.getpid(), signal.SIGKILL)
"""


def aged(folder: Path) -> None:
    """Make the folder look as if it was made some time ago."""
    before = time.time() - 3600
    os.utime(folder, (before, before))


def test_a_folder_is_removed_with_its_content(tmp_path: Path) -> None:
    with ScratchFolder("spill-", tmp_path) as folder:
        (folder.path / "data").write_text("x")

    assert [] == list(tmp_path.iterdir())


def test_what_a_killed_process_left_is_swept_by_the_next_one(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, tmp_path], timeout=30, check=False)
    (left,) = tmp_path.iterdir()
    aged(left)
    with ScratchFolder("spill-", tmp_path) as folder:
        assert [folder.path] == list(tmp_path.iterdir())


def test_what_is_in_use_or_another_ones_is_not_swept(tmp_path: Path) -> None:
    (tmp_path / "other-1").mkdir()
    with ScratchFolder("spill-", tmp_path) as first:
        aged(first.path)
        aged(tmp_path / "other-1")
        with ScratchFolder("spill-", tmp_path) as second:
            assert {first.path, second.path, tmp_path / "other-1"} == set(tmp_path.iterdir())


def test_removing_twice_is_harmless(tmp_path: Path) -> None:
    folder = ScratchFolder("spill-", tmp_path)
    folder.remove()
    folder.remove()

    assert [] == list(tmp_path.iterdir())


def as_nobody(run: Callable[[], None]) -> None:
    """Run it in a process that is not root's: nothing stops root."""
    child = os.fork()
    if not child:
        with suppress(BaseException):
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            run()
            os._exit(0)
        os._exit(1)
    assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A folder that every user may reach and write into."""
    with tempfile.TemporaryDirectory(prefix="spill-test-") as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


def test_a_folder_without_rights_is_removed_and_what_its_links_lead_to_keeps_its_own(
    open_to_all: Path,
) -> None:
    """A script may take away its own rights. They are given back, but to nothing outside."""

    def run() -> None:
        other = open_to_all / "other"
        other.mkdir()
        (other / "data").write_text("x")
        other.chmod(0o500)
        folder = ScratchFolder("spill-", open_to_all)
        (folder.path / "shut" / "deep").mkdir(parents=True)
        (folder.path / "shut" / "link").symlink_to(other)
        (folder.path / "shut" / "deep" / "data").write_text("x")
        for shut in ("shut/deep", "shut"):
            (folder.path / shut).chmod(0)
        folder.remove()

    as_nobody(run)
    (other,) = open_to_all.iterdir()
    assert "other" == other.name
    assert 0o500 == stat.S_IMODE(other.stat().st_mode)
    assert "x" == (other / "data").read_text()


def test_what_another_user_left_is_not_swept(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make a folder for another user")
    theirs = tmp_path / "spill-theirs"
    theirs.mkdir()
    os.chown(theirs, NOBODY, NOBODY)
    aged(theirs)
    with ScratchFolder("spill-", tmp_path):
        assert theirs.exists()


def test_a_link_with_a_folders_name_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "other"
    target.mkdir()
    (target / "data").write_text("x")
    aged(target)
    (tmp_path / "spill-link").symlink_to(target)
    with ScratchFolder("spill-", tmp_path):
        assert (target / "data").exists()
