from __future__ import annotations

import contextlib
import json
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reportbus.core.codes import CODES
from reportbus.core.errors import MAX_PROBLEMS, Problem, Refused
from reportbus.core.strict_json import canonical, decode

if TYPE_CHECKING:
    from reportbus.core.model import JsonValue

CLEAN_TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"]))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | CLEAN_TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(CLEAN_TEXT, inner, max_size=5),
    max_leaves=25,
)


def refusal(text: str | bytes, *, max_bytes: int = 262_144) -> tuple[Problem, ...]:
    with pytest.raises(Refused) as caught:
        decode(text, what="parameters", max_bytes=max_bytes)
    return caught.value.problems


def code_of(text: str | bytes) -> str:
    (problem,) = refusal(text)
    assert problem.field.startswith("parameters")
    return problem.code


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{}", {}),
        ('"{}"', "{}"),
        ("[]", []),
        ("1", 1),
        ("null", None),
        (' {"a": [true, false, null, -1.5e3]}\n', {"a": [True, False, None, -1500.0]}),
        (b'{"name": "Z\xc3\xbcrich"}', {"name": "Zürich"}),
        (r'{"a": "line\nline\tcell\r\n"}', {"a": "line\nline\tcell\r\n"}),
        (r'{"a": "\\u0000 and \\ud800 are text here"}', {"a": r"\u0000 and \ud800 are text here"}),
        (r'{"a": "\ud83d\udcc8"}', {"a": "📈"}),
        ('{"a": "\u2028"}', {"a": "\u2028"}),
        (f"[{2**63 - 1}, {-(2**63)}, {10**17}]", [2**63 - 1, -(2**63), 10**17]),
        ("[1e-999, 1.7976931348623157e308]", [0.0, 1.7976931348623157e308]),
    ],
)
def test_sound_json_is_read_as_it_is(text: str | bytes, value: JsonValue) -> None:
    assert decode(text, what="parameters") == value


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "VAL_JSON"),
        ("{", "VAL_JSON"),
        ("{'a': 1}", "VAL_JSON"),
        ('{"a": 1,}', "VAL_JSON"),
        ('{"a": 1} {"b": 2}', "VAL_JSON"),
        ('{"a": 01}', "VAL_JSON"),
        ('{"a": "one\nline"}', "VAL_JSON"),
        ('\ufeff{"a": 1}', "VAL_JSON"),
        (b'\xef\xbb\xbf{"a": 1}', "VAL_JSON"),
        ('{"a": 1, "b": 2, "a": 3}', "VAL_JSON_DUPLICATE_KEY"),
        ('[{"deep": {"a": 1, "\\u0061": 1}}]', "VAL_JSON_DUPLICATE_KEY"),
        ("NaN", "VAL_JSON_NUMBER"),
        ('{"a": Infinity}', "VAL_JSON_NUMBER"),
        ("[-Infinity]", "VAL_JSON_NUMBER"),
        ("1e999", "VAL_JSON_NUMBER"),
        ("-1e999", "VAL_JSON_NUMBER"),
        ("9" * 5_000, "VAL_JSON_NUMBER"),
        (str(2**63), "VAL_JSON_NUMBER"),
        (str(-(2**63) - 1), "VAL_JSON_NUMBER"),
        (r'{"a": "\u0000"}', "VAL_CONTROL_CHAR"),
        (r'{"a": "\b"}', "VAL_CONTROL_CHAR"),
        (r'{"a": ["x", {"b": "\u001b[31m"}]}', "VAL_CONTROL_CHAR"),
        (r'{"a": "\u007f"}', "VAL_CONTROL_CHAR"),
        (r'{"a": "\u0085"}', "VAL_CONTROL_CHAR"),
        ('{"a": "\x7f"}', "VAL_CONTROL_CHAR"),
        ('{"a": "\x9b"}', "VAL_CONTROL_CHAR"),
        ('{"a": "\x00"}', "VAL_CONTROL_CHAR"),
        ('\x00{"a": 1}', "VAL_CONTROL_CHAR"),
        (r'{"a\u0000": 1}', "VAL_CONTROL_CHAR"),
        (r'{"a\n": 1}', "VAL_CONTROL_CHAR"),
        (r'"\ud800"', "VAL_ENCODING"),
        (r'{"a": "\udc00\ud800"}', "VAL_ENCODING"),
        (r'{"\udfff": 1}', "VAL_ENCODING"),
        ('{"a": "\ud800"}', "VAL_ENCODING"),
        (b'{"a": "\xff"}', "VAL_ENCODING"),
        (b'{"a": "\xc0\xae"}', "VAL_ENCODING"),
        (b'{"a": "\xed\xa0\x80"}', "VAL_ENCODING"),
        ('{"a": 1}'.encode("utf-16"), "VAL_ENCODING"),
        ("[" * 33 + "]" * 33, "VAL_JSON_DEPTH"),
        ('{"a":' * 33 + "1" + "}" * 33, "VAL_JSON_DEPTH"),
        ("[" * 100_000, "VAL_JSON_DEPTH"),
    ],
)
def test_what_another_reader_could_take_otherwise_is_refused(text: str | bytes, code: str) -> None:
    assert code_of(text) == code
    assert code in CODES


