from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from contracts.small_disk import small_disk
from contracts.worktable import WorktableContract
from contracts.worktable_people import NOON, change, fetch, ids, ref_of
from reportbus.adapters.worktable import sqlite_tables as tables
from reportbus.adapters.worktable.sqlite import MAX_FETCH, SqliteWorktable
from reportbus.core.errors import Permanent, Transient
from reportbus.core.model import Status
from servers.parts import PartMissing, leave_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from reportbus.ports import Worktable


class SqlitePeople:
    """Clients with a plain connection of their own."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.connection.row_factory = sqlite3.Row

    def add(self, request_id: object, **columns: object) -> None:
        self._insert(
            "REPORT_REQUESTS",
            {"REPORT_TYPE": "PYTHON", "REPORT_NAME": "a", **columns, "REQUEST_ID": request_id},
        )

    def add_target(self, config_id: str, request_id: str, **columns: object) -> None:
        ids_ = {"CONFIG_ID": config_id, "REQUEST_ID": request_id}
        self._insert("DISTRIBUTION_CONFIG", {"TARGET_TYPE": "NAS", **columns, **ids_})

    def change(self, request_id: str, **columns: object) -> None:
        for name, value in columns.items():
            statement = f"UPDATE REPORT_REQUESTS SET {name} = ? WHERE REQUEST_ID = ?"  # noqa: S608 - a test's own
            self.connection.execute(statement, (value, request_id))

    def remove(self, request_id: str) -> None:
        self.connection.execute("DELETE FROM REPORT_REQUESTS WHERE REQUEST_ID = ?", (request_id,))

    def row(self, request_id: str) -> Mapping[str, object]:
        find = "SELECT * FROM REPORT_REQUESTS WHERE REQUEST_ID = ?"
        columns = dict(self.connection.execute(find, (request_id,)).fetchone())
        for name in ("PROCESSED_AT", "COMPLETED_AT"):
            if columns[name] is not None:
                columns[name] = datetime.fromisoformat(columns[name]).replace(tzinfo=UTC)
        return columns

    def _insert(self, table: str, columns: Mapping[str, object]) -> None:
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 - a test's own
        self.connection.execute(statement, list(columns.values()))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "worktable.db"


@pytest.fixture
def worktable(path: Path) -> Iterator[SqliteWorktable]:
    with closing(SqliteWorktable(path)) as worktable:
        yield worktable


@pytest.fixture
def open_worktable(path: Path) -> Iterator[Callable[[], Worktable]]:
    opened: list[SqliteWorktable] = []

    def open_() -> Worktable:
        opened.append(SqliteWorktable(path))
        return opened[-1]

    yield open_
    for worktable in opened:
        worktable.close()


@pytest.fixture
def people(path: Path, worktable: Worktable) -> Iterator[SqlitePeople]:
    people = SqlitePeople(path)
    with closing(people.connection):
        yield people


class TestSqliteWorktable(WorktableContract):
    pass


def test_the_file_has_the_specifications_two_tables_and_no_others(
    worktable: Worktable, people: SqlitePeople
) -> None:
    found = people.connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    assert [name for (name,) in found] == ["DISTRIBUTION_CONFIG", "REPORT_REQUESTS"]
    for table, columns in (
        ("REPORT_REQUESTS", tables.REQUEST_COLUMNS),
        ("DISTRIBUTION_CONFIG", tables.TARGET_COLUMNS),
    ):
        info = people.connection.execute("SELECT name FROM pragma_table_info(?) ORDER BY cid", (table,))
        assert tuple(name for (name,) in info) == columns


def test_what_was_committed_survives_a_power_cut(worktable: SqliteWorktable) -> None:
    with worktable._database.read() as connection:
        full = 2
        assert connection.execute("PRAGMA synchronous").fetchone() == (full,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_request_inserted_with_its_targets_in_one_transaction_is_seen_with_them(
    worktable: Worktable, people: SqlitePeople
) -> None:
    people.connection.execute("BEGIN")
    people.add("R-1")
    assert ids(fetch(worktable)) == []
    people.add_target("C-1", "R-1")
    people.connection.execute("COMMIT")
    assert [len(row.distribution) for row in fetch(worktable)] == [1]


def test_bytes_come_as_text_and_what_is_no_utf8_as_lone_surrogates(
    worktable: Worktable, people: SqlitePeople
) -> None:
    people.add(b"R-1", PARAMETERS=b'{"a": 1}', REPORT_NAME=b"\xff\xfe", PRIORITY=b"high")
    people.connection.execute("UPDATE REPORT_REQUESTS SET REQUESTED_BY = CAST(x'61ff' AS TEXT)")
    (row,) = fetch(worktable)
    found = {name: row.columns[name] for name in ("REQUEST_ID", "PARAMETERS", "REPORT_NAME", "PRIORITY")}
    assert found == {
        "REQUEST_ID": "R-1",
        "PARAMETERS": '{"a": 1}',
        "REPORT_NAME": "\udcff\udcfe",
        "PRIORITY": "high",
    }
    assert row.columns["REQUESTED_BY"] == "a\udcff"
    worktable.stamp([row.ref], NOON)
    assert ids(fetch(worktable)) == []


@pytest.mark.parametrize("request_id", [b"\xff\x00", b"R-1", "with \x00 in it"])
def test_a_row_is_found_again_by_an_id_of_bytes(
    worktable: Worktable, people: SqlitePeople, request_id: object
) -> None:
    people.add(request_id)
    (row,) = fetch(worktable)
    assert row.ref.isascii()
    assert worktable.write_back([change(row.ref, Status.FAILED, NOON)]) == 1


def test_numbers_stay_what_they_are(worktable: Worktable, people: SqlitePeople) -> None:
    for number, priority in enumerate((2**63 - 1, 1.5, float("inf"))):
        people.add(f"R-{number}", PRIORITY=priority)
    assert [row.columns["PRIORITY"] for row in fetch(worktable)] == [1.5, 2**63 - 1, float("inf")]


def test_a_value_too_long_for_any_message_is_cut_where_that_shows(
    worktable: Worktable, people: SqlitePeople
) -> None:
    people.add("R-1", PARAMETERS="x" * 2_000_000)
    (row,) = fetch(worktable)
    assert row.columns["PARAMETERS"] == "x" * (tables.MAX_VALUE + 1)


def test_a_fetch_of_long_rows_ends_early_so_that_memory_stays_small(
    worktable: Worktable, people: SqlitePeople
) -> None:
    count = MAX_FETCH // tables.MAX_VALUE + 10
    people.connection.execute("BEGIN")
    for number in range(count):
        people.add(f"R-{number:03}", PARAMETERS="x" * tables.MAX_VALUE)
    people.connection.execute("COMMIT")
    first = fetch(worktable)
    assert 1 < len(first) < count
    worktable.stamp([row.ref for row in first], NOON)
    assert len(first) + len(fetch(worktable)) == count


@pytest.mark.parametrize("stamped", ["", "never", "2026-11-01T13:00:00Z", "2099-01-01", 0, 1.7e9, b"\xff"])
def test_whatever_somebody_puts_into_processed_at_a_pending_row_comes_up_within_a_week(
    worktable: Worktable, people: SqlitePeople, stamped: object
) -> None:
    people.add("R-1", PROCESSED_AT=stamped)
    seen = [worktable.fetch(1, again=1, published_before=NOON + timedelta(days=day)) for day in range(8)]
    assert any(seen)


def test_a_fetch_costs_the_same_however_many_rows_are_finished_or_wait_for_their_answer(
    worktable: SqliteWorktable, people: SqlitePeople
) -> None:
    def steps() -> int:
        taken = 0

        def step() -> int:
            nonlocal taken
            taken += 1
            return 0

        connection = worktable._database._connection
        connection.set_progress_handler(step, 1)
        try:
            assert ids(fetch(worktable)) == ["new"]
        finally:
            connection.set_progress_handler(None, 0)
        return taken

    people.add("new")
    alone = steps()
    people.connection.execute("BEGIN")
    for number in range(1_000):
        people.add(f"done-{number}", STATUS="COMPLETED", PROCESSED_AT="2026-10-01 10:00:00")
        people.add(f"published-{number}", PROCESSED_AT="2026-11-01 12:00:00.000000")
    people.connection.execute("COMMIT")
    assert steps() <= alone + 10


def test_a_table_made_by_somebody_else_works_if_it_has_the_columns(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE TABLE report_requests ({', '.join(tables.REQUEST_COLUMNS)}, note)")
        connection.execute(
            "INSERT INTO report_requests (request_id, report_type, status) VALUES (7, 'SSRS', 'PENDING')"
        )
        connection.commit()
    with closing(SqliteWorktable(path)) as worktable:
        (row,) = fetch(worktable)
        assert row.columns["REPORT_TYPE"] == "SSRS"
        assert worktable.write_back([change(row.ref, Status.IN_PROGRESS)]) == 1


def test_a_table_that_lacks_a_column_is_refused_by_its_name(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE REPORT_REQUESTS (REQUEST_ID, REPORT_TYPE, STATUS)")
    with pytest.raises(Permanent, match="no column COMPLETED_AT, DISTRIBUTION_CONFIG, PARAMETERS") as refused:
        SqliteWorktable(path)
    assert refused.value.code == "SYS_WORKTABLE_SCHEMA"


def test_a_column_that_goes_missing_later_is_named(worktable: Worktable, people: SqlitePeople) -> None:
    people.add("R-1")
    people.connection.execute("ALTER TABLE REPORT_REQUESTS RENAME COLUMN REPORT_NAME TO TITLE")
    with pytest.raises(Permanent, match="REPORT_NAME") as refused:
        fetch(worktable)
    assert refused.value.code == "SYS_WORKTABLE_SCHEMA"


def test_an_insert_without_a_value_the_table_wants_is_refused_by_the_columns_name(
    worktable: Worktable,
) -> None:
    with pytest.raises(Permanent, match="REPORT_NAME") as refused:
        worktable.insert([{"REQUEST_ID": "R-1", "REPORT_TYPE": "SSRS"}])
    assert refused.value.code == "SYS_WORKTABLE_SCHEMA"


@pytest.mark.parametrize("value", [2**63, "\ud800"])
def test_a_value_that_sqlite_cannot_hold_is_refused(worktable: Worktable, value: int | str) -> None:
    with pytest.raises(Permanent) as refused:
        worktable.insert([{"REQUEST_ID": "R-1", "REPORT_TYPE": "SSRS", "REPORT_NAME": value}])
    assert refused.value.code == "SYS_WORKTABLE"


def test_objects_and_lists_are_inserted_as_json(worktable: Worktable, people: SqlitePeople) -> None:
    worktable.insert(
        [{"REQUEST_ID": "R-1", "REPORT_TYPE": "SSRS", "REPORT_NAME": "a", "PARAMETERS": {"n": [1, None]}}]
    )
    assert people.row("R-1")["PARAMETERS"] == '{"n": [1, null]}'


def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    path.write_bytes(b"REQUEST_ID;REPORT_TYPE\n" * 100)
    with pytest.raises(Permanent, match="not a database") as refused:
        SqliteWorktable(path)
    assert refused.value.code == "SYS_WORKTABLE"


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match="nowhere") as refused:
        SqliteWorktable(tmp_path / "nowhere" / "worktable.db")
    assert refused.value.code == "SYS_WORKTABLE"


def test_a_closed_worktable_says_so(worktable: Worktable) -> None:
    worktable.close()
    with pytest.raises(Permanent, match="closed") as refused:
        fetch(worktable)
    assert refused.value.code == "SYS_WORKTABLE"


def test_a_full_disk_passes(tmp_path: Path) -> None:
    try:
        with (
            small_disk(tmp_path / "disk", 1_024) as disk,
            closing(SqliteWorktable(disk / "w.db")) as worktable,
        ):
            row = {"REPORT_TYPE": "SSRS", "REPORT_NAME": "a"}
            worktable.insert([{**row, "REQUEST_ID": "small"}])
            with pytest.raises(Transient) as full:
                worktable.insert([{**row, "REQUEST_ID": "large", "PARAMETERS": "x" * 2_000_000}])
            assert full.value.code == "ServiceUnavailable"
            worktable.write_back([change(ref_of(worktable, "small"), Status.IN_PROGRESS)])
            assert ids(fetch(worktable)) == []
    except PartMissing as missing:
        leave_out(missing)


def test_many_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    start = threading.Barrier(8)

    def open_(number: int) -> None:
        start.wait(10)
        with closing(SqliteWorktable(tmp_path / "worktable.db")) as worktable:
            worktable.insert([{"REQUEST_ID": f"R-{number}", "REPORT_TYPE": "SSRS", "REPORT_NAME": "a"}])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(open_, range(8)))
    with closing(SqliteWorktable(tmp_path / "worktable.db")) as worktable:
        assert len(fetch(worktable)) == 8


def test_reading_goes_on_while_somebody_has_a_transaction_open(
    worktable: Worktable, people: SqlitePeople
) -> None:
    people.add("R-1")
    people.connection.execute("BEGIN IMMEDIATE")
    people.change("R-1", PRIORITY=1)
    assert ref_of(worktable, "R-1")
    people.connection.execute("ROLLBACK")
