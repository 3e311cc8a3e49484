# ruff: noqa: RUF001 - characters that look like others are what is tested
from __future__ import annotations

import os.path
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reportbus.core.codes import CODES
from reportbus.core.errors import Problem, Refused
from reportbus.core.template import Template, compile_template

if TYPE_CHECKING:
    from collections.abc import Callable

    from reportbus.core.model import JsonValue

VALUES: dict[str, JsonValue] = {
    "report": "/Finance/Monthly",
    "as_of": "2026-11-01",
    "now": "2026-10-25T00:30:00Z",
    "region": ["N", "S"],
    "n": -5,
    "price": 12.5,
    "flag": True,
    "nothing": None,
    "empty": "",
    "deep": {"a": 1},
    "lists": [["a"]],
    "zone": "Europe/Berlin",
}


def render(source: str, **values: JsonValue) -> str:
    return compile_template(source).render(VALUES | values)


def refusal(act: Callable[[], object]) -> tuple[Problem, ...]:
    with pytest.raises(Refused) as caught:
        act()
    assert all(problem.code in CODES for problem in caught.value.problems)
    return caught.value.problems


def compile_codes(source: str) -> list[str]:
    return [problem.code for problem in refusal(lambda: compile_template(source))]


def render_codes(source: str, **values: JsonValue) -> list[str]:
    return [problem.code for problem in refusal(lambda: render(source, **values))]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("flights.csv", "flights.csv"),
        ("{{ report }}_{{ as_of }}.pdf", "Finance_Monthly_2026-11-01.pdf"),
        ("{{report}}.pdf", "Finance_Monthly.pdf"),
        ("in/{{ as_of | date('%Y') }}/{{ as_of | date('%m') }}/x.pdf", "in/2026/11/x.pdf"),
        ("{{ region }}_{{ n }}_{{ price }}_{{ flag }}.pdf", "N_S_-5_12.5_true.pdf"),
        ("{{ n }}.pdf", "_5.pdf"),
        ("a/{{ n }}.pdf", "a/_5.pdf"),
        ("{{ report | lower }}.pdf", "finance_monthly.pdf"),
        ("{{ report | upper | replace('FINANCE', 'fin') }}.pdf", "fin_MONTHLY.pdf"),
        ("{{ report | truncate(4) }}.pdf", "Fin.pdf"),
        ("{{ '  x  ' | trim }}.pdf", "x.pdf"),
        ("{{ missing | default('all') }}.pdf", "all.pdf"),
        ("{{ missing | default(2026) | replace('20', '') }}.pdf", "26.pdf"),
        ("{{ nothing | default('all') }}.pdf", "all.pdf"),
        ("x{{ empty | default('all') }}.pdf", "x.pdf"),
        ("x{{ empty | default('all', true) }}.pdf", "xall.pdf"),
        ("{{ report | default('all') }}.pdf", "Finance_Monthly.pdf"),
        ("{{ 'a' 'b' }}-{{ 3 }}.pdf", "ab-3.pdf"),
        ("{{ '../x' }}.pdf", "x.pdf"),
        ("{# a note #}x.pdf", "x.pdf"),
        ("{% raw %}{{x}}{% endraw %}.pdf", "{{x}}.pdf"),
        ("Übersicht.pdf", "Übersicht.pdf"),
        ("U\u0308bersicht {{ '日本' }}.pdf", "Übersicht 日本.pdf"),
    ],
)
def test_names_and_filters_are_filled_in(source: str, name: str) -> None:
    assert render(source) == name


@pytest.mark.parametrize(
    ("value", "format_", "text"),
    [
        ("2026-11-01", "%Y%m%d", "20261101"),
        ("20261101", "%d.%m.%y", "01.11.26"),
        ("2026-11-01T06:30:00Z", "%Y-%m-%d %H%M", "2026-11-01 0630"),
        ("2026-11-01T06:30:00", "%H%M", "0630"),
        ("2026-11-01 06:30:00+02:00", "%H%M", "0430"),
        ("2026-11-01", "%b %Y", "Nov 2026"),
        ("2026-11-01", "Q %A", "Q Sunday"),
    ],
)
def test_dates_are_written_as_asked(value: str, format_: str, text: str) -> None:
    assert render(f'{{{{ day | date("{format_}") }}}}.pdf', day=value) == f"{text}.pdf"


@pytest.mark.parametrize(
    ("now", "zone", "text"),
    [
        ("2026-10-25T00:30:00Z", "Europe/Berlin", "2026-10-25 0230"),
        ("2026-10-25T01:30:00Z", "Europe/Berlin", "2026-10-25 0230"),
        ("2026-03-29T01:00:00Z", "Europe/Berlin", "2026-03-29 0300"),
        ("2026-11-01T23:30:00", "Asia/Tokyo", "2026-11-02 0830"),
        ("2026-11-01T23:30:00Z", "UTC", "2026-11-01 2330"),
    ],
)
def test_a_time_is_shown_in_its_zone_also_around_a_clock_change(now: str, zone: str, text: str) -> None:
    assert render(f"{{{{ now | date('%Y-%m-%d %H%M', '{zone}') }}}}.pdf", now=now) == f"{text}.pdf"


