from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal

import pytest

from core.worktable_rows import codes, entry, good, read, row
from reportbus.core.intake import RawRow, row_from_text, row_to_text
from reportbus.core.intake.message import MAX_MESSAGE

SAMPLE_1 = (
    '{"v":1,"ref":"17-4021","columns":{"REQUEST_ID":"R-1","REPORT_TYPE":"PYTHON","REPORT_NAME":"sales",'
    '"PARAMETERS":"{\\"region\\":\\"Süd\\"}","DISTRIBUTION_CONFIG":null,"PRIORITY":5,"REQUESTED_BY":null,'
    '"REQUESTED_AT":"2026-11-01 06:30:00","STATUS":"PENDING","PROCESSED_AT":null,"COMPLETED_AT":null},'
    '"distribution":[{"CONFIG_ID":"C-1","REQUEST_ID":"R-1","TARGET_TYPE":"NAS","TARGET_PATH":"in",'
    '"CREDENTIALS_SECRET":null,"ENABLED":1}]}'
)
"""A message as version 1 writes it. It never changes: messages wait on the bus while versions come and go."""

SAMPLE_1_CUT = (
    '{"v":1,"ref":"17-4021","columns":{"REQUEST_ID":"R-1","REPORT_TYPE":"PYTHON","REPORT_NAME":"sales"},'
    '"cut":{"bytes":16777216,"sha256":"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}}'
)
"""A message of a row that was too large, as version 1 writes it."""


def test_a_message_of_version_1_is_read_and_written_as_ever() -> None:
    read_back = row_from_text(SAMPLE_1)

    assert row_to_text(read_back.ref, read_back.columns, read_back.distribution) == SAMPLE_1
    assert good(read_back).parameters == {"region": "Süd"}
    assert good(read_back).targets[0].path == "in"


def test_a_cut_message_of_version_1_is_read_as_ever() -> None:
    read_back = row_from_text(SAMPLE_1_CUT)

    assert read_back.cut == 16_777_216
    assert codes(read_back) == ["VAL_TOO_LARGE"]
    assert read(read_back).digest.startswith("9f86d081")


def test_a_row_comes_through_the_bus_as_it_was() -> None:
    sent = row(entry("SFTP", "in"), entry("EMAIL", "a@corp.com"))

    assert row_from_text(row_to_text(sent.ref, sent.columns, sent.distribution)) == sent


def test_fields_of_a_later_version_are_passed_over() -> None:
    later = json.loads(SAMPLE_1) | {"published_by": "poller-7"}
    later["columns"]["COST_CENTRE"] = "4711"

    assert good(row_from_text(json.dumps(later))).request_id == "R-1"
    assert read(row_from_text(json.dumps(later))).digest == read(row_from_text(SAMPLE_1)).digest


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        "{",
        "[" * 100_000,
        '{"v":2,"ref":"1","columns":{}}',
        '{"v":1,"ref":1,"columns":{}}',
        '{"v":1,"ref":"1","columns":[]}',
        '{"ref":"1","columns":{}}',
        '{"v":1,"ref":"1","columns":{},"distribution":{}}',
        '{"v":1,"ref":"1","columns":{},"distribution":[1]}',
        '{"v":1,"ref":"1","columns":{"PRIORITY":' + "1" * 5_000 + "}}",
        '{"v":1,"ref":"1","columns":{},"x":"' + "x" * MAX_MESSAGE + '"}',
    ],
)
def test_a_text_that_is_no_such_message_is_no_row(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        row_from_text(text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b'{"a": 1}', '{"a": 1}'),
        (b"\xff", "\udcff"),
        (bytearray(b"x"), "x"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (1.5, 1.5),
        (2**63, "0x8000000000000000"),
        pytest.param(-(10**5_000), hex(-(10**5_000)), id="beyond-all-bounds"),
        (Decimal("1.5"), "1.5"),
        (datetime(2026, 11, 1), "2026-11-01 00:00:00"),  # noqa: DTZ001 - as a column without zone is read
        ({"a": [1, None]}, '{"a": [1, null]}'),
        ({"a": float("nan")}, '{"a": NaN}'),
        ({"a": b"x"}, '{"a": "b\'x\'"}'),
        ({(1, 2): 1}, "a dict that JSON cannot hold"),
        ("\ud800", "\ud800"),
        ("\x00", "\x00"),
    ],
)
def test_odd_values_are_made_fit_for_json(value: object, expected: object) -> None:
    text = row_to_text("1", {"REQUEST_ID": "R-1", "PARAMETERS": value})

    text.encode()
    assert row_from_text(text).columns["PARAMETERS"] == expected


def test_a_value_nested_without_end_is_made_fit_for_json() -> None:
    nested: list[object] = []
    for _ in range(100_000):
        nested = [nested]

    assert "JSON cannot hold" in row_to_text("1", {"PARAMETERS": nested})


@pytest.mark.parametrize(
    "huge",
    ["x" * 16_777_216, "ü" * 131_000, "\x00" * 50_000, "\ud800" * 50_000],
    ids=["ascii", "two-bytes", "escaped", "half"],
)
@pytest.mark.parametrize("column", ["PARAMETERS", "REPORT_NAME", "REQUEST_ID"])
def test_a_row_too_large_for_the_bus_is_cut_to_what_says_which_one_it_was(column: str, huge: str) -> None:
    sent = row(**{column: huge})
    text = row_to_text(sent.ref, sent.columns, sent.distribution)
    reading = read(row_from_text(text))

    assert len(text.encode()) <= MAX_MESSAGE
    assert reading.problems[0].code == "VAL_TOO_LARGE"
    assert reading.request is None
    assert column == "REQUEST_ID" or reading.request_id == "R-1"


def test_many_targets_are_too_large_as_well() -> None:
    sent = row(*[entry("NAS", "x" * 500)] * 1_000)

    assert codes(row_from_text(row_to_text(sent.ref, sent.columns, sent.distribution))) == ["VAL_TOO_LARGE"]


def test_a_row_too_large_has_a_digest_of_all_it_holds() -> None:
    digests = {
        read(row_from_text(row_to_text("1", columns, distribution))).digest
        for columns, distribution in (
            ({"REQUEST_ID": "R-1", "PARAMETERS": "x" * 300_000}, ()),
            ({"REQUEST_ID": "R-1", "PARAMETERS": "x" * 300_000, "STATUS": "PENDING"}, ()),
            ({"REQUEST_ID": "R-1", "PARAMETERS": "x" * 300_001}, ()),
            ({"REQUEST_ID": "R-1", "PARAMETERS": "x" * 300_000}, ({"TARGET_PATH": "in"},)),
        )
    }

    assert len(digests) == 3


@pytest.mark.parametrize("size", [MAX_MESSAGE - 400, MAX_MESSAGE - 1, MAX_MESSAGE, MAX_MESSAGE + 1])
def test_no_message_is_larger_than_the_bus_takes(size: int) -> None:
    assert len(row_to_text("1", {"REQUEST_ID": "R-1", "PARAMETERS": "x" * size}).encode()) <= MAX_MESSAGE


def test_a_cut_row_is_told_by_itself_and_not_by_what_it_claims() -> None:
    """A forged size of nothing is still a cut row, and is refused."""
    assert row_from_text(SAMPLE_1_CUT.replace("16777216", "0")).cut == 1
    assert isinstance(row_from_text(SAMPLE_1_CUT), RawRow)
