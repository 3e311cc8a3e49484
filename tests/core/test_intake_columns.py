from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.worktable_rows import NOW, RULES, codes, fields, good, read, row
from reportbus.core.errors import Problem
from reportbus.core.intake import IntakeRules, RawRow


def test_a_complete_row_becomes_a_complete_request() -> None:
    request = good(row())

    assert request.request_id == "R-1"
    assert request.report_type == "PYTHON"
    assert request.report_name == "/Finance/Monthly"
    assert request.format == "PDF"
    assert request.file_name == "Monthly_R-1.pdf"
    assert request.parameters == {"region": "N", "as_of": "2026-10-31"}
    assert request.priority == 5
    assert request.requested_by == "analyst"
    assert request.requested_at == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    assert request.expires_at == NOW + timedelta(days=1)


@pytest.mark.parametrize(
    "request_id",
    [None, "", "   ", "x" * 40, "'; DROP TABLE x;--", "../../x", "a\nb", "..", "ä", 17, True, "a\u202eb"],
)
def test_a_row_without_usable_id_is_on_record_under_a_made_up_one(request_id: object) -> None:
    reading = read(row(REQUEST_ID=request_id))

    assert [problem.code for problem in reading.problems] == ["VAL_REQUEST_ID"]
    assert reading.request_id.startswith("invalid-")
    assert len(reading.request_id) <= 36


def test_two_rows_without_id_are_two_records_and_one_row_delivered_twice_is_one() -> None:
    first, again, second = (read(row(ref=ref, REQUEST_ID=None)) for ref in ("1", "1", "2"))

    assert first.request_id == again.request_id
    assert first.request_id != second.request_id


def test_an_id_is_brought_into_its_one_form_once() -> None:
    """Blanks around it are no part of it, its case is."""
    assert good(row(REQUEST_ID=" R-1 ")).request_id == "R-1"
    assert good(row(REQUEST_ID="r-1")).request_id == "r-1"
    assert read(row(REQUEST_ID=" R-1 ")).digest == read(row(REQUEST_ID="R-1")).digest


@pytest.mark.parametrize("written", ["PYTHON", "python", " Python "])
def test_a_report_type_is_known_in_any_case(written: str) -> None:
    assert good(row(REPORT_TYPE=written)).report_type == "PYTHON"


@pytest.mark.parametrize("written", [None, "", "CRYSTAL", 5, "PYTHON\x00", "x" * 10_000])
def test_an_unknown_report_type_is_refused_and_the_known_ones_are_named(written: object) -> None:
    reading = read(row(REPORT_TYPE=written))

    assert [problem.code for problem in reading.problems] == ["VAL_REPORT_TYPE"]
    assert "have PYTHON, SSRS" in reading.problems[0].text
    assert len(reading.problems[0].text) < 400
    assert len(reading.report_type) <= 50


def test_a_report_type_that_is_switched_off_is_told_from_an_unknown_one() -> None:
    assert codes(row(REPORT_TYPE="obiee")) == ["VAL_ENGINE_DISABLED"]


@pytest.mark.parametrize(
    "name", [None, "", "  ", "x" * 256, "a\u202egpj.exe", "a\u200bb", "a\tb", 5, "\ud800"]
)
def test_a_report_name_that_is_not_what_it_looks_like_is_refused(name: object) -> None:
    reading = read(row(REPORT_NAME=name))

    assert [problem.code for problem in reading.problems] == ["VAL_REPORT_NAME"]
    reading.report_name.encode()
    assert len(reading.report_name) <= 255


@pytest.mark.parametrize("name", ["🎉", "Übersicht", "売上", "x" * 255, "a/b\\c", "..", "/", "🎉" * 255])
def test_an_odd_but_honest_report_name_makes_a_file_name_all_the_same(name: str) -> None:
    assert good(row(REPORT_NAME=name)).file_name.endswith("R-1.pdf")


@pytest.mark.parametrize("text", ["null", None])
def test_no_parameters_are_an_empty_object(text: str | None) -> None:
    assert good(row(PARAMETERS=text)).parameters == {}


@pytest.mark.parametrize("parameters", ['"{}"', "[]", "1", "true", 5, True, '"x"'])
def test_parameters_that_are_no_object_are_refused(parameters: object) -> None:
    reading = read(row(PARAMETERS=parameters))

    assert [problem.code for problem in reading.problems] == ["VAL_PARAMETERS_TYPE"]


def test_a_row_that_was_cut_is_said_to_be_too_large_and_not_how_large_it_is() -> None:
    """Nobody counted it: only so much of each value was read."""
    (problem,) = read(RawRow("1", {"REQUEST_ID": "R-1"} | dict(row().columns), cut=262_285)).problems

    assert problem.code == "VAL_TOO_LARGE"
    assert problem.text == "the row has more than 262,144 bytes, the most allowed; it was not read further"


def test_a_text_that_holds_json_gets_a_hint_at_what_went_wrong() -> None:
    assert "store the object itself" in read(row(PARAMETERS='"{}"')).problems[0].text


