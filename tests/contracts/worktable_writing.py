"""What every worktable does with what is written to it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.worktable_people import (
    NOON,
    People,
    change,
    expected,
    fetch,
    ids,
    ref_of,
)
from reportbus.core.errors import Permanent
from reportbus.core.model import TERMINAL, Status

if TYPE_CHECKING:
    from reportbus.ports import Worktable


class WorktableWriting:
    """Write back and insert."""

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
