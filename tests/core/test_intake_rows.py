from __future__ import annotations

import json
import string
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.worktable_rows import NOW, codes, entry, good, read, row
from reportbus.core.codec import request_from_text, request_to_text
from reportbus.core.codes import CODES
from reportbus.core.errors import MAX_PROBLEMS, Problem
from reportbus.core.intake import RawRow, Reading, refuse_row, row_from_text, row_to_text
from reportbus.core.intake.message import BODY, DISTRIBUTION, HEADING

BAD_EVERYWHERE = row(
    entry("SCP"),
    entry("NAS", "../x"),
    entry(ENABLED="false"),
    REQUEST_ID="../../x",
    REPORT_TYPE="CRYSTAL",
    REPORT_NAME="",
    PARAMETERS="[]",
    config={"format": "DOC", "file_name": "{{", "notify": 5, "targets": [{"type": "SFTP", "path": "CON"}]},
    PRIORITY=0,
    REQUESTED_BY="a\nb",
    REQUESTED_AT="yesterday",
)


def test_all_that_is_wrong_with_a_row_is_said_at_once() -> None:
    assert codes(BAD_EVERYWHERE) == [
        "VAL_REQUEST_ID",
        "VAL_REPORT_TYPE",
        "VAL_REPORT_NAME",
        "VAL_PRIORITY",
        "VAL_REQUESTED_BY",
        "VAL_REQUESTED_AT",
        "VAL_PARAMETERS_TYPE",
        "VAL_FORMAT",
        "TPL_SYNTAX",
        "CFG_TARGET_TYPE",
        "CFG_BOOL",
        "CFG_SMB_NAME",
        "SEC_PATH",
        "CFG_TYPE",
    ]


def test_no_more_than_twenty_problems_are_listed() -> None:
    reading = read(row(config={"targets": [{"type": "SCP"}] * 50}))

    assert len(reading.problems) == MAX_PROBLEMS


def test_a_bad_configuration_does_not_hide_what_is_wrong_in_the_table() -> None:
    """And a request is not said to have no targets where they could not be read."""
    assert codes(row(entry("SCP"), DISTRIBUTION_CONFIG="{")) == ["VAL_JSON", "CFG_TARGET_TYPE"]
    assert codes(row(DISTRIBUTION_CONFIG="{")) == ["VAL_JSON"]


def test_a_request_survives_being_written_down() -> None:
    request = good(
        row(
            entry("SFTP", "in"),
            config={
                "targets": [{"type": "EMAIL", "to": "a@corp.com", "cc": ["b@corp.com"], "body": "x\ny"}],
                "notify": [{"type": "LOG", "on": "FAILED"}],
            },
        )
    )

    assert request_from_text(request_to_text(request)) == request


# -- content and digest


def digest(raw: RawRow) -> str:
    return read(raw).digest


@pytest.mark.parametrize(
    "same",
    [
        row(STATUS="FAILED"),
        row(PROCESSED_AT="2026-11-01 06:31:00", COMPLETED_AT="2026-11-01 06:32:00"),
        row(PARAMETERS='{ "as_of":"2026-10-31",\n"region":"N" }'),
        row(PARAMETERS={"as_of": "2026-10-31", "region": "N"}),
        row(PARAMETERS='{"region": "\\u004e", "as_of": "2026-10-31"}'),
        row(ref="2"),
        row(REQUEST_ID="R-1 "),
    ],
)
def test_the_same_request_written_otherwise_has_the_same_digest(same: RawRow) -> None:
    assert digest(same) == digest(row())


@pytest.mark.parametrize(
    "other",
    [
        row(REQUEST_ID="R-2"),
        row(REPORT_TYPE="SSRS"),
        row(REPORT_NAME="x"),
        row(PARAMETERS='{"region": "S", "as_of": "2026-10-31"}'),
        row(PARAMETERS=None),
        row(config={"targets": "none"}),
        row(PRIORITY=6),
        row(REQUESTED_BY="somebody else"),
        row(REQUESTED_AT="2026-11-01 06:30:01"),
        row(entry("SFTP", "in")),
    ],
)
def test_another_request_has_another_digest(other: RawRow) -> None:
    assert digest(other) != digest(row())


def test_the_order_of_table_rows_is_no_part_of_the_content() -> None:
    one, two = entry("SFTP", "in"), entry("S3", "in", CONFIG_ID="C-2")

    assert digest(row(one, two)) == digest(row(two, one))


def test_the_content_is_the_row_as_json() -> None:
    content = json.loads(read(row(entry("SFTP", "in"))).content)

    assert content["REQUEST_ID"] == "R-1"
    assert content["PARAMETERS"] == {"region": "N", "as_of": "2026-10-31"}
    assert content["DISTRIBUTION"][0]["TARGET_PATH"] == "in"
    assert "STATUS" not in content


