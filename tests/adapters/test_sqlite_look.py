from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from reportbus.adapters.sqlite.look import has_table, looked_at
from reportbus.core.errors import Permanent, ReportbusError

if TYPE_CHECKING:
    from pathlib import Path

CODE = "SYS_WORKTABLE"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file in WAL mode with one row, which nobody has open."""
    path = tmp_path / "some.db"
    with closing(opened(path)):
        pass
    return path


def opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE t AS SELECT 1 AS a")
    return connection


def rows(path: Path) -> int:
    with looked_at(path, CODE) as connection:
        count: int = connection.execute("SELECT count(*) FROM t").fetchone()[0]
    return count


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        path.name: (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.iterdir()
        if not path.name.endswith("-shm")  # the index of the log, which every reader writes into
    }


def test_a_look_leaves_a_file_nobody_uses_and_its_folder_as_they_are(file: Path) -> None:
    before, names = state(file.parent), set(file.parent.iterdir())
    assert rows(file) == 1
    assert state(file.parent) == before
    assert set(file.parent.iterdir()) == names


def test_a_look_sees_what_another_program_has_just_committed(file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("INSERT INTO t VALUES (2)")
        before = state(file.parent)
        assert rows(file) == 2
        assert state(file.parent) == before


def test_a_look_sees_what_a_program_that_died_had_committed(tmp_path: Path) -> None:
    copied = tmp_path / "copy"
    copied.mkdir()
    with closing(opened(tmp_path / "some.db")):
        for name in ("some.db", "some.db-wal"):
            shutil.copy(tmp_path / name, copied / name)
    before = state(copied)
    assert rows(copied / "some.db") == 1
    assert state(copied) == before


def test_an_empty_file_stays_empty(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    path.touch()
    with looked_at(path, CODE) as connection:
        assert not has_table(connection, "t")
    assert path.read_bytes() == b""


def test_nothing_can_be_written_through_a_look(file: Path) -> None:
    with pytest.raises(ReportbusError), looked_at(file, CODE) as connection:
        connection.execute("INSERT INTO t VALUES (2)")
    assert rows(file) == 1


@pytest.mark.parametrize("content", [None, b"no database at all, but long enough to be taken for one" * 30])
def test_a_file_that_is_missing_or_none_is_told_by_the_code(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "none.db"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Permanent) as raised, looked_at(path, CODE) as connection:
        has_table(connection, "t")
    assert raised.value.code == CODE
    assert path.exists() is (content is not None)
