from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from reportbus.adapters.engines.python.scratch import ScratchFolder

if TYPE_CHECKING:
    from pathlib import Path

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