def test_a_day_is_the_same_day_in_every_zone() -> None:
    assert render("{{ as_of | date('%Y-%m-%d', 'America/New_York') }}.pdf") == "2026-11-01.pdf"


@pytest.mark.parametrize(
    "source",
    [
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ ''.__class__ }}",
        "{{ report.upper }}",
        "{{ report['upper'] }}",
        "{{ report[0:2] }}",
        "{{ report() }}",
        "{{ range(10**7) }}",
        "{{ report | attr('__class__') }}",
        "{{ report | map('upper') }}",
        "{{ report | e }}",
        "{% include '/etc/passwd' %}",
        "{% import 'x' as y %}",
        "{% from 'x' import y %}",
        "{% extends 'x' %}",
        "{% set x = 1 %}",
        "{% if report %}x{% endif %}",
        "{% macro m() %}{% endmacro %}",
        "{% filter upper %}x{% endfilter %}",
        "{% block b %}{% endblock %}",
        "{% with %}{% endwith %}",
        "{{ report if n else as_of }}",
        "{{ report is defined }}",
        "{{ report == 'x' }}",
        "{{ report and n }}",
        "{{ not n }}",
        "{{ -n }}",
        "{{ " + "-" * 900 + "n }}",
        "{{ 'a' ~ 'b' }}",
        "{{ [1, 2] }}",
        "{{ (1, 2) }}",
        "{{ {'a': 1} }}",
        "{{ report | default(report) }}",
        "{{ report | truncate(-5) }}",
        "{{ report | replace('', 'x') }}",
        "{{ as_of | date('%c') }}",
        "{{ as_of | date('%1000000000Y') }}",
        "{{ as_of | date('%Y/%m') }}",
        "{{ as_of | date('') }}",
        "{{ as_of | date('%') }}",
    ],
)
def test_anything_but_names_and_our_filters_is_forbidden(source: str) -> None:
    assert compile_codes(source) == ["TPL_FORBIDDEN"]


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in range(10**7) %}x{% endfor %}",
        "{% for a in b %}" * 5 + "{% endfor %}" * 5,
        "{{ 'a' * 10**9 }}",
        "{{ 10 ** 10**8 }}",
        "{{ 1 + 1 }}",
        "{{ n - 1 }}",
        "{{ n / 2 }}",
        "{{ n // 2 }}",
        "{{ '%999999999d' % 1 }}",
        "{{ 'a' | center(10**9) }}",
        "{{ 'a' | indent(10**9) }}",
        "{{ '%999999999d' | format(1) }}",
        "{{ report | truncate(10**9) }}",
        "{{ report | truncate(0) }}",
        "{{ report | truncate(100000) }}",
        "{{ " + "(" * 450 + "n" + ")" * 450 + " }}",
        "x" * 1_001,
        "{" * 65_536,
    ],
)
def test_what_could_take_time_or_memory_without_end_is_over_the_limit(source: str) -> None:
    started = time.process_time()

    assert compile_codes(source) == ["TPL_LIMIT"]
    assert time.process_time() - started < 1


def test_an_unknown_name_is_told_beside_those_there_are() -> None:
    (problem,) = refusal(lambda: compile_template("{{ nobody }}").render({"day": 1, "x" * 99: 2, "a'b": 3}))

    assert problem.text == f"there is no value 'nobody'; have a'b, day, {'x' * 19}…[cut, 99 characters]"


@pytest.mark.parametrize(
    ("source", "column"),
    [
        ("{{ name }", 9),
        ("x{{ report }}_{{ name }", 23),
        ("{{ a b }}", 1),
        ("{{ a }}{{ b c }}{{ d }}", 8),
        ("ok {{ report }} {% nonsense %}", 17),
        ("ok {{", 4),
        ("ok {# never closed", 6),
        ("{% endfor %}", 1),
        ("{% for i in range(9) %}", 1),
        ("{{ }}", 1),
        ("{{ 'open }}", 4),
        ("{{ \u0663.\u0663 }}", 1),
        ("x{{ report | nonsense }}", 12),
        ("{{ report | lower | a.b }}", 19),
    ],
)
def test_a_syntax_error_is_shown_with_line_and_column(source: str, column: int) -> None:
    (problem,) = refusal(lambda: compile_template(source))

    assert (problem.code, problem.field) == ("TPL_SYNTAX", "file_name")
    assert f"line 1, column {column}" in problem.text