def test_a_variant_column_is_taken_as_text_and_as_what_the_text_means() -> None:
    written = good(row(PARAMETERS='{"a": [1, null]}', DISTRIBUTION_CONFIG='{"targets": "none"}'))
    meant = good(row(PARAMETERS={"a": [1, None]}, DISTRIBUTION_CONFIG={"targets": "none"}))

    assert written == meant


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "VAL_JSON"),
        ("{", "VAL_JSON"),
        ("{'a': 1}", "VAL_JSON"),
        ('{"a": NaN}', "VAL_JSON_NUMBER"),
        ('{"a": Infinity}', "VAL_JSON_NUMBER"),
        ('{"a": 1e999}', "VAL_JSON_NUMBER"),
        ('{"a": ' + "1" * 5_000 + "}", "VAL_JSON_NUMBER"),
        ('{"a": 1, "a": 2}', "VAL_JSON_DUPLICATE_KEY"),
        ('{"a": "\\u0000"}', "VAL_CONTROL_CHAR"),
        ('{"a": "\\ud800"}', "VAL_ENCODING"),
        ('{"a": "\ud800"}', "VAL_ENCODING"),
        ('{"a":' * 100 + "1" + "}" * 100, "VAL_JSON_DEPTH"),
        ('{"a":' * 100_000, "VAL_TOO_LARGE"),
        ("[" * 100_000, "VAL_JSON_DEPTH"),
        ('{"a": "' + "x" * 300_000 + '"}', "VAL_TOO_LARGE"),
    ],
)
@pytest.mark.parametrize("column", ["PARAMETERS", "DISTRIBUTION_CONFIG"])
def test_json_that_two_readers_could_read_differently_is_refused(column: str, text: str, code: str) -> None:
    assert codes(row(**{column: text})) == [code]
    assert fields(row(**{column: text}))[0].startswith(column)


@pytest.mark.parametrize("value", [{"a": float("nan")}, {"a": float("inf")}, {"a": 10**30}])
def test_a_variant_given_as_data_is_held_to_the_same_rules(value: object) -> None:
    assert codes(row(PARAMETERS=value)) == ["VAL_JSON_NUMBER"]


def test_a_variant_given_as_data_that_is_nested_without_end_is_refused() -> None:
    nested: object = {}
    for _ in range(100_000):
        nested = [nested]

    assert codes(row(PARAMETERS=nested)) == ["VAL_JSON_DEPTH"]


@pytest.mark.parametrize("priority", range(1, 10))
def test_priorities_go_from_1_to_9(priority: int) -> None:
    assert good(row(PRIORITY=priority)).priority == priority


def test_no_priority_is_5() -> None:
    assert good(row(PRIORITY=None)).priority == 5


@pytest.mark.parametrize(
    "priority", [0, 10, -1, "5", 5.0, 5.5, True, float("nan"), float("inf"), 10**400, [5]]
)
def test_any_other_priority_is_refused(priority: object) -> None:
    reading = read(row(PRIORITY=priority))

    assert [problem.code for problem in reading.problems] == ["VAL_PRIORITY"]
    assert reading.priority == 5


@pytest.mark.parametrize("requester", ["root", "a@example.com", "Zoë", "x" * 100])
def test_a_requester_is_one_line(requester: str) -> None:
    assert good(row(REQUESTED_BY=requester)).requested_by == requester


@pytest.mark.parametrize("requester", ["a\nBcc: b", "x" * 101, "a\x00", "a\u202eb", 5, True, "\ud800"])
def test_a_requester_that_could_break_a_mail_or_a_log_is_refused(requester: object) -> None:
    reading = read(row(REQUESTED_BY=requester))

    assert [problem.code for problem in reading.problems] == ["VAL_REQUESTED_BY"]
    reading.requested_by.encode()
    assert "\n" not in reading.requested_by
    assert len(reading.requested_by) <= 100


@pytest.mark.parametrize("requester", [None, "", "  "])
def test_a_requester_may_be_missing_unless_the_rules_ask_for_one(requester: object) -> None:
    strict = replace_rules(requester_required=True)

    assert good(row(REQUESTED_BY=requester)).requested_by == ""
    assert codes(row(REQUESTED_BY=requester), strict) == ["VAL_REQUESTED_BY"]


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-01 06:30:00",
        "2026-11-01T06:30:00Z",
        "2026-11-01 07:30:00+01:00",
        "2026-11-01 06:30",
        "2026-11-01 06:30:00.000",
        "2026-11-01 06:30:00.000000000",
    ],
)
def test_a_time_is_utc_unless_it_says_otherwise(written: str) -> None:
    assert good(row(REQUESTED_AT=written)).requested_at == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)


def test_no_time_is_now() -> None:
    assert good(row(REQUESTED_AT=None)).requested_at == NOW


