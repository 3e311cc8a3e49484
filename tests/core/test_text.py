from __future__ import annotations

import re
import sqlite3
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportbus.core.text import SHOWN_WIDTH, clean, have, one_line, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

ANY_TEXT = st.text(st.characters())  # lone surrogates included


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("plain text, Zürich 日本 📈", "plain text, Zürich 日本 📈"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("no\xa0break", "no\xa0break"),
        ("a\x00b", r"a\x00b"),
        ("a\rb", r"a\rb"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\x7fb\x85c", r"a\x7fb\x85c"),
        ("half \ud800", r"half \ud800"),
        ("gpj.\u202eexe", r"gpj.\u202eexe"),
        ("a\u2066b\u2069", r"a\u2066b\u2069"),
        ("a\u2028b", r"a\u2028b"),
        ("\ufeffbom", r"\ufeffbom"),
        ("", ""),
    ],
)
def test_what_cannot_be_stored_is_escaped_visibly(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned
    assert clean(text, 1_000) == cleaned


def test_one_line_escapes_line_breaks_and_tabs_too() -> None:
    assert one_line("a\nb\r\nc\td") == r"a\nb\r\nc\td"
    assert one_line("plain") == "plain"


@pytest.mark.parametrize(
    ("text", "width", "cut"),
    [
        ("x" * 40, 40, "x" * 40),
        ("x" * 41, 40, "x" * 19 + "…[cut, 41 characters]"),
        ("x" * 41, 21, "…[cut, 41 characters]"),
        ("x" * 41, 20, "x" * 19 + "…"),
        ("x" * 41, 1, "…"),
        ("x" * 41, 0, ""),
        ("x" * 41, -3, ""),
        ("\0" * 10, 40, r"\x00" * 10),
        ("\0" * 11, 40, r"\x00" * 4 + r"\x0" + "…[cut, 11 characters]"),
    ],
)
def test_long_text_is_cut_with_a_marker_that_fits_the_width(text: str, width: int, cut: str) -> None:
    assert clean(text, width) == cut


def test_the_marker_counts_the_whole_text() -> None:
    assert clean("y" * 10_000_000, 100).endswith("…[cut, 10000000 characters]")


def test_ten_megabytes_are_cut_before_they_are_looked_at() -> None:
    text = "\0\ud800" * 5_000_000
    started = time.process_time()

    assert len(clean(text, 4_000)) == 4_000
    assert time.process_time() - started < 1.0  # to look at all of it takes several


def test_an_offending_value_is_shown_in_quotes_on_one_line_and_cut() -> None:
    assert quoted("a\nb") == r"'a\nb'"
    assert len(quoted("x" * 5_000)) == SHOWN_WIDTH + 2


@given(ANY_TEXT, st.none() | st.integers(-5, 60))
def test_cleaned_text_always_encodes_and_holds_no_control_character(text: str, width: int | None) -> None:
    for cleaned in (clean(text, width), one_line(text, width)):
        cleaned.encode("utf-8")
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", cleaned)
        assert width is None or len(cleaned) <= max(width, 0)


@given(ANY_TEXT)
def test_one_line_is_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1


@given(ANY_TEXT, st.integers(0, 60))
def test_cleaning_twice_is_cleaning_once(text: str, width: int) -> None:
    assert clean(clean(text, width), width) == clean(text, width)


@given(ANY_TEXT)
def test_a_database_gives_cleaned_text_back_unchanged(text: str) -> None:
    with sqlite3.connect(":memory:") as database:
        stored = database.execute("SELECT ?", (clean(text),)).fetchone()[0]
    database.close()

    assert stored == clean(text)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], "there are none"),
        (["b", "a"], "have a, b"),
        (
            {str(number): "" for number in range(10, 25)},
            "have 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21 and 3 more",
        ),
    ],
)
def test_what_there_is_instead_reads_well_for_none_some_and_many(names: Iterable[str], said: str) -> None:
    assert have(names) == said