@pytest.mark.parametrize(
    "source",
    [
        "{{ report | lower(1) }}",
        "{{ report | truncate }}",
        "{{ report | truncate('5') }}",
        "{{ report | replace('a') }}",
        "{{ report | replace('a', 'b', 1) }}",
        "{{ report | default }}",
        "{{ report | default(none) }}",
        "{{ report | default(value='a') }}",
        "{{ report | default(*region) }}",
        "{{ report | default(**deep) }}",
        "{{ report | default('x', **deep) }}",
        "{{ as_of | date(2026) }}",
        "{{ as_of | date }}",
    ],
)
def test_a_filter_used_wrongly_is_shown_how_it_is_written(source: str) -> None:
    (problem,) = refusal(lambda: compile_template(source))

    assert problem.code == "TPL_SYNTAX"
    assert "write " in problem.text


@pytest.mark.parametrize(
    "zone",
    [
        "Mars/Base",
        "",
        "../../etc/passwd",
        "/etc/passwd",
        "Europe",
        "Europe/",
        "UTC+25:00",
        "x" * 65,
        "a\u00e9",
    ],
)
def test_a_zone_that_does_not_exist_is_refused(zone: str) -> None:
    assert compile_codes(f"{{{{ now | date('%H', '{zone}') }}}}") == ["TPL_TZ"]


@pytest.mark.parametrize("char", ["\n", "\0", "\x1b", "\x7f", "\u2028", "\ud800", "\\"])
def test_a_template_holds_no_control_character_and_no_backslash(char: str) -> None:
    assert compile_codes(f"a{char}b{{{{ report }}}}") == ["TPL_BAD_NAME"]


def test_everything_wrong_with_a_template_is_told_at_once_and_with_its_field() -> None:
    source = "{{ a.b }}{{ 1 + 1 }}{{ c | nonsense }}{{ now | date('%H', 'Mars') }}"
    problems = refusal(lambda: compile_template(source, field="targets[2].file_name"))

    assert [problem.code for problem in problems] == ["TPL_FORBIDDEN", "TPL_LIMIT", "TPL_SYNTAX", "TPL_TZ"]
    assert {problem.field for problem in problems} == {"targets[2].file_name"}


def test_unknown_names_are_told_together_with_what_there_is() -> None:
    problems = refusal(
        lambda: compile_template("{{ as_off }}_{{ x | lower }}").render({"as_of": 1, "report": 2})
    )

    assert [problem.code for problem in problems] == ["TPL_UNKNOWN_NAME"] * 2
    assert "'as_off'" in problems[0].text
    assert "as_of, report" in problems[0].text


@pytest.mark.parametrize(
    "source",
    [
        "{{ nothing }}",
        "{{ nothing | lower | default('x') }}",
        "{{ deep }}",
        "{{ lists }}",
        "{{ report | date('%Y') }}",
        "{{ n | date('%Y') }}",
        "{{ long | date('%Y') }}",
        "{{ edge | date('%Y', 'Asia/Tokyo') }}",
        "{{ huge }}",
        "{{ endless }}",
        "{{ none }}",
    ],
)
def test_a_value_without_a_text_is_refused_and_named(source: str) -> None:
    odd: dict[str, JsonValue] = {
        "long": "2026-11-01" * 50,
        "edge": "9999-12-31T23:59:59Z",
        "huge": 10**5_000,
        "endless": float("inf"),
    }
    problems = refusal(lambda: render(source, **odd))

    assert [problem.code for problem in problems] == ["TPL_VALUE"]
    assert problems[0].text.startswith("the value of '")


@pytest.mark.parametrize(
    "source",
    [
        "{{ big }}",
        "{{ big | truncate(5) }}",
        "{{ many }}",
        "{{ tall | replace('a', 'aaaaaaaaaa') }}",
        "{{ 'a' }}" + "{{ tall " + "| replace('a', 'aa')" * 40 + "}}",
        "{{ tall | upper }}",
    ],
)
def test_a_value_that_grows_too_long_is_over_the_limit(source: str) -> None:
    values: dict[str, JsonValue] = {"big": "a" * 250_000, "many": ["abc"] * 10_000, "tall": "ŉa" * 4_000}
    started = time.process_time()

    assert render_codes(source, **values) == ["TPL_LIMIT"]
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("source", "values"),
    [
        ("", {}),
        ("{# nothing #}", {}),
        ("{{ x }}", {"x": ""}),
        ("{{ x }}", {"x": "   "}),
        ("{{ x }}", {"x": ".."}),
        ("{{ x }}.pdf", {"x": "///"}),
        ("   ", {}),
        (".", {}),
        ("..", {}),
        ("../{{ x }}.pdf", {"x": "a"}),
        ("a/../{{ x }}.pdf", {"x": "a"}),
        ("/{{ x }}.pdf", {"x": "a"}),
        ("{{ x }}/r.pdf", {"x": ""}),
        ("a//b.pdf", {}),
        (".{{ x }}", {"x": "hidden"}),
        ("-{{ x }}", {"x": "rf"}),
        ("~{{ x }}", {"x": "root"}),
        ("{{ e }}{{ x }}", {"e": "", "x": "-rf"}),
        ("CON", {}),
        ("{{ x }}.pdf", {"x": "nul"}),
        ("{{ x }}.pdf", {"x": "x" * 300}),
        ("{{ x }}.pdf", {"x": "é" * 150}),
        ("{{ x }}/" * 4 + "a.pdf", {"x": "y" * 150}),
        ("a:{{ x }}", {"x": "stream"}),
        ("{{ x }}?.pdf", {"x": "a"}),
        ("a.", {}),
        ("{{ x }}%2e%2e.pdf", {"x": "a"}),
        ("．．／{{ x }}.pdf", {"x": "a"}),
        ("a\u202e{{ x }}.pdf", {"x": "a"}),
    ],
)
def test_a_name_that_not_every_target_takes_is_refused(source: str, values: dict[str, JsonValue]) -> None:
    assert set(render_codes(source, **values)) == {"TPL_BAD_NAME"}


