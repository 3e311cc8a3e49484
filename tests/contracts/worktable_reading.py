"""What every worktable does with the rows that people insert."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from contracts.worktable_people import (
    LONG_AGO,
    NOON,
    People,
    change,
    fetch,
    ids,
    ref_of,
)
from reportbus.core.model import Status

if TYPE_CHECKING:
    from reportbus.ports import Worktable


class WorktableReading:
    """Fetch and stamp."""

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

    def test_a_stamped_row_comes_again_once_its_time_is_up(
        self, worktable: Worktable, people: People
    ) -> None:
        people.add("R-1")
        worktable.stamp([ref_of(worktable, "R-1")], NOON)
        assert people.row("R-1")["PROCESSED_AT"] == NOON
        assert ids(worktable.fetch(10, again=10, published_before=NOON)) == []
        assert ids(worktable.fetch(10, again=10, published_before=NOON + timedelta(microseconds=1))) == [
            "R-1"
        ]

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

    def test_new_rows_come_first_and_then_those_published_longest_ago(
        self, worktable: Worktable, people: People
    ) -> None:
        for priority in (5, 4, 3, 2, 1):
            people.add(f"R-{priority}", PRIORITY=priority)
        for hours, request_id in enumerate(["R-1", "R-5", "R-3"], 1):
            worktable.stamp([ref_of(worktable, request_id)], LONG_AGO - timedelta(hours=hours))

        assert ids(fetch(worktable)) == ["R-2", "R-4", "R-3", "R-5", "R-1"]
        assert ids(fetch(worktable, limit=1)) == ["R-2", "R-3"]

    def test_no_row_is_fetched_again_where_none_is_asked_for(
        self, worktable: Worktable, people: People
    ) -> None:
        people.add("R-1")
        people.add("R-2")
        worktable.stamp([ref_of(worktable, "R-1")], LONG_AGO - timedelta(hours=1))

        assert ids(worktable.fetch(10, again=0, published_before=LONG_AGO)) == ["R-2"]

    def test_rows_that_show_an_id_with_blanks_around_it_are_found_with_it(
        self, worktable: Worktable, people: People
    ) -> None:
        for request_id in ("R-1", " R-1 ", "R-1x", "r-1"):
            people.add(request_id)
        assert [row.columns["REQUEST_ID"] for row in worktable.alike("R-1")] == ["R-1", " R-1 "]
        assert list(worktable.alike("R-3")) == []

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
