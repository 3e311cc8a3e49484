"""Files that two readers could take for two things, or that could harm the reader."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportbus.config import ConfigurationRefused
from reportbus.config.problems import Problems
from reportbus.config.strict_yaml import load, parse

if TYPE_CHECKING:
    from pathlib import Path

    from reportbus.core.model import JsonValue


def faults(data: str | bytes) -> list[str]:
    """What is wrong with a file called `f.yaml` that holds `data`, without opinions about its values."""
    problems = Problems()
    parse(data.encode() if isinstance(data, str) else data, "f.yaml", problems)
    return [str(problem) for problem in problems.refusal().problems] if problems else []


def values(tmp_path: Path, text: str) -> dict[str, JsonValue]:
    path = tmp_path / "report.yaml"
    path.write_text(text)
    return load(path, "report.yaml")[0]


BOMB = "\n".join(["a0: &a0 [x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)])
DOUBLING = "\n".join(["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 25)])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "timeout: 300\nx: 1\ntimeout: 0\n",
            "CFG_DUPLICATE_KEY: f.yaml:3: 'timeout' stands twice in one place, on lines 1 and 3",
            id="a name twice",
        ),
        pytest.param(
            "a:\n  b: 1\n  'b': 2\n",
            "CFG_DUPLICATE_KEY: f.yaml:3: 'b' stands twice in one place, on lines 2 and 3",
            id="a name twice, once in quotes",
        ),
        pytest.param(
            BOMB,
            "CFG_LIMIT: f.yaml:5: holds more than 10000 values, each alias counted with all it repeats",
            id="a bomb of nine levels",
        ),
        pytest.param(
            DOUBLING,
            "CFG_LIMIT: f.yaml:12: holds more than 10000 values, each alias counted with all it repeats",
            id="a bomb with few aliases",
        ),
        pytest.param(
            "a: &a 1\nb: [" + "*a, " * 51 + "]\n",
            "CFG_LIMIT: f.yaml:2: holds more than 50 aliases (*name)",
            id="many aliases",
        ),
        pytest.param(
            "a: &a [*a]\n",
            "CFG_YAML: f.yaml:1: *a refers to nothing that stands before it",
            id="an alias of what it is in",
        ),
        pytest.param("a: " + "[" * 10_000, "CFG_LIMIT: f.yaml:1: is nested more than 32 deep", id="too deep"),
        pytest.param(
            "a:\n\tb: 1\n",
            "CFG_YAML: f.yaml:2: the line is indented with a tab; YAML takes blanks",
            id="a tab",
        ),
        pytest.param(
            "\tb: 1\n",
            "CFG_YAML: f.yaml:1: the line is indented with a tab; YAML takes blanks",
            id="a tab at once",
        ),
        pytest.param(
            b"\xef\xbb\xbfa: 1\n",
            "CFG_YAML: f.yaml:1: begins with a byte order mark; save it as UTF-8 without one",
            id="a byte order mark",
        ),
        pytest.param(
            "a: 1\n".encode("utf-16"), "CFG_YAML: f.yaml:1: is UTF-16; save it as UTF-8", id="UTF-16"
        ),
        pytest.param(
            "a: 1\n".encode("utf-16-le"),
            "CFG_YAML: f.yaml:1: holds the character U+0000",
            id="UTF-16 without a mark",
        ),
        pytest.param("a: x\nb: é\n".encode("latin-1"), "CFG_YAML: f.yaml:2: is not UTF-8", id="Latin-1"),
        pytest.param(
            "a: 1\nb: \x07\n", "CFG_YAML: f.yaml:2: holds the character U+0007", id="a control character"
        ),
        pytest.param(
            'a: "\\0"\n', "CFG_YAML: f.yaml:1: a text holds the character U+0000", id="an escaped one"
        ),
        pytest.param(
            "a: 1\n---\nb: 2\n",
            "CFG_YAML: f.yaml:2: a second document begins; only one is read",
            id="two documents",
        ),
        pytest.param("", "CFG_YAML: f.yaml:1: is empty; write a setting, or remove the file", id="nothing"),
        pytest.param(
            "# a: 1\n", "CFG_YAML: f.yaml:1: is empty; write a setting, or remove the file", id="comments"
        ),
        pytest.param(
            "---\n", "CFG_YAML: f.yaml:1: is empty; write a setting, or remove the file", id="a mark"
        ),
        pytest.param(
            "- a: 1\n", "CFG_YAML: f.yaml:1: holds a list; names with values are expected", id="a list on top"
        ),
        pytest.param(
            "hello\n",
            "CFG_YAML: f.yaml:1: holds one value; names with values are expected",
            id="a value on top",
        ),
        pytest.param(
            "a: !!python/object/apply:os.system [id]\n",
            "CFG_YAML: f.yaml:1: the tag 'tag:yaml.org,2002:python/object/apply:os.system' is not read; "
            "write the value alone",
            id="a tag",
        ),
        pytest.param(
            "a: &a {x: 1}\nb: {<<: *a}\n",
            "CFG_YAML: f.yaml:2: merge keys (<<) are not read; write the entries out",
            id="a merge key",
        ),
        pytest.param(
            "? [a]\n: 1\n",
            "CFG_YAML: f.yaml:1: a list or table stands where a name is expected; "
            "a text that begins with { needs quotes",
            id="a list as name",
        ),
        pytest.param(
            "file_name: {{ report }}.pdf\n",
            "CFG_YAML: f.yaml:1: a list or table stands where a name is expected; "
            "a text that begins with { needs quotes",
            id="a template without quotes",
        ),
        pytest.param(
            "a: b: c\n",
            "CFG_YAML: f.yaml:1: is not YAML: mapping values are not allowed in this context; "
            "a text that holds ': ' needs quotes",
            id="a colon in a text",
        ),
        pytest.param(
            "a: @b\n",
            "CFG_YAML: f.yaml:1: is not YAML: while scanning for the next token, "
            "found character that cannot start any token; a text that begins with @, ` or % needs quotes",
            id="a sign that means nothing",
        ),
    ],
)
def test_what_is_not_one_plain_document_is_refused_with_its_line(text: str | bytes, expected: str) -> None:
    assert faults(text) == [expected]


def test_a_file_over_one_megabyte_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    path.write_bytes(b"a: 1\n" + b"#" * 50_000_000)
    started = time.process_time()

    with pytest.raises(ConfigurationRefused) as refused:
        load(path, "large.yaml")

    assert time.process_time() - started < 1.0  # to parse it takes many seconds
    assert str(refused.value) == (
        "CFG_LIMIT: CFG_LIMIT: large.yaml: has 50000005 bytes; at most 1048576 are allowed"
    )


def test_a_file_that_grew_while_it_was_opened_is_too_large_all_the_same() -> None:
    assert faults(b"#" * 1_048_577) == ["CFG_LIMIT: f.yaml: has 1048577 bytes; at most 1048576 are allowed"]


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationRefused, match="CFG_FILE: folder: is not a file"):
        load(tmp_path, "folder")
    with pytest.raises(
        ConfigurationRefused, match="CFG_FILE: gone: cannot be read: No such file or directory"
    ):
        load(tmp_path / "gone", "gone")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a: [" + "1," * 500_000 + "]", id="half a million values"),
        pytest.param("".join(f"k{n}: 1\n" for n in range(90_000)), id="as many names as fit"),
        pytest.param("a: '" + "x" * 1_000_000 + "'", id="one long text"),
        pytest.param(BOMB, id="a bomb"),
        pytest.param("a: " + "{b: " * 200_000, id="deep tables"),
    ],
)
def test_no_file_of_the_allowed_size_keeps_the_reader_busy(text: str) -> None:
    started = time.process_time()

    faults(text)

    assert time.process_time() - started < 1.0


def test_everything_that_can_be_passed_over_is_found_at_once() -> None:
    found = faults("a: 1\na: 2\nb:\n  c: 1\n  c: !!str 2\n  <<: 3\n")

    assert [line.split(": ")[:2] for line in found] == [
        ["CFG_DUPLICATE_KEY", "f.yaml:2"],
        ["CFG_YAML", "f.yaml:5"],
        ["CFG_DUPLICATE_KEY", "f.yaml:5"],
        ["CFG_YAML", "f.yaml:6"],
    ]


def test_values_come_as_json_has_them(tmp_path: Path) -> None:
    text = """