def test_a_bad_name_is_told_in_full() -> None:
    assert render_codes("/CON/.x") == ["TPL_BAD_NAME"] * 4


@pytest.mark.parametrize(
    "region",
    ["../../etc/x", "..\\..\\x", "/etc/passwd", "a/b", "．．／x", "%2e%2e%2fx", "a\0b", "C:\\x", "\u202eexe"],
)
def test_a_value_never_leads_to_another_folder(region: str) -> None:
    name = render("out/{{ region }}.pdf", region=region)

    assert name.startswith("out/")
    assert name.count("/") == 1
    assert ".." not in name


def test_a_line_of_text_keeps_what_a_name_may_not_hold() -> None:
    subject = compile_template("Report: {{ report }} of {{ region }}?", field="subject")

    assert subject.render_line(VALUES | {"region": "a\nb"}) == r"Report: /Finance/Monthly of a\nb?"
    assert refusal(lambda: subject.render_line({}))[0].field == "subject"


def test_a_template_is_read_once() -> None:
    source = "{{ report }}_read_once.pdf"

    assert compile_template(source) is compile_template(source)
    assert refusal(lambda: compile_template("{{ read once }}")) is refusal(
        lambda: compile_template("{{ read once }}")
    )


def test_jinja_is_not_imported_before_a_placeholder_is_read() -> None:
    script = (
        "import sys; from reportbus.core.template import compile_template as c; c('a.pdf'); "
        "assert 'jinja2' not in sys.modules; c('{{ a }}.pdf'); assert 'jinja2' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=30)


TOKENS = st.sampled_from(
    [
        "{{", "}}", "{%", "%}", "{#", "#}", " ", "|", "a", "b", "n", ".", "..", "/", "-", "'", '"', "(", ")",
        "[", "]", ",",
        "lower", "upper", "trim", "replace('a','bb')", "truncate(3)", "default('x')", "date('%Y')",
        "for i in a", "if a",
        "10**9", "*", "~", "+", "raw", "endraw", "\\", "é", "\uff0f", "\uff0e", "CON", "%2e", "\u202e",
        "\ud800", "'x'",
        "{{ a }}", "{{ b | lower }}", "{{ a | default('x') }}", ".pdf", "{{ a | replace('a', 'aaaa') }}",
        "__class__",
    ]
)  # fmt: skip
ANY_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=600, deadline=None)
@given(
    st.lists(TOKENS, max_size=25).map("".join) | st.text(st.characters(), max_size=60), ANY_VALUE, ANY_VALUE
)
def test_any_template_gives_one_safe_path_or_is_refused_and_soon(
    source: str, a: JsonValue, b: JsonValue
) -> None:
    started = time.process_time()
    try:
        name = compile_template(source).render({"a": a, "b": b})
    except Refused as refused:
        areas = {problem.code[:4] for problem in refused.problems}
    else:
        areas = set()
        whole = os.path.normpath(os.path.join("/root", name))  # noqa: PTH118 - what an adapter could do worst
        assert whole == f"/root/{name}"
        assert name.count("/") <= source.count("/")
        name.encode()

    assert areas <= {"TPL_", "SEC_"}
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    "unit", ["{{a}}", "{{ a b", "{%", "|lower", "(", "{#", "{{", "'", "{{'", "-", "{{ a | x }}"]
)
def test_the_worst_template_of_the_largest_size_takes_less_than_a_second(unit: str) -> None:
    source = ("{{ a" + unit * 1_000)[:1_000]
    started = time.process_time()
    try:
        template: Template | None = compile_template(source)
    except Refused:
        template = None

    assert time.process_time() - started < 1
    assert template is None or template.parts
