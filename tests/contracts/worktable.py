"""What every worktable does."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reportbus.core.errors import Permanent
from reportbus.core.model import TERMINAL, Status
from reportbus.ports import WriteBack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reportbus.core.model import JsonValue
    from reportbus.ports import Worktable, WorktableRow

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
LONG_AGO = NOON - timedelta(days=1)
WAIT_SECONDS = 20

ORDER = (Status.PENDING, Status.IN_PROGRESS, Status.GENERATED, Status.DISTRIBUTED, Status.COMPLETED)


class People(Protocol):
    """Other clients of the table: every call is a committed transaction."""

    def add(self, request_id: str | None, **columns: object) -> None:
        """Insert a request; REPORT_TYPE and REPORT_NAME have a value where none is given."""

    def add_target(self, config_id: str, request_id: str, **columns: object) -> None:
        """Insert a row of DISTRIBUTION_CONFIG; TARGET_TYPE is NAS where none is given."""

    def change(self, request_id: str, **columns: object) -> None:
        """Update the request."""

    def remove(self, request_id: str) -> None:
        """Delete the request."""

    def row(self, request_id: str) -> Mapping[str, object]:
        """The request's columns; PROCESSED_AT and COMPLETED_AT as a datetime in UTC or None."""


def fetch(worktable: Worktable, limit: int = 1_000) -> Sequence[WorktableRow]:
    return worktable.fetch(limit, published_before=LONG_AGO)


def ids(rows: Sequence[WorktableRow]) -> list[JsonValue]:
    return [row.columns["REQUEST_ID"] for row in rows]


def ref_of(worktable: Worktable, request_id: str) -> str:
    return next(row.ref for row in fetch(worktable) if row.columns["REQUEST_ID"] == request_id)


def change(
    ref: str, status: Status, completed_at: datetime | None = None, *, reopened: bool = False
) -> WriteBack:
    return WriteBack(ref, "R-1", status, completed_at, reopened)


