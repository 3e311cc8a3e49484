from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from reportbus.adapters.bus.sqlite import SqliteBus
from reportbus.adapters.clock import SystemClock
from reportbus.adapters.sqlite.changes import Changes
from reportbus.adapters.sqlite.database import Database
from reportbus.core.errors import Permanent, Transient
from reportbus.ports import Message

if TYPE_CHECKING:
    from pathlib import Path


def remove(home: Path, *, all_of_it: bool) -> None:
    """Remove the bus's file, with or without the two that belong to it."""
    for name in ("bus.db", "bus.db-wal", "bus.db-shm") if all_of_it else ("bus.db",):
        (home / name).unlink()


@pytest.mark.parametrize("all_of_it", [True, False])
def test_members_of_a_bus_whose_file_was_removed_meet_in_the_new_one(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    all_of_it: bool,  # noqa: FBT001 - pytest passes by name
) -> None:
    """Whoever starts later knows no other file; what the old one held is gone with it."""
    clock = SystemClock()
    with closing(SqliteBus(tmp_path / "bus.db", clock)) as early:
        before = early.subscribe("t", "g")
        early.publish("t", [Message("old", "{}")])
        remove(tmp_path, all_of_it=all_of_it)
        with closing(SqliteBus(tmp_path / "bus.db", clock)) as late:
            after = late.subscribe("t", "g")
            early.publish("t", [Message("1", "{}")])
            (first,) = after.poll(10, 5).messages
            late.publish("t", [Message("2", "{}")])
            batch = before.poll(10, 5)
            before.commit(batch)

    assert ["1", "2"] == [first.key, *(message.key for message in batch.messages)]
    assert "removed or replaced" in caplog.text


def test_a_bus_makes_its_file_anew_by_itself(tmp_path: Path) -> None:
    with closing(SqliteBus(tmp_path / "bus.db", SystemClock())) as bus:
        member = bus.subscribe("t", "g")
        bus.publish("t", [Message("1", "{}")])
        taken = member.poll(10, 5)
        remove(tmp_path, all_of_it=True)
        member.commit(taken)
        bus.publish("t", [Message("2", "{}")])

        assert ["2"] == [message.key for message in member.poll(10, 5).messages]
        assert (tmp_path / "bus.db").exists()


def test_the_log_of_a_file_that_was_replaced_is_not_taken_for_the_new_ones(tmp_path: Path) -> None:
    """Whoever moves a file into the place of one that is open leaves the old one's log beside it."""
    path, new = tmp_path / "some.db", tmp_path / "new.db"
    with closing(sqlite3.connect(new)) as connection:
        connection.execute("CREATE TABLE t (x)")
        connection.execute("INSERT INTO t VALUES ('new')")
        connection.commit()
    with closing(Database(path, synchronous="NORMAL", code="SYS_SOME")) as database:
        database.create({"t": "CREATE TABLE IF NOT EXISTS t (x)"})
        with database.write() as connection:
            connection.execute("INSERT INTO t VALUES ('old')")
        new.replace(path)
        with database.write() as connection:
            connection.execute("INSERT INTO t VALUES ('more')")
            found = connection.execute("SELECT x FROM t").fetchall()
            assert ("ok",) == connection.execute("PRAGMA integrity_check").fetchone()

    assert [("new",), ("more",)] == found


def test_a_file_that_was_removed_is_waited_for_where_it_is_not_ours_to_make(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    with closing(Database(path, synchronous="NORMAL", code="SYS_SOME")) as database:
        aside = path.rename(tmp_path / "aside.db")
        with pytest.raises(Transient, match="was removed; put it back"), database.write():
            raise AssertionError
        assert not path.exists()
        aside.rename(path)
        with database.write() as connection:
            connection.execute("CREATE TABLE t (x)")


def test_whoever_listens_is_told_that_the_file_cannot_be_looked_at(tmp_path: Path) -> None:
    """A file stands where its folder was: neither there nor removed. Once it is back all is as before."""
    home = tmp_path / "home"
    home.mkdir()
    path = home / "some.db"
    with (
        closing(Database(path, synchronous="NORMAL", code="SYS_SOME")) as database,
        closing(Changes(path, "SYS_SOME")) as changes,
    ):
        aside = home.rename(tmp_path / "aside")
        home.write_bytes(b"")
        with pytest.raises(Permanent, match=r"SYS_SOME: .* Not a directory"):
            changes.wait(0)
        home.unlink()
        aside.rename(home)
        database.create({"t": "CREATE TABLE IF NOT EXISTS t (x)"})

        assert changes.wait(0)
