from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import click
from click.testing import CliRunner

from reportbus.core.model import Status
from reportbus.entry.actions.shapes import plain, utc
from reportbus.entry.cli.context import Root
from reportbus.entry.cli.output import cell
from reportbus.entry.cli.table import Column, cut, places_of, table_lines

CANARY = "CANARY-s3cr3t"

NAMES = (Column("ID"), Column("NAME", gives=True), Column("N", right=True))


def test_columns_stand_under_their_titles_and_numbers_to_the_right() -> None:
    assert list(table_lines(NAMES, [["a", "sales", "5"], ["bcd", "x", "1200"]], None)) == [
        "ID   NAME      N",
        "a    sales     5",
        "bcd  x      1200",
    ]


def test_a_table_is_no_wider_than_the_terminal_and_shows_where_it_was_cut() -> None:
    lines = list(table_lines(NAMES, [["a", "a very long report name indeed", "5"]], 24))
    assert max(map(places_of, lines)) <= 24
    assert lines[1] == "a   a very long repo…  5"


def test_what_goes_elsewhere_than_to_a_terminal_is_never_cut() -> None:
    name = "n" * 500
    assert name in list(table_lines(NAMES, [["a", name, "5"]], None))[1]


def test_the_last_column_is_wrapped_under_itself() -> None:
    columns = (Column("PART"), Column("WHAT WAS FOUND", gives=True))
    assert list(table_lines(columns, [["disk", "there is no room left on it"]], 22)) == [
        "PART  WHAT WAS FOUND",
        "disk  there is no room",
        "      left on it",
    ]


def test_wide_and_combining_characters_take_the_places_they_take() -> None:
    assert places_of("報告") == 4
    assert places_of("e\u0301") == 1
    assert cut("報告書類", 5) == "報告…"


def test_a_column_that_gives_way_keeps_a_readable_rest_however_narrow_the_terminal() -> None:
    lines = list(table_lines(NAMES, [["a", "a very long report name", "5"]], 3))
    assert lines[1] == "a   a very …  5"


def test_nothing_in_a_cell_moves_the_cursor() -> None:
    assert cell("a\x1b[2Jb\nc") == r"a\x1b[2Jb\nc"


def test_times_are_shown_in_utc_to_the_second() -> None:
    at = datetime(2026, 11, 1, 7, 30, 0, 999, tzinfo=timezone(timedelta(hours=1)))
    assert cell(at) == "2026-11-01T06:30:00Z"


@dataclass(frozen=True, slots=True)
class View:
    status: Status
    at: datetime
    paths: tuple[Path, ...]
    ends: frozenset[Status]


def test_json_has_the_fields_of_a_view_by_name_with_plain_values() -> None:
    view = View(Status.FAILED, datetime(2026, 11, 1, tzinfo=UTC), (Path("/srv"),), frozenset(Status))
    assert plain({"view": view, "missing": None}) == {
        "view": {
            "status": "FAILED",
            "at": "2026-11-01T00:00:00.000000Z",
            "paths": ["/srv"],
            "ends": sorted(Status),
        },
        "missing": None,
    }


def test_times_in_json_keep_their_microseconds() -> None:
    assert utc(datetime(2026, 11, 1, 0, 0, 0, 5, tzinfo=UTC)) == "2026-11-01T00:00:00.000005Z"


@click.command()
def broken() -> None:
    """Fails by a fault of its own, with a secret in its message."""
    raise ValueError(CANARY)


def test_a_fault_of_our_own_is_told_by_type_and_place_without_its_message() -> None:
    group = Root(name="group", lazy={"broken": (f"{__name__}:broken", "Fails.")})
    result = CliRunner(catch_exceptions=False).invoke(group, ["broken"])
    assert result.exit_code == 1
    first, *places = result.stderr.splitlines()
    assert first.startswith("SYS_INTERNAL: ValueError at ")
    assert any("in broken" in place for place in places)
    assert CANARY not in result.output
