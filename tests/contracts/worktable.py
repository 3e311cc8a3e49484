"""What every worktable does."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

from contracts.worktable_people import (
    NOON,
    WAIT_SECONDS,
    People,
    change,
    fetch,
    ids,
    ref_of,
    until_quiet,
)
from contracts.worktable_reading import WorktableReading
from contracts.worktable_writing import WorktableWriting
from reportbus.core.model import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from reportbus.core.model import JsonValue
    from reportbus.ports import Worktable


class WorktableContract(WorktableReading, WorktableWriting):
    """The subclass has three fixtures: `worktable`, an empty one, `open_worktable` for more, and `people`."""

    def test_waiting_ends_with_the_commit_of_another_client(
        self, worktable: Worktable, people: People
    ) -> None:
        until_quiet(worktable)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(worktable.changed, WAIT_SECONDS)
            people.add("R-1")
            assert waiting.result(WAIT_SECONDS / 2)

    def test_a_commit_between_fetching_and_waiting_is_not_missed(
        self, worktable: Worktable, people: People
    ) -> None:
        until_quiet(worktable)
        fetch(worktable)
        people.add("R-1")
        assert worktable.changed(WAIT_SECONDS)

    def test_waiting_ends_with_an_insert_of_this_process(self, worktable: Worktable) -> None:
        until_quiet(worktable)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(worktable.changed, WAIT_SECONDS)
            worktable.insert([{"REQUEST_ID": "R-1", "REPORT_TYPE": "PYTHON", "REPORT_NAME": "a"}])
            assert waiting.result(WAIT_SECONDS / 2)

    def test_waiting_ends_by_itself_where_nothing_happens(self, worktable: Worktable) -> None:
        until_quiet(worktable)
        assert not worktable.changed(0.05)

    def test_four_pollers_see_every_row_and_end_with_none_left(
        self, worktable: Worktable, open_worktable: Callable[[], Worktable], people: People
    ) -> None:
        """A row may be seen by two of them: taking each in once is the ledger's part."""
        names = [f"R-{number:04}" for number in range(1_000)]
        worktable.insert(
            [{"REQUEST_ID": name, "REPORT_TYPE": "PYTHON", "REPORT_NAME": "a"} for name in names]
        )

        def poll(own: Worktable) -> list[JsonValue]:
            seen: list[JsonValue] = []
            while rows := fetch(own, limit=37):
                seen += ids(rows)
                own.stamp([row.ref for row in rows], NOON)
                own.write_back([change(row.ref, Status.IN_PROGRESS) for row in rows])
            return seen

        with ThreadPoolExecutor(4) as pool:
            seen = list(pool.map(poll, [worktable, *(open_worktable() for _ in range(3))]))
        assert {request_id for some in seen for request_id in some} == set(names)
        assert {people.row(name)["STATUS"] for name in names[::100]} == {"IN_PROGRESS"}

    def test_people_insert_while_rows_are_fetched_and_written_back(
        self, worktable: Worktable, people: People
    ) -> None:
        names = {f"R-{number}" for number in range(100)}
        done = threading.Event()

        def insert() -> None:
            for name in names:
                people.add(name)
            done.set()

        seen: set[JsonValue] = set()
        with ThreadPoolExecutor(1) as pool:
            inserting = pool.submit(insert)
            while not done.is_set() or fetch(worktable, limit=1):
                rows = fetch(worktable, limit=10)
                seen.update(ids(rows))
                worktable.stamp([row.ref for row in rows], NOON)
                worktable.write_back([change(row.ref, Status.COMPLETED, NOON) for row in rows])
            inserting.result(WAIT_SECONDS)
        assert seen == names

    def test_closing_twice_is_harmless_and_what_was_written_stays(
        self, worktable: Worktable, open_worktable: Callable[[], Worktable], people: People
    ) -> None:
        people.add("R-1")
        worktable.stamp([ref_of(worktable, "R-1")], NOON)
        worktable.close()
        worktable.close()
        assert ids(open_worktable().fetch(10, again=10, published_before=NOON + timedelta(days=1))) == ["R-1"]

    def test_closing_sends_away_who_waits(self, worktable: Worktable) -> None:
        until_quiet(worktable)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(worktable.changed, WAIT_SECONDS)
            worktable.close()
            assert not waiting.result(WAIT_SECONDS / 2)
