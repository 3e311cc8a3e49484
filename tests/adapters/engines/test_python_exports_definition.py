from __future__ import annotations

import time
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from reportbus.adapters.engines.python.definition import FORMATS, ReportDefinition
from reportbus.adapters.engines.python.engine import PythonEngine
from reportbus.adapters.engines.python.fields import DefinitionFile
from reportbus.adapters.engines.python.pattern import bounded
from reportbus.adapters.engines.python.statement import Bound, Statement
from reportbus.core.codes import CODES
from reportbus.core.errors import Refused

if TYPE_CHECKING:
    from reportbus.core.errors import Problem

SMALLEST: dict[str, Any] = {"name": "sales", "sql": "SELECT 1 AS one", "connection": "main"}
WHOLE: dict[str, Any] = {
    "name": "sales",
    "title": "Sales by region",
    "description": "What every region sold.",
    "connection": "main",
    "sql": "SELECT * FROM sales WHERE region IN ($regions) AND day >= $since AND amount > $least;",
    "parameters": {
        "regions": {"type": "text", "list": True, "required": True, "allowed": ["N", "S"], "max_items": 2},
        "since": {"type": "date", "default": "month_start", "minimum": "2020-01-01"},
        "least": {"type": "decimal", "default": "0.50", "maximum": 1000, "description": "least amount"},
    },
    "formats": ["CSV", "PDF"],
    "columns": {"amount": {"label": "Amount", "format": ",.2", "type": "decimal(12,2)"}},
    "totals": {"amount": "sum"},
    "chart": {"kind": "line", "x": "day", "y": ["amount"], "title": "Amount by day"},
    "landscape": True,
    "formula_guard": False,
    "max_rows": 1000,
}


def problems_of(mapping: dict[str, Any]) -> tuple[Problem, ...]:
    with pytest.raises(Refused) as caught:
        ReportDefinition.parse(mapping, DefinitionFile("sales.yaml"))
    return caught.value.problems


def test_a_name_a_query_and_a_connection_are_enough() -> None:
    definition = ReportDefinition.parse(SMALLEST, DefinitionFile("sales.yaml"))
    assert ("sales", FORMATS, True) == (definition.title, definition.formats, definition.formula_guard)


def test_every_key_is_read() -> None:
    definition = ReportDefinition.parse(WHOLE, DefinitionFile("sales.yaml"))
    regions, since, least = (definition.parameters[name] for name in ("regions", "since", "least"))
    assert (True, True, ("N", "S"), 2) == (regions.many, regions.required, regions.allowed, regions.max_items)
    assert ("month_start", date(2020, 1, 1)) == (since.default, since.minimum)
    assert (Decimal(1000), "least amount") == (least.maximum, least.description)
    assert ("CSV", "PDF") == definition.formats
    assert ("Amount", ",.2", "decimal(12,2)") == (
        definition.columns["amount"].label,
        definition.columns["amount"].format,
        definition.columns["amount"].type,
    )
    assert {"amount": "sum"} == definition.totals
    assert definition.chart is not None
    assert ("line", "day", ("amount",)) == (definition.chart.kind, definition.chart.x, definition.chart.y)
    assert (True, False, 1000) == (definition.landscape, definition.formula_guard, definition.max_rows)


def test_all_problems_of_a_file_are_told_at_once_and_each_names_its_place() -> None:
    broken: dict[str, Any] = {
        "name": "../sales",
        "sql": "SELECT $sinse, $until",
        "conection": "main",
        "parameters": {
            "since": {"type": "dat", "requird": True},
            "until": {"type": "integer", "minimum": "a"},
        },
        "formats": ["CVS"],
        "totals": {"amount": "summ"},
        "chart": {"x": "day"},
        "max_rows": 0,
        "landscape": "yes",
    }
    found = {(problem.code, problem.field) for problem in problems_of(broken)}
    assert {
        ("CFG_RANGE", "name"),
        ("CFG_MISSING", "connection"),
        ("CFG_UNKNOWN_FIELD", ""),
        ("CFG_REPORT_SQL", "sql"),
        ("CFG_REPORT_SQL", "parameters.since"),
        ("CFG_CHOICE", "parameters.since.type"),
        ("CFG_UNKNOWN_FIELD", "parameters.since"),
        ("CFG_TYPE", "parameters.until.minimum"),
        ("CFG_CHOICE", "formats"),
        ("CFG_CHOICE", "totals.amount"),
        ("CFG_RANGE", "chart.y"),
        ("CFG_RANGE", "max_rows"),
        ("CFG_TYPE", "landscape"),
    } == found
    assert all(code in CODES for code, _ in found)