name: flights
limit: 25
share: 0.5
negative: -3
words: [true, false, null]
quoted: "0777"
date: 2013-01-31
nested: {a: {b: [1, x]}}
sql: |
  SELECT 1
"""

    assert values(tmp_path, text) == {
        "name": "flights",
        "limit": 25,
        "share": 0.5,
        "negative": -3,
        "words": [True, False, None],
        "quoted": "0777",
        "date": "2013-01-31",
        "nested": {"a": {"b": [1, "x"]}},
        "sql": "SELECT 1\n",
    }


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("NO", 'NO is read as false; quote it: "NO", or write false'),
        ("on", 'on is read as true; quote it: "on", or write true'),
        ("0777", '0777 is read as the number 511; quote it: "0777"'),
        ("22:30", '22:30 is read as the number 1350; quote it: "22:30"'),
        ("1e3", '1e3 is read as a number by some; quote it: "1e3"'),
        ("1_000", '1_000 is read as the number 1000; quote it: "1_000"'),
        ("0x1F", '0x1F is read as the number 31; quote it: "0x1F"'),
        (".inf", '.inf is read as the number inf; quote it: ".inf"'),
        ("1.", '1. is read as the number 1.0; quote it: "1."'),
        ("1234567890123456789", ("1234567890123456789 is read as the number 1234567890123456789; "
                                'quote it: "1234567890123456789"')),
    ],
)  # fmt: skip
def test_a_value_that_readers_disagree_about_is_refused(tmp_path: Path, written: str, expected: str) -> None:
    path = tmp_path / "report.yaml"
    path.write_text(f"a: 1\nparameters: {{x: [{written}]}}\n")

    with pytest.raises(ConfigurationRefused) as refused:
        load(path, "report.yaml")

    assert [str(problem) for problem in refused.value.problems] == [
        f"CFG_TYPE: report.yaml:2: parameters.x[0]: {expected}"
    ]


def test_each_value_has_a_line(tmp_path: Path) -> None:
    path = tmp_path / "report.yaml"
    path.write_text("name: a\nparameters:\n  region:\n    type: text\n    allowed:\n      - N\n      - S\n")

    lines = load(path)[1]

    assert lines["name",] == 1
    assert lines["parameters", "region"] == 3
    assert lines["parameters", "region", "allowed"] == 5
    assert lines["parameters", "region", "allowed", 1] == 7


@given(st.text() | st.text(alphabet="a:-[]{}\n \t&*!|>'\"#?,<0", max_size=60))
def test_any_text_is_either_read_or_refused(text: str) -> None:
    problems = Problems()

    table = parse(text.encode("utf-8", "surrogatepass"), "f.yaml", problems)

    assert (table is None) <= bool(problems)


@given(st.binary())
def test_any_bytes_are_either_read_or_refused(data: bytes) -> None:
    problems = Problems()

    table = parse(data, "f.yaml", problems)

    assert (table is None) <= bool(problems)