@pytest.mark.parametrize(
    "written",
    [
        "2099-01-01 00:00:00",
        "2026-11-01 07:05:01",
        "2026-02-30 00:00:00",
        "31/10/26",
        "yesterday",
        "",
        "0001-01-01T00:00:00+14:00",
        "\uff12\uff10\uff12\uff16-11-01 06:30:00",
        1_700_000_000,
        1e12,
        True,
        {"at": 1},
    ],
)
def test_a_time_in_the_future_and_what_is_no_time_are_refused(written: object) -> None:
    reading = read(row(REQUESTED_AT=written))

    assert [problem.code for problem in reading.problems] == ["VAL_REQUESTED_AT"]
    assert reading.requested_at == NOW


def test_a_clock_that_is_a_little_ahead_is_forgiven() -> None:
    assert good(row(REQUESTED_AT="2026-11-01 07:05:00")).requested_at > NOW


def test_a_request_from_long_ago_has_expired() -> None:
    assert codes(row(REQUESTED_AT="1970-01-01 00:00:00")) == ["VAL_EXPIRED"]
    assert codes(row(REQUESTED_AT="2026-11-01 05:59:59"), replace_rules(max_age=3_600)) == ["VAL_EXPIRED"]


def test_the_deadline_runs_from_intake_on_so_that_waiting_for_it_costs_no_time() -> None:
    request = good(row(REQUESTED_AT="2026-10-30 06:30:00"), replace_rules(deadline=600))

    assert request.expires_at == NOW + timedelta(seconds=600)


def test_what_the_engine_finds_wrong_is_reported_with_the_rest() -> None:
    bad = row(REPORT_NAME="unheard_of", PARAMETERS='{"region": "nowhere"}', PRIORITY=0)

    assert codes(bad) == ["VAL_PRIORITY", "VAL_REPORT_UNKNOWN", "VAL_PARAM_TYPE"]


@pytest.mark.parametrize("format_", ["CSV", "csv", " Csv "])
def test_a_format_is_known_in_any_case(format_: str) -> None:
    request = good(row(config={"format": format_, "targets": "none"}))

    assert (request.format, request.file_name) == ("CSV", "Monthly_R-1.csv")


@pytest.mark.parametrize("format_", ["", "DOC", 5, ["CSV"], "CSV;"])
def test_an_unknown_format_is_refused(format_: object) -> None:
    assert codes(row(config={"format": format_, "targets": "none"})) == ["VAL_FORMAT"]


def test_the_engine_says_which_formats_there_are_instead_where_it_is_known() -> None:
    """Not those that other engines make."""

    def only_csv(_name: str, _parameters: object, format_: str) -> list[Problem]:
        return [] if format_ == "CSV" else [Problem("VAL_FORMAT", f"no {format_}; have CSV", "format")]

    doc = row(config={"format": "doc", "targets": "none"})
    (told,) = read(doc, replace_rules(engines={"PYTHON": only_csv})).problems
    (untold,) = read(doc).problems
    bad = read(
        row(PARAMETERS="[]", config={"format": "doc", "targets": "none"}),
        replace_rules(engines={"PYTHON": only_csv}),
    ).problems

    assert told.text == "no DOC; have CSV"
    assert [problem.text for problem in bad if problem.code == "VAL_FORMAT"] == ["no DOC; have CSV"]
    assert untold.text.startswith("there is no format 'DOC'; have CSV, DOCX, HTML")


def test_what_could_not_be_read_is_not_held_against_the_engine() -> None:
    def strict(_name: str, parameters: object, format_: str) -> list[Problem]:
        wrong = [] if format_ == "CSV" else [Problem("VAL_FORMAT", "no such format")]
        return wrong + ([] if parameters else [Problem("VAL_PARAM_MISSING", "one is needed")])

    rules = replace_rules(engines={"PYTHON": strict})

    assert codes(row(DISTRIBUTION_CONFIG="{"), rules) == ["VAL_JSON"]
    assert codes(row(PARAMETERS="{", config={"format": "CSV", "targets": "none"}), rules) == ["VAL_JSON"]
    assert codes(row(PARAMETERS="{", DISTRIBUTION_CONFIG="{"), rules) == ["VAL_JSON", "VAL_JSON"]


def test_a_format_the_engine_does_not_have_is_refused_by_the_engine() -> None:
    assert codes(row(config={"format": "ZIP", "targets": "none"})) == ["VAL_FORMAT"]


def test_rules_with_an_impossible_default_format_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="no format 'DOC'; have"):
        IntakeRules(engines={}, default_format="DOC")


def replace_rules(**changed: object) -> IntakeRules:
    return replace(RULES, **changed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("type_", "why"),
    [("obiee", "has no adapter yet"), ("DEMO", "is switched off"), ("PYTHON", "is not configured")],
)
def test_a_known_report_type_without_an_engine_is_refused_with_why(type_: str, why: str) -> None:
    rules = replace(RULES, engines={}, absent={**RULES.absent, "PYTHON": "is not configured"})
    (problem,) = read(row(REPORT_TYPE=type_), rules).problems

    assert problem.code == "VAL_ENGINE_DISABLED"
    assert problem.text == f"the engine {type_.upper()} {why}; there are none"