@pytest.mark.parametrize(
    ("key", "meant"), [("sqll", "'sql'"), ("formula_gard", "'formula_guard'"), ("title_", "'title'")]
)
def test_an_unknown_key_is_refused_with_the_nearest_known_one(key: str, meant: str) -> None:
    (problem,) = problems_of({**SMALLEST, key: "x"})
    assert f"did you mean {meant}?" in problem.text


@pytest.mark.parametrize(
    ("parameter", "code", "field"),
    [
        ({"type": "date", "default": "yesterdy"}, "CFG_RANGE", "default"),
        ({"type": "integer", "default": 5, "maximum": 4}, "CFG_RANGE", "default"),
        ({"type": "integer", "default": 5, "required": True}, "CFG_INCONSISTENT", "default"),
        ({"type": "text", "minimum": "a"}, "CFG_CHOICE", "minimum"),
        ({"type": "integer", "pattern": "[0-9]"}, "CFG_CHOICE", "pattern"),
        ({"type": "text", "pattern": "(a+)+"}, "CFG_RANGE", "pattern"),
        ({"type": "date", "list": True, "default": "today"}, "CFG_TYPE", "default"),
        ({"type": "text", "allowed": "N"}, "CFG_TYPE", "allowed"),
        ({"type": "integer", "allowed": [1, "2"]}, "CFG_TYPE", "allowed[1]"),
        ({"type": "text", "max_length": 0}, "CFG_RANGE", "max_length"),
        ({}, "CFG_MISSING", "type"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused(parameter: dict[str, Any], code: str, field: str) -> None:
    (problem,) = problems_of({**SMALLEST, "sql": "SELECT $p", "parameters": {"p": parameter}})
    assert (code, f"parameters.p.{field}") == (problem.code, problem.field)


@pytest.mark.parametrize(
    "style",
    [
        {"format": "0.00"},
        {"format": "%A"},
        {"type": "money"},
        {"type": "decimal(40,2)"},
        {"type": "decimal(4,5)"},
    ],
)
def test_a_column_style_that_is_none_is_refused(style: dict[str, str]) -> None:
    (problem,) = problems_of({**SMALLEST, "columns": {"one": style}})
    assert "CFG_CHOICE" == problem.code


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("[A-Z]{2}[0-9]{3,5}", "AB123", "AB12"),
        (r"\d{4}-\d{2}", "2026-01", "٢026-01"),
        ("x?y", "y", "xxy"),
        (r"[^;]{1,20}", "abc", "a;b"),
        (r"a\.b", "a.b", "axb"),
    ],
)
def test_a_pattern_of_characters_classes_and_bounded_repeats_is_taken(
    pattern: str, good: str, bad: str
) -> None:
    assert bounded(pattern).fullmatch(good)
    assert not bounded(pattern).fullmatch(bad)


@pytest.mark.parametrize(
    "pattern", ["a*", "a+", "(a|b)", "a|b", "^a", "a{1,999}" * 3, "[a", "a{2,1}b{", "x" * 201]
)
def test_a_pattern_that_could_run_long_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"pattern|allowed|repeats"):
        bounded(pattern)


def test_the_worst_pattern_that_is_taken_ends_quickly_on_the_worst_text() -> None:
    pattern = bounded("[a-z]{0,99}[a-z]{0,99}1")
    start = time.process_time()
    assert not pattern.fullmatch("a" * 100_000)
    assert time.process_time() - start < 1


def test_parameters_are_found_outside_of_strings_names_and_comments_only() -> None:
    sql = """SELECT '$no', "$no", $$ $no $$, $tag$ $no $tag$, a$no, -- $no
             /* $no */ x::text, $yes, ':no' FROM t WHERE $also=1"""
    assert {"yes", "also"} == Statement.parse(sql).names