def test_depth_counts_nesting_and_not_brackets() -> None:
    deepest: JsonValue = "leaf"
    for _ in range(32):
        deepest = [deepest]

    assert decode("[" * 32 + '"leaf"' + "]" * 32, what="parameters") == deepest
    assert decode("[" + "[]," * 50 + "{}]", what="parameters") == [[]] * 50 + [{}]
    assert decode('"' + "[" * 50 + '"', what="parameters") == "[" * 50


def test_a_syntax_error_is_shown_with_line_and_column_and_without_content() -> None:
    (problem,) = refusal('{"password": "hunter2",\n  "b" 2}')

    assert problem.field == "parameters"
    assert "line 2, column 7" in problem.text
    assert "hunter2" not in problem.text


def test_too_large_an_input_is_refused_before_it_is_parsed() -> None:
    started = time.process_time()
    (problem,) = refusal("[" * 16_000_000)

    assert problem.code == "VAL_TOO_LARGE"
    assert "262,144" in problem.text
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize("text", ['"éé"', b'"\xc3\xa9\xc3\xa9"', '"abcd"', '"\U0001f4c8"'])
def test_size_is_counted_in_bytes(text: str | bytes) -> None:
    decode(text, what="parameters", max_bytes=6)
    assert refusal(text, max_bytes=5)[0].code == "VAL_TOO_LARGE"


def test_every_bad_text_is_reported_with_its_place() -> None:
    problems = refusal(r'{"a": ["ok", "\u0001"], "b": {"c\u0002": "\ud800"}}')

    assert {(problem.code, problem.field) for problem in problems} == {
        ("VAL_CONTROL_CHAR", "parameters.a[1]"),
        ("VAL_CONTROL_CHAR", "parameters.b"),
        ("VAL_ENCODING", r"parameters.b.c\x02"),
    }


def test_a_key_that_holds_a_password_is_shown_without_it() -> None:
    (problem,) = refusal(json.dumps({"sftp://user:s3cret" + "s3cret" * 40 + "@host": "\x01"}))

    assert problem.field == "parameters.sftp://user:***@host"


def test_no_more_problems_are_reported_than_a_person_reads() -> None:
    assert len(refusal(json.dumps(["\x01"] * 10_000))) == MAX_PROBLEMS


@pytest.mark.parametrize(
    "text",
    [
        "[" + ",".join("{" + '"a":0' + "}" for _ in range(30_000)) + "]",
        "{" + ",".join(f'"{number}":0' for number in range(25_000)) + ',"7":1}',
        json.dumps(["\n"] * 40_000),
        "[" * 130_000 + "]" * 130_000,
        '"' + "\\u0001" * 40_000 + '"',
    ],
    ids=["many objects", "twice among many keys", "many escapes", "deep", "all bad"],
)
def test_the_worst_input_of_the_largest_size_takes_less_than_a_second(text: str) -> None:
    started = time.process_time()
    with contextlib.suppress(Refused):
        decode(text, what="parameters")

    assert time.process_time() - started < 1


def test_canonical_json_is_sorted_and_without_blanks() -> None:
    assert canonical({"b": [1, 2.5, None], "a": "Zürich"}) == '{"a":"Zürich","b":[1,2.5,null]}'


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_json_has_no_canonical_form(value: float) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical([value])


@given(JSON)
def test_what_is_written_canonically_is_read_back(value: JsonValue) -> None:
    text = canonical(value)

    assert decode(text, what="parameters") == value
    assert canonical(decode(text, what="parameters")) == text


@given(JSON, st.integers(0, 4))
def test_the_canonical_form_does_not_depend_on_how_the_input_was_written(
    value: JsonValue, indent: int
) -> None:
    assert canonical(decode(json.dumps(value, indent=indent), what="parameters")) == canonical(value)


@settings(max_examples=300)
@given(st.text() | st.binary() | st.text(alphabet='{}[]",:\\u0bnd8\x00 1eENaI-'))
def test_any_input_is_either_storable_or_refused_with_a_known_code(text: str | bytes) -> None:
    try:
        value = decode(text, what="parameters")
    except Refused as refused:
        problems = refused.problems
    else:
        problems = ()
        canonical(value).encode()
        assert "\0" not in canonical(value)

    assert all(problem.code in CODES for problem in problems)