class WorktableContract:
    """The subclass has three fixtures: `worktable`, an empty one, `open_worktable` for more, and `people`."""

    # -- fetch ----------------------------------------------------------------------------------------------

    def test_a_row_that_anybody_inserts_is_fetched_as_it_stands(
        self, worktable: Worktable, people: People
    ) -> None:
        people.add(
            "R-1",
            REPORT_TYPE="PYTHON",
            REPORT_NAME="daily/sales",
            PARAMETERS='{"region": "Süd", "as_of": "2026-11-01"}',
            DISTRIBUTION_CONFIG='{"targets": []}',
            PRIORITY=3,
            REQUESTED_BY="ann",
            REQUESTED_AT="2026-11-01 10:00:00",
        )
        (row,) = fetch(worktable)
        assert row.columns == {
            "REQUEST_ID": "R-1",
            "REPORT_TYPE": "PYTHON",
            "REPORT_NAME": "daily/sales",
            "PARAMETERS": '{"region": "Süd", "as_of": "2026-11-01"}',
            "DISTRIBUTION_CONFIG": '{"targets": []}',
            "PRIORITY": 3,
            "REQUESTED_BY": "ann",
            "REQUESTED_AT": "2026-11-01 10:00:00",
            "STATUS": "PENDING",
            "PROCESSED_AT": None,
            "COMPLETED_AT": None,
        }
        assert row.distribution == ()

    def test_the_tables_defaults_fill_what_was_left_out(self, worktable: Worktable, people: People) -> None:
        people.add("R-1")
        people.add_target("C-1", "R-1")
        (row,) = fetch(worktable)
        requested_at = datetime.fromisoformat(str(row.columns["REQUESTED_AT"])).replace(tzinfo=UTC)
        assert abs(datetime.now(UTC) - requested_at) < timedelta(minutes=5)
        assert (row.columns["PRIORITY"], row.columns["STATUS"]) == (5, "PENDING")
        assert row.distribution[0]["ENABLED"] == 1

    def test_the_most_urgent_comes_first_then_the_oldest(self, worktable: Worktable, people: People) -> None:
        people.add("late", PRIORITY=5, REQUESTED_AT="2026-11-01 10:00:02")
        people.add("early", PRIORITY=5, REQUESTED_AT="2026-11-01 10:00:01")
        people.add("idle", PRIORITY=9, REQUESTED_AT="2026-10-01 10:00:00")
        people.add("urgent", PRIORITY=1, REQUESTED_AT="2026-11-01 10:00:03")
        assert ids(fetch(worktable)) == ["urgent", "early", "late", "idle"]
        assert ids(fetch(worktable, limit=2)) == ["urgent", "early"]

    @pytest.mark.parametrize("status", [status for status in Status if status != Status.PENDING])
    def test_only_pending_rows_are_fetched(
        self, worktable: Worktable, people: People, status: Status
    ) -> None:
        people.add("R-1", STATUS=status.value)
        assert ids(fetch(worktable)) == []

    @pytest.mark.parametrize("status", ["pending", "Pending", " PENDING ", "PENDING   "])
    def test_letter_case_and_blanks_of_the_status_do_not_matter(
        self, worktable: Worktable, people: People, status: str
    ) -> None:
        people.add("R-1", STATUS=status)
        (row,) = fetch(worktable)
        worktable.write_back([change(row.ref, Status.IN_PROGRESS)])
        assert people.row("R-1")["STATUS"] == "IN_PROGRESS"

    @pytest.mark.parametrize("status", [None, "", "NEW", "CANCELLED", "PENDING?"])
    def test_a_status_that_is_not_pending_is_left_alone(
        self, worktable: Worktable, people: People, status: str | None
    ) -> None:
        people.add("R-1", STATUS=status)
        assert ids(fetch(worktable)) == []

    def test_a_row_committed_late_with_an_early_time_is_fetched_like_any_other(
        self, worktable: Worktable, people: People
    ) -> None:
        people.add("R-1", REQUESTED_AT="2026-11-01 10:00:00")
        worktable.stamp([row.ref for row in fetch(worktable)], NOON)
        people.add("R-0", REQUESTED_AT="2026-11-01 09:00:00")
        assert ids(fetch(worktable)) == ["R-0"]

    @pytest.mark.parametrize(
        "odd",
        [
            {"PARAMETERS": "{", "DISTRIBUTION_CONFIG": "no json"},
            {"REQUESTED_AT": "yesterday"},
            {"REQUESTED_AT": "2026-11-01T10:00:00+01:00"},
            {"REQUESTED_AT": None, "REQUESTED_BY": None, "PRIORITY": None},
            {"PRIORITY": -1},
            {"REPORT_NAME": "a\nb\u202e\u0001", "REQUESTED_BY": "'; DROP TABLE REPORT_REQUESTS; --"},
        ],
    )
    def test_an_odd_row_comes_as_it_is_and_hinders_no_other(
        self, worktable: Worktable, people: People, odd: dict[str, object]
    ) -> None:
        people.add("odd", **odd)
        people.add("good")
        rows = {row.columns["REQUEST_ID"]: row for row in fetch(worktable)}
        assert rows.keys() == {"odd", "good"}
        assert {name: rows["odd"].columns[name] for name in odd} == odd

    @pytest.mark.parametrize("request_id", [None, "", " ", "'; --", "../../x", "a\nb", "Ü" * 36])
    def test_a_row_is_found_again_whatever_its_id_holds(
        self, worktable: Worktable, people: People, request_id: str | None
    ) -> None:
        people.add("R-1")
        people.add(request_id)
        (row,) = [row for row in fetch(worktable) if row.columns["REQUEST_ID"] == request_id]
        worktable.stamp([row.ref], NOON)
        assert worktable.write_back([change(row.ref, Status.FAILED, NOON)]) == 1
        assert ids(fetch(worktable)) == ["R-1"]

    def test_a_request_brings_its_distribution_rows_and_no_others(
        self, worktable: Worktable, people: People
    ) -> None:
        for number in (1, 2, 3):
            people.add(f"R-{number}", REQUESTED_AT=f"2026-11-01 10:00:0{number}")
        people.add_target(
            "C-1", "R-1", TARGET_PATH="sftp://acme/in", CREDENTIALS_SECRET="acme", ENABLED=False
        )
        people.add_target("C-2", "R-3")
        people.add_target("C-3", "R-1", TARGET_TYPE="EMAIL")
        rows = fetch(worktable)
        assert [[target["CONFIG_ID"] for target in row.distribution] for row in rows] == [
            ["C-1", "C-3"],
            [],
            ["C-2"],
        ]
        assert rows[0].distribution[0] == {
            "CONFIG_ID": "C-1",
            "REQUEST_ID": "R-1",
            "TARGET_TYPE": "NAS",
            "TARGET_PATH": "sftp://acme/in",
            "CREDENTIALS_SECRET": "acme",
            "ENABLED": False,
        }

    # -- stamp ----------------------------------------------------------------------------------------------

    def test_a_stamped_row_comes_again_once_its_time_is_up(
        self, worktable: Worktable, people: People
    ) -> None:
        people.add("R-1")
        worktable.stamp([ref_of(worktable, "R-1")], NOON)
        assert people.row("R-1")["PROCESSED_AT"] == NOON
        assert ids(worktable.fetch(10, published_before=NOON)) == []
        assert ids(worktable.fetch(10, published_before=NOON + timedelta(microseconds=1))) == ["R-1"]

    def test_stamping_may_be_repeated_and_passes_over_rows_that_are_gone(
        self, worktable: Worktable, people: People
    ) -> None:
        people.add("R-1")
        people.add("R-2")
        refs = [row.ref for row in fetch(worktable)]
        people.remove("R-1")
        for _ in range(2):
            worktable.stamp(refs, NOON)
        worktable.stamp([], NOON)
        assert people.row("R-2")["PROCESSED_AT"] == NOON

    def test_rows_never_published_and_rows_published_long_ago_come_in_one_order(
        self, worktable: Worktable, people: People
    ) -> None:
        for priority in (4, 3, 2, 1):
            people.add(f"R-{priority}", PRIORITY=priority)
        worktable.stamp([ref_of(worktable, "R-3"), ref_of(worktable, "R-1")], LONG_AGO - timedelta(hours=1))
        assert ids(fetch(worktable)) == ["R-1", "R-2", "R-3", "R-4"]
        assert ids(fetch(worktable, limit=3)) == ["R-1", "R-2", "R-3"]

    def test_a_row_is_found_by_its_id_whatever_its_status_and_unknown_ids_are_not(
        self, worktable: Worktable, people: People
    ) -> None:
        people.add("R-1", STATUS="ON HOLD", REPORT_NAME="sales")
        people.add_target("T-1", "R-1", TARGET_PATH="in")
        people.add("R-2")
        found = worktable.find("R-1")
        assert found is not None
        assert (found.columns["STATUS"], found.columns["REPORT_NAME"]) == ("ON HOLD", "sales")
        assert [row["TARGET_PATH"] for row in found.distribution] == ["in"]
        assert worktable.find("R-3") is None

    # -- write back -----------------------------------------------------------------------------------------

    def test_a_batch_of_changes_is_written_and_counted(self, worktable: Worktable, people: People) -> None:
        for number in range(3):
            people.add(f"R-{number}")
        refs = {row.columns["REQUEST_ID"]: row.ref for row in fetch(worktable)}
        changes = [
            change(refs["R-0"], Status.IN_PROGRESS),
            change(refs["R-1"], Status.COMPLETED, NOON),
            change(refs["R-2"], Status.FAILED, NOON + timedelta(seconds=1)),
        ]
        assert worktable.write_back(changes) == 3
        found = [people.row(f"R-{number}") for number in range(3)]
        assert [(row["STATUS"], row["COMPLETED_AT"]) for row in found] == [
            ("IN_PROGRESS", None),
            ("COMPLETED", NOON),
            ("FAILED", NOON + timedelta(seconds=1)),
        ]

    def test_writing_back_again_changes_nothing(self, worktable: Worktable, people: People) -> None:
        people.add("R-1")
        changes = [change(ref_of(worktable, "R-1"), Status.COMPLETED, NOON)]
        assert [worktable.write_back(changes), worktable.write_back(changes)] == [1, 0]
        assert worktable.write_back([]) == 0

    def test_rows_that_are_gone_are_passed_over(self, worktable: Worktable, people: People) -> None:
        people.add("R-1")
        people.add("R-2")
        refs = [ref_of(worktable, "R-1"), ref_of(worktable, "R-2")]
        people.remove("R-1")
        assert worktable.write_back([change(ref, Status.COMPLETED, NOON) for ref in refs]) == 1
        assert people.row("R-2")["STATUS"] == "COMPLETED"

    def test_a_row_that_came_after_one_was_deleted_does_not_get_its_status(
        self, worktable: Worktable, people: People
    ) -> None:
        people.add("mistyped")
        ref = ref_of(worktable, "mistyped")
        people.remove("mistyped")
        people.add("R-1")
        worktable.stamp([ref], NOON)
        assert worktable.write_back([change(ref, Status.COMPLETED, NOON)]) == 0
        assert ids(fetch(worktable)) == ["R-1"]

    def test_a_reference_that_is_none_of_this_table_is_passed_over(self, worktable: Worktable) -> None:
        strange = ["", "x", "1", "1-", "-", "99999999999999999999-1", "1; DROP TABLE REPORT_REQUESTS"]
        worktable.stamp(strange, NOON)
        assert worktable.write_back([change(ref, Status.COMPLETED, NOON) for ref in strange]) == 0

    def test_a_finished_row_that_somebody_sets_to_pending_is_set_right_again(
        self, worktable: Worktable, people: People
    ) -> None:
        people.add("R-1")
        finished = [change(ref_of(worktable, "R-1"), Status.COMPLETED, NOON)]
        worktable.write_back(finished)
        people.change("R-1", STATUS="PENDING")
        assert ids(fetch(worktable)) == ["R-1"]
        assert worktable.write_back(finished) == 1
        assert people.row("R-1")["STATUS"] == "COMPLETED"

    def test_a_status_that_nobody_knows_is_set_right(self, worktable: Worktable, people: People) -> None:
        people.add("R-1")
        ref = ref_of(worktable, "R-1")
        people.change("R-1", STATUS="on hold")
        assert worktable.write_back([change(ref, Status.GENERATED)]) == 1
        assert people.row("R-1")["STATUS"] == "GENERATED"

    def test_a_retry_takes_a_failed_row_on_its_way_again(self, worktable: Worktable, people: People) -> None:
        people.add("R-1")
        ref = ref_of(worktable, "R-1")
        worktable.write_back([change(ref, Status.FAILED, NOON)])
        assert worktable.write_back([change(ref, Status.GENERATED)]) == 0
        assert worktable.write_back([change(ref, Status.GENERATED, reopened=True)]) == 1
        row = people.row("R-1")
        assert (row["STATUS"], row["COMPLETED_AT"]) == ("GENERATED", None)

    @pytest.mark.parametrize("status", sorted(TERMINAL))
    def test_a_retry_may_have_ended_before_it_is_written_back(
        self, worktable: Worktable, people: People, status: Status
    ) -> None:
        people.add("R-1")
        ref = ref_of(worktable, "R-1")
        worktable.write_back([change(ref, Status.FAILED, NOON)])
        later = NOON + timedelta(hours=1)
        again = [change(ref, status, later, reopened=True)]
        assert [worktable.write_back(again), worktable.write_back(again)] == [1, 0]
        row = people.row("R-1")
        assert (row["STATUS"], row["COMPLETED_AT"]) == (status, later)

    def test_nothing_leaves_completed(self, worktable: Worktable, people: People) -> None:
        people.add("R-1")
        ref = ref_of(worktable, "R-1")
        worktable.write_back([change(ref, Status.COMPLETED, NOON)])
        changes = [
            change(ref, status, NOON, reopened=reopened) for status in Status for reopened in (True, False)
        ]
        assert worktable.write_back(changes) == 0
        assert people.row("R-1")["STATUS"] == "COMPLETED"

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(steps=st.lists(st.tuples(st.sampled_from(Status), st.booleans()), min_size=1, max_size=8))
    def test_whatever_is_written_back_in_whatever_order_a_row_never_moves_backwards(
        self, worktable: Worktable, people: People, steps: list[tuple[Status, bool]]
    ) -> None:
        people.add("R-1")
        ref = ref_of(worktable, "R-1")
        was = Status.PENDING
        for status, reopened in steps:
            written = worktable.write_back([change(ref, status, reopened=reopened)])
            now = Status(str(people.row("R-1")["STATUS"]))
            assert now == expected(was, status, reopened=reopened)
            assert written == (now != was)
            was = now
        people.remove("R-1")

    # -- insert ---------------------------------------------------------------------------------------------

    def test_inserted_rows_are_like_anybodys(self, worktable: Worktable, people: People) -> None:
        worktable.insert(
            [
                {"REQUEST_ID": "R-1", "REPORT_TYPE": "PYTHON", "REPORT_NAME": "a", "PARAMETERS": '{"n": 1}'},
                {"REQUEST_ID": "R-2", "REPORT_TYPE": "SSRS", "REPORT_NAME": "b", "PRIORITY": 1},
            ]
        )
        rows = fetch(worktable)
        assert ids(rows) == ["R-2", "R-1"]
        assert [row.columns["PRIORITY"] for row in rows] == [1, 5]
        assert people.row("R-1")["PARAMETERS"] == '{"n": 1}'
        worktable.insert([])

    def test_an_id_that_is_there_already_stops_the_whole_insert_and_is_named(
        self, worktable: Worktable, people: People
    ) -> None:
        people.add("R-1")
        people.add("R-2")
        rows = [{"REQUEST_ID": f"R-{n}", "REPORT_TYPE": "PYTHON", "REPORT_NAME": "a"} for n in (0, 1, 2, 3)]
        with pytest.raises(Permanent, match=r"2 .*'R-1', 'R-2'") as refused:
            worktable.insert(rows)
        assert refused.value.code == "VAL_DUPLICATE_ID_CONFLICT"
        assert set(ids(fetch(worktable))) == {"R-1", "R-2"}

    def test_an_id_twice_in_one_insert_stops_it(self, worktable: Worktable) -> None:
        row = {"REQUEST_ID": "R-1", "REPORT_TYPE": "PYTHON", "REPORT_NAME": "a"}
        with pytest.raises(Permanent, match="'R-1'") as refused:
            worktable.insert([row, row])
        assert refused.value.code == "VAL_DUPLICATE_ID_CONFLICT"
        assert ids(fetch(worktable)) == []

    def test_a_row_with_a_column_the_table_has_not_is_refused(self, worktable: Worktable) -> None:
        with pytest.raises(Permanent, match="COLOUR"):
            worktable.insert(
                [{"REQUEST_ID": "R-1", "REPORT_TYPE": "PYTHON", "REPORT_NAME": "a", "COLOUR": "blue"}]
            )
        assert ids(fetch(worktable)) == []

    # -- news -----------------------------------------------------------------------------------------------

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

    # -- several at once ------------------------------------------------------------------------------------

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

    # -- closing --------------------------------------------------------------------------------------------

    def test_closing_twice_is_harmless_and_what_was_written_stays(
        self, worktable: Worktable, open_worktable: Callable[[], Worktable], people: People
    ) -> None:
        people.add("R-1")
        worktable.stamp([ref_of(worktable, "R-1")], NOON)
        worktable.close()
        worktable.close()
        assert ids(open_worktable().fetch(10, published_before=NOON + timedelta(days=1))) == ["R-1"]

    def test_closing_sends_away_who_waits(self, worktable: Worktable) -> None:
        until_quiet(worktable)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(worktable.changed, WAIT_SECONDS)
            worktable.close()
            assert not waiting.result(WAIT_SECONDS / 2)


def until_quiet(worktable: Worktable) -> None:
    """Hear the old news."""
    while worktable.changed(0.0):
        pass


def expected(was: Status, asked: Status, *, reopened: bool) -> Status:
    """Where a row stands after a change."""
    if was in TERMINAL:
        return asked if reopened and was == Status.FAILED else was
    return asked if asked == Status.FAILED or ORDER.index(asked) > ORDER.index(was) else was