@pytest.mark.parametrize(
    ("style", "bound"),
    [
        ("dollar", Bound("a = $a AND b IN ($b_1, $b_2) AND c = '5%'", {"a": 1, "b_1": 2, "b_2": 3})),
        ("named", Bound("a = :a AND b IN (:b_1, :b_2) AND c = '5%'", {"a": 1, "b_1": 2, "b_2": 3})),
        ("escaped_named", Bound("a = :a AND b IN (:b_1, :b_2) AND c = '5%'", {"a": 1, "b_1": 2, "b_2": 3})),
        (
            "pyformat",
            Bound("a = %(a)s AND b IN (%(b_1)s, %(b_2)s) AND c = '5%%'", {"a": 1, "b_1": 2, "b_2": 3}),
        ),
        ("qmark", Bound("a = ? AND b IN (?, ?) AND c = '5%'", (1, 2, 3))),
        ("format", Bound("a = %s AND b IN (%s, %s) AND c = '5%%'", (1, 2, 3))),
        ("numeric_dollar", Bound("a = $1 AND b IN ($2, $3) AND c = '5%'", (1, 2, 3))),
        ("numeric", Bound("a = :1 AND b IN (:2, :3) AND c = '5%'", (1, 2, 3))),
    ],
)
def test_each_database_gets_its_own_spelling_of_parameters(style: str, bound: Bound) -> None:
    statement = Statement.parse("a = $a AND b IN ($b) AND c = '5%';")
    assert bound == statement.bind({"a": 1, "b": (2, 3)}, style)


def test_colons_that_are_no_parameters_are_escaped_where_a_colon_begins_one() -> None:
    bound = Statement.parse("x::date = $d").bind({"d": 1}, "escaped_named")
    assert Bound(r"x\:\:date = :d", {"d": 1}) == bound


def test_a_list_without_items_asks_for_nothing() -> None:
    assert Bound("x IN (NULL)", {}) == Statement.parse("x IN ($b)").bind({"b": ()})


def test_values_are_adapted_to_the_driver_one_by_one() -> None:
    bound = Statement.parse("x IN ($b)").bind(
        {"b": (datetime.fromisoformat("2026-01-01T00:00:00"), None)}, "qmark", adapt=str
    )
    assert ("2026-01-01 00:00:00", "None") == bound.values


def test_a_catalogue_without_reports_says_so() -> None:
    (problem,) = PythonEngine({}).check("sales", {}, "CSV")

    assert problem.text == "no report 'sales'; there are none"


def test_a_connection_that_is_not_configured_is_refused_with_the_nearest_one() -> None:
    file = DefinitionFile("sales.yaml")
    with pytest.raises(Refused, match=r"CFG_CHOICE: sales.yaml: connection: no connection 'man'; .* 'main'"):
        ReportDefinition.parse({**SMALLEST, "connection": "man"}, file, connections=["main"])


def test_a_problem_is_told_with_the_line_of_its_key_or_of_what_that_is_missing_in() -> None:
    lines = {"name": 1, "sqll": 2, "parameters": 3, "parameters.p": 4, "parameters.p.kind": 5}
    broken: dict[str, Any] = {
        "name": "a",
        "sqll": "SELECT 1",
        "parameters": {"p": {"kind": "text"}},
        "connection": "main",
    }

    with pytest.raises(Refused) as caught:
        ReportDefinition.parse(broken, DefinitionFile("a.yaml", lines))

    assert sorted(str(problem).partition("; ")[0] for problem in caught.value.problems) == [
        "CFG_MISSING: a.yaml: sql: is required",
        "CFG_MISSING: a.yaml:4: parameters.p.type: is required",
        "CFG_REPORT_SQL: a.yaml:4: parameters.p: the SQL does not use $p",
        "CFG_UNKNOWN_FIELD: a.yaml:2: no key 'sqll'",
        "CFG_UNKNOWN_FIELD: a.yaml:5: parameters.p: no key 'kind'",
    ]
