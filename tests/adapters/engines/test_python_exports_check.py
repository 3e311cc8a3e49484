from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from adapters.engines.export_bench import REQUESTED_AT, ExportBench, MemorySink
from reportbus.adapters.engines.python.moments import MOMENTS, day_of, moment_of
from reportbus.adapters.engines.python.parameters import Parameter
from reportbus.core.codes import CODES
from reportbus.core.errors import Permanent, Refused

if TYPE_CHECKING:
    from reportbus.adapters.engines.python.engine import PythonEngine
    from reportbus.core.model import JsonValue

ARABIC_THREE = "\N{ARABIC-INDIC DIGIT THREE}"
TYPES = ("text", "integer", "decimal", "number", "boolean", "date", "timestamp")


@pytest.fixture
def engine() -> PythonEngine:
    parameters: dict[str, Any] = {name: {"type": name} for name in TYPES}
    limits: dict[str, Any] = {
        "needed": {"type": "text", "required": True},
        "limited": {"type": "integer", "minimum": 1, "maximum": 9},
        "coded": {"type": "text", "pattern": "[A-Z]{2}", "max_length": 2},
        "chosen": {"type": "text", "allowed": ["N", "S"]},
        "several": {"type": "integer", "list": True, "maximum": 9, "max_items": 3},
    }
    names = [*parameters, *limits]
    return ExportBench().engine(
        sql="SELECT " + ", ".join(f"${name}" for name in names),
        parameters={**parameters, **limits},
        formats=["CSV", "PDF"],
    )


def codes(engine: PythonEngine, **parameters: JsonValue) -> list[tuple[str, str]]:
    found = engine.check("report", {"needed": "x", **parameters}, "CSV")
    return [(problem.code, problem.field) for problem in found]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("date", "2026-02-30"),
        ("date", "31/12/26"),
        ("date", "yesterday"),
        ("date", "2026-2-3"),
        ("date", 20260203),
        ("date", f"2026-02-0{ARABIC_THREE}"),
        ("date", "2026-02-03T00:00:00"),
        ("integer", True),
        ("integer", "1_000"),
        ("integer", " 5 "),
        ("integer", ARABIC_THREE),
        ("integer", "5"),
        ("integer", 5.0),
        ("number", True),
        ("number", "5"),
        ("number", float("inf")),
        ("number", float("nan")),
        ("decimal", True),
        ("decimal", "1_000"),
        ("decimal", " 5 "),
        ("decimal", "5,0"),
        ("decimal", "1e3"),
        ("decimal", "NaN"),
        ("decimal", ARABIC_THREE),
        ("boolean", 1),
        ("boolean", "true"),
        ("text", 5),
        ("text", ["x"]),
        ("text", {"x": 1}),
        ("timestamp", "2026-02-03"),
        ("timestamp", "2026-02-30T00:00:00"),
        ("timestamp", "now"),
        ("timestamp", "2026-02-03T25:00:00Z"),
        ("several", 5),
        ("several", [1, "2"]),
        ("several", [1, True]),
        ("several", [1, None]),
    ],
)
def test_a_value_of_another_type_is_refused_by_name(
    engine: PythonEngine, name: str, value: JsonValue
) -> None:
    assert [("VAL_PARAM_TYPE", f"PARAMETERS.{name}")] == codes(engine, **{name: value})


DAY = "has to be a day of the calendar as YYYY-MM-DD"
TIME = "has to be a time as YYYY-MM-DDTHH:MM:SS, with Z or an offset where it is not UTC"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("date", "2026-02-30", f"{DAY}; there is no day 2026-02-30"),
        ("date", "31/12/26", f"{DAY}; got 31/12/26"),
        ("date", "31.12.2026", f"{DAY}; got 31.12.2026"),
        ("date", "yesterday", f"{DAY}; got text"),
        ("date", "4111111111111111", f"{DAY}; got text"),
        ("date", 20260203, f"{DAY}; got a number"),
        ("timestamp", "2026-02-03T25:00:00Z", f"{TIME}; there is no time 2026-02-03T25:00:00Z"),
        ("timestamp", "2026-02-03", f"{TIME}; got 2026-02-03"),
        ("integer", "2026-02-03", "has to be a whole number; got text"),
    ],
)
def test_what_is_no_date_is_shown_where_it_is_one_in_another_form_or_on_no_calendar(
    engine: PythonEngine, name: str, value: JsonValue, said: str
) -> None:
    """Other texts are not: they may be secrets."""
    (problem,) = engine.check("report", {"needed": "x", name: value}, "CSV")

    assert problem.text == f"parameter {name!r} {said}"