@pytest.mark.parametrize(
    "odd",
    ["\ud800", float("nan"), [[["x"]]], 10**5_000, "\x00"],
    ids=["half", "nan", "list", "beyond-all-bounds", "nul"],
)
@pytest.mark.parametrize("column", ["REPORT_NAME", "PRIORITY", "REQUESTED_BY"])
def test_a_row_that_is_no_json_has_a_content_and_a_digest_all_the_same(column: str, odd: object) -> None:
    reading = read(row(entry(), entry(CONFIG_ID="C-2"), **{column: odd}))

    assert reading.problems
    reading.content.encode()
    assert json.loads(reading.content)
    assert len(reading.digest) == 64
    assert reading.digest != digest(row(entry(), entry(CONFIG_ID="C-2")))


def test_a_row_can_be_refused_unread() -> None:
    reading = refuse_row(row(), Problem("SYS_INTERNAL", "a fault"), NOW)

    assert reading.request is None
    assert (reading.ref, reading.request_id, reading.report_name) == ("1", "R-1", "/Finance/Monthly")
    assert [problem.code for problem in reading.problems] == ["SYS_INTERNAL"]
    assert refuse_row(row(REQUEST_ID="?"), Problem("SYS_INTERNAL", "x"), NOW).request_id.startswith(
        "invalid-"
    )


# -- whatever comes

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.text(st.characters(), max_size=30)
    | st.sampled_from(
        ["R-1", "PYTHON", "none", "EMAIL", "NAS", "a@corp.com", "sftp://acme/%2e%2e", "{{ report }}.pdf"]
    )
)
FIELDS = (
    "format file_name targets notify type destination path to cc subject body on enabled credentials_secret"
)
KEYS = st.sampled_from(FIELDS.split()) | st.text(max_size=5)
GARBAGE = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=20,
)
COLUMNS = st.dictionaries(
    st.sampled_from((*HEADING, *BODY, "STATUS")),
    GARBAGE | GARBAGE.map(json.dumps) | st.text(string.printable, max_size=40),
)
TARGET_ROWS = st.lists(st.dictionaries(st.sampled_from(DISTRIBUTION), GARBAGE), max_size=4)


def _is_whole(reading: Reading) -> None:
    """Either a request or problems; fit for the ledger's columns; every code documented."""
    assert (reading.request is None) == bool(reading.problems)
    assert len(reading.problems) <= MAX_PROBLEMS
    for text, width in (
        (reading.request_id, 36),
        (reading.digest, 64),
        (reading.report_type, 50),
        (reading.report_name, 255),
        (reading.requested_by, 100),
    ):
        assert len(text.encode()) >= len(text)
        assert len(text) <= width
        assert "\n" not in text
        assert "\x00" not in text
    reading.content.encode()
    assert 1 <= reading.priority <= 9
    for problem in reading.problems:
        assert problem.code in CODES or problem.code in {"VAL_REPORT_UNKNOWN", "VAL_PARAM_TYPE"}
        assert problem.text.encode()
        assert problem.field.encode() or not problem.field
        assert len(problem.text) < 1_500


@settings(max_examples=400, deadline=1_000)
@given(columns=COLUMNS, distribution=TARGET_ROWS)
def test_any_row_is_a_request_or_a_list_of_problems(
    columns: dict[str, object], distribution: list[dict[str, object]]
) -> None:
    raw = row(*distribution, **columns)
    direct = read(raw)
    _is_whole(direct)
    by_bus = read(row_from_text(row_to_text(raw.ref, raw.columns, raw.distribution)))
    _is_whole(by_bus)

    assert direct.request is None or by_bus.request == direct.request


@settings(max_examples=200, deadline=1_000)
@given(config=GARBAGE)
def test_any_configuration_of_a_good_row_is_read_in_bounded_time(config: object) -> None:
    _is_whole(read(row(DISTRIBUTION_CONFIG=config)))


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({f"key{number}": 1 for number in range(15_000)}),
        json.dumps({"targets": [{"type": "NAS"}] * 15_000}),
        json.dumps({"targets": [{"type": "EMAIL", "to": [""] * 60_000}]}),
        json.dumps({"targets": [{"type": "EMAIL", "to": ["a@corp.com"] * 900, "body": "{{\n" * 3_000}] * 40}),
        json.dumps({"targets": [{f"field{number}": 1 for number in range(300)} | {"type": "NAS"}] * 50}),
        json.dumps({"notify": [{"type": "EMAIL", "to": ["x" * 100] * 900}] * 3}),
        json.dumps({"notify": [[]] * 60_000}),
        json.dumps({"file_name": "{{ a }}" * 30_000}),
        json.dumps({"targets": [{"type": "x" * 4_000}] * 50}),
        "[" + "[]," * 80_000 + "[]]",
    ],
    ids=range(10),
)
def test_a_row_made_to_be_slow_is_refused_in_under_a_second(text: str) -> None:
    started = process_time()
    reading = read(row(DISTRIBUTION_CONFIG=text))

    assert process_time() - started < 1
    assert reading.problems
    _is_whole(reading)