def test_a_format_that_is_none_is_refused_with_those_of_the_report(engine: PythonEngine) -> None:
    (problem,) = engine.check("report", {"needed": "x"}, "DOC")

    assert (problem.code, problem.field) == ("VAL_FORMAT", "DISTRIBUTION_CONFIG.format")
    assert problem.text == "report 'report' has no format 'DOC'; have CSV, PDF"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limited", 0),
        ("limited", 10),
        ("integer", 2**63),
        ("integer", 10**400),
        ("number", 10**400),
        ("coded", "ab"),
        ("coded", "ABC"),
        ("coded", "AB\n"),
        ("chosen", "W"),
        ("text", "x" * 1001),
        ("several", [1, 2, 3, 4]),
        ("several", list(range(10_000))),
        ("several", [10]),
    ],
)
def test_a_value_outside_its_limits_is_refused_by_name(
    engine: PythonEngine, name: str, value: JsonValue
) -> None:
    assert [("VAL_PARAM_LIMIT", f"PARAMETERS.{name}")] == codes(engine, **{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("text", ""),
        ("text", "Zürich 😀"),
        ("integer", -(2**63) + 1),
        ("decimal", "-12.50"),
        ("decimal", 12),
        ("decimal", 12.5),
        ("number", 1),
        ("boolean", False),
        ("date", "2024-02-29"),
        ("timestamp", "2026-02-03T10:00:00.5+02:00"),
        ("timestamp", "2026-02-03 10:00:00"),
        ("limited", 9),
        ("coded", "AB"),
        ("several", []),
        ("several", [1, 2, 3]),
        ("date", None),
    ],
)
def test_a_good_value_passes(engine: PythonEngine, name: str, value: JsonValue) -> None:
    assert [] == codes(engine, **{name: value})


def test_everything_wrong_is_told_at_once(engine: PythonEngine) -> None:
    found = engine.check("report", {"date": "soon", "limited": 99, "chosn": "N"}, "XLS")
    assert {"VAL_FORMAT", "VAL_PARAM_TYPE", "VAL_PARAM_LIMIT", "VAL_PARAM_UNKNOWN", "VAL_PARAM_MISSING"} == {
        problem.code for problem in found
    }
    assert all(problem.code in CODES for problem in found)
    assert any("did you mean 'chosen'?" in problem.text for problem in found)


def test_a_required_parameter_that_is_null_is_missing(engine: PythonEngine) -> None:
    assert [("VAL_PARAM_MISSING", "PARAMETERS.needed")] == codes(engine, needed=None)


def test_a_refused_value_is_not_shown(engine: PythonEngine) -> None:
    """It may be a secret that somebody put into the wrong place."""
    wrong: dict[str, JsonValue] = dict.fromkeys(("date", "integer", "boolean", "decimal"), "CANARY-s3cr3t")
    texts = [problem.text for problem in engine.check("report", {**wrong, "chosen": "CANARY-s3cr3t"}, "CSV")]
    assert texts
    assert not any("CANARY" in text for text in texts)


def test_an_unknown_report_is_refused_with_near_names() -> None:
    engine = ExportBench().engine(sql="SELECT 1")
    (problem,) = engine.check("reprot", {}, "CSV")
    assert ("VAL_REPORT_UNKNOWN", "REPORT_NAME") == (problem.code, problem.field)
    assert "did you mean 'report'?" in problem.text
    with pytest.raises(Permanent, match="VAL_REPORT_UNKNOWN"):
        engine.generate(ExportBench().work("CSV", name="reprot"), MemorySink())


def test_a_bad_request_is_refused_before_anything_is_written() -> None:
    bench, sink = ExportBench(), MemorySink()
    engine = bench.engine(sql="SELECT $n", parameters={"n": {"type": "integer"}})
    with pytest.raises(Refused, match="VAL_PARAM_TYPE"):
        engine.generate(bench.work("CSV", {"n": "x"}), sink)
    assert 0 == sink.size


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("today", date(2026, 3, 15)),
        ("yesterday", date(2026, 3, 14)),
        ("tomorrow", date(2026, 3, 16)),
        ("week_start", date(2026, 3, 9)),
        ("month_start", date(2026, 3, 1)),
        ("month_end", date(2026, 3, 31)),
        ("previous_month_start", date(2026, 2, 1)),
        ("previous_month_end", date(2026, 2, 28)),
        ("year_start", date(2026, 1, 1)),
        ("year_end", date(2026, 12, 31)),
        ("previous_year_start", date(2025, 1, 1)),
        ("previous_year_end", date(2025, 12, 31)),
    ],
)
def test_a_moving_default_is_counted_from_the_requests_own_time(name: str, day: date) -> None:
    """So a retry days later gives the report that was asked for."""
    assert day == day_of(name, REQUESTED_AT)
    assert day == Parameter("p", "date", default=name).given({}, REQUESTED_AT)
    assert datetime.combine(day, datetime.min.time()) == moment_of(name, REQUESTED_AT)


def test_every_moving_default_is_tested_above() -> None:
    assert 12 == len(MOMENTS)


def test_now_is_the_time_of_the_request_in_utc() -> None:
    requested_at = datetime.fromisoformat("2026-03-15T23:30:00+01:00")
    assert datetime.fromisoformat("2026-03-15T22:30:00") == Parameter("p", "timestamp", default="now").given(
        {}, requested_at
    )


def test_the_query_gets_typed_values() -> None:
    given: dict[str, tuple[Any, Any]] = {
        "integer": (5, 5),
        "decimal": ("12.50", Decimal("12.50")),
        "number": (1.5, 1.5),
        "date": ("2026-02-03", date(2026, 2, 3)),
        "timestamp": ("2026-02-03T10:00:00+02:00", datetime.fromisoformat("2026-02-03T08:00:00")),
        "boolean": (True, True),
    }
    for type_, (raw, value) in given.items():
        found = Parameter("p", type_).given({"p": raw}, datetime(2026, 1, 1, tzinfo=UTC))
        assert (type(value), value) == (type(found), found)
    assert (1, 2) == Parameter("p", "integer", many=True).given({"p": [1, 2]}, REQUESTED_AT)
