# ruff: noqa: RUF001 - characters that look like others are what is tested
from __future__ import annotations

import os.path
from unicodedata import normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reportbus.core.codes import CODES
from reportbus.core.errors import Problem
from reportbus.core.names import (
    StagingKey,
    check_extension,
    check_report_name,
    check_request_id,
    parse_staging_key,
    staging_key,
)
from reportbus.core.paths import as_component, check_path, name_faults

PATH_PIECES = st.sampled_from(
    [
        "..", ".", "/", "\\", "a", "in", "finance", "%2e", "%", "2f", ":", "C:", "~", "-", " ", "\0", "\n",
        "CON",
        "\u2024", "\uff0e", "\uff0f", "\uff3c", "\u2028", "\u202e", "e\u0301", "<", "\u0338", "NUL.txt",
        "x" * 250,
        "\u00e9" * 100,
    ]
)  # fmt: skip
ODD_PATHS = st.lists(PATH_PIECES, max_size=8).map("".join) | st.text()


def codes_of(raw: object) -> set[str]:
    path, problems = check_path(raw, field="targets[0].path")
    assert (path is None) == bool(problems)
    assert all(problem.field == "targets[0].path" for problem in problems)
    return {problem.code for problem in problems}


# -- request ids ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "request_id"),
    [
        ("A-1", "A-1"),
        ("  a-1 ", "a-1"),
        ("6f1c2f1e-5a0f-4b7e-9a55-0c6f3d1e2b7a", "6f1c2f1e-5a0f-4b7e-9a55-0c6f3d1e2b7a"),
        ("x" * 36, "x" * 36),
        ("...", "..."),
        ("v1.2_final", "v1.2_final"),
    ],
)
def test_a_request_id_has_one_form_and_keeps_its_case(raw: str, request_id: str) -> None:
    assert check_request_id(raw) == request_id


@pytest.mark.parametrize(
    "raw",
    [
        None, "", " ", "\t", ".", "..", " .. ", "x" * 37, "x" * 40, "'; DROP TABLE x;--", "../../x", "a\n",
        "a b",
        "a/b", "a\\b", "a\0", "é", "１", "a\u200b", "a\ud800", "a%20", 7, 1.5, True, b"a", ["a"],
    ],
)  # fmt: skip
def test_what_is_no_request_id_is_refused(raw: object) -> None:
    problem = check_request_id(raw)

    assert isinstance(problem, Problem)
    assert (problem.code, problem.field) == ("VAL_REQUEST_ID", "REQUEST_ID")
    problem.text.encode()


def test_a_missing_request_id_is_called_missing() -> None:
    assert [str(check_request_id(raw)).split(";")[0] for raw in (None, "  ")] == [
        "VAL_REQUEST_ID: REQUEST_ID: is missing"
    ] * 2


# -- report names --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("Monthly Sales", "Monthly Sales"),
        (" /Finance/Monthly ", "/Finance/Monthly"),
        ("📈📊", "📈📊"),
        ("👩\u200d💻 and ❤\ufe0f\u200d🔥", "👩\u200d💻 and ❤\ufe0f\u200d🔥"),
        ("Übersicht", "Übersicht"),
        (normalize("NFD", "Übersicht"), "Übersicht"),
        ("تقرير", "تقرير"),
        ("<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"),
        ("x" * 255, "x" * 255),
    ],
)
def test_a_report_name_may_hold_anything_that_can_be_seen(raw: str, name: str) -> None:
    assert check_report_name(raw) == name


@pytest.mark.parametrize(
    "raw",
    [
        None, "", "   ", "\u00a0\u3000", "x" * 256, "é" * 256, "a\nb", "a\0b", "a\x1bb", "a\x85b",
        "gpj.\u202eexe",
        "a\u200bb", "a\u200db", "\ufeffa", "a\u2028b", "a\ud800", "\u3164", "a\u00adb", "\U000e0041",
        "\u200f",
        7, b"Monthly", ["Monthly"],
    ],
)  # fmt: skip
def test_a_report_name_that_is_not_what_it_looks_like_is_refused(raw: object) -> None:
    problem = check_report_name(raw)

    assert isinstance(problem, Problem)
    assert (problem.code, problem.field) == ("VAL_REPORT_NAME", "REPORT_NAME")


# -- paths ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("", ""),
        ("in", "in"),
        ("in/finance", "in/finance"),
        ("in/finance/", "in/finance"),
        ("2026/11/Q4 (draft)", "2026/11/Q4 (draft)"),
        ("Übersicht/日本/📈", "Übersicht/日本/📈"),
        (normalize("NFD", "Übersicht/é"), "Übersicht/é"),
        ("a..b/v1.2", "a..b/v1.2"),
        ("100%/a;b", "100%/a;b"),
        ("console/contact/com10/nullable.txt", "console/contact/com10/nullable.txt"),
        ("aux-files/con_1", "aux-files/con_1"),
        ("x" * 255, "x" * 255),
        ("/".join(["x" * 99] * 5), "/".join(["x" * 99] * 5)),
    ],
)
def test_a_plain_path_is_taken_in_its_one_form(raw: str, path: str) -> None:
    assert check_path(raw, field="path") == (path, [])


@pytest.mark.parametrize(
    "raw",
    [
        "..", "../x", "a/..", "a/../b", "../../../etc/passwd", "....//", "..;/", ".", "./a", "a/./b", "...",
        "/", "/etc", "//evil/share", "a//b", "a//", "\\", "a\\b", "..\\..\\x", "\\\\evil\\share\\x",
        "\\\\?\\C:\\x",
        "C:", "C:/x", "c:x", "a:stream", "report.pdf::$DATA", "file:///etc", "~", "~root/x", "a/~/b", ".ssh",
        "a/.git",
        "-rf", "a/-x", "%2e%2e%2f", "%2E%2E/x", "a/%2e%2e", "%252e%252e%252f", "%c0%ae%c0%ae%c0%af", "a%00",
        "a%2fb",
        "．．／", "．．/x", "a／．．", "‥/x", "․․/x", "＼＼evil", "a：b", "℀/../x", "a℀b/..",
        "a\0b", "a\nb", "a\rb", "a\tb", "a\x7fb", "a\x85b", "a\u2028b", "a\u2029b", "a\u202eb", "a\u200bb",
        "a\ud800b",
        "\ufeffa",
    ],
)  # fmt: skip
def test_a_path_that_may_lead_out_of_its_root_is_refused(raw: str) -> None:
    assert "SEC_PATH" in codes_of(raw)


@pytest.mark.parametrize(
    "raw",
    [
        "CON", "con", "nul.txt", "in/Aux", "PRN.pdf", "COM1", "lpt9.csv", "com¹", "CONIN$", "clock$",
        "nul .txt", "con.a.b",
        "a.", "a ", "a. ", " a", "in /x", "in./x", "a\u00a0", "a<b>", "a>b", 'a"b', "a|b", "a?b", "a*b",
        "a＜b", "a？",
        "<\u0338",
    ],
)  # fmt: skip
def test_a_name_that_windows_does_not_take_is_refused_for_every_target(raw: str) -> None:
    assert codes_of(raw) == {"CFG_SMB_NAME"}


@pytest.mark.parametrize(
    "raw",
    ["x" * 256, "é" * 128, "é" * 200, "a/" + "日" * 86, "x/" * 251, "x" * 501, "\0" * 300_000, "ﷺ" * 20],
)
def test_a_path_longer_than_file_systems_store_is_refused(raw: str) -> None:
    assert codes_of(raw) == {"CFG_PATH_TOO_LONG"}


@pytest.mark.parametrize("raw", [None, 7, True, ["in"], {"a": "b"}, b"in"])
def test_a_path_that_is_no_text_is_refused(raw: object) -> None:
    assert codes_of(raw) == {"CFG_TYPE"}


def test_everything_wrong_with_a_path_is_told_at_once() -> None:
    assert codes_of("/in/../CON/" + "é" * 200) == {"SEC_PATH", "CFG_SMB_NAME", "CFG_PATH_TOO_LONG"}


def test_a_problem_shows_the_offending_name_escaped_and_cut() -> None:
    _, problems = check_path("a" * 300 + "?", field="path")

    assert all(len(problem.text) < 400 for problem in problems)


@settings(max_examples=500)
@given(ODD_PATHS)
def test_a_path_that_is_taken_stays_below_any_root(raw: str) -> None:
    path, problems = check_path(raw, field="path")

    assert (path is None) == bool(problems)
    assert all(problem.code in CODES for problem in problems)
    if path is not None:
        for form in (path, normalize("NFKC", path), normalize("NFD", path)):
            whole = os.path.normpath(os.path.join("/root", form))  # noqa: PTH118 - what an adapter could do worst
            assert whole == "/root" or whole.startswith("/root/")
            assert whole == os.path.join("/root", form).rstrip("/")  # noqa: PTH118 - as above
        assert check_path(path, field="path") == (path, [])


# -- parts of names ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "component"),
    [
        ("2026-11-01", "2026-11-01"),
        ("North East", "North East"),
        ("../../etc/x", "etc_x"),
        ("/Finance/Monthly", "Finance_Monthly"),
        ("a\\b:c*d", "a_b_c_d"),
        ("．．／x", "x"),
        ("a..b", "a_b"),
        ("a\n\0b", "a_b"),
        ("gpj.\u202eexe", "gpj._exe"),
        ("50% ~ more", "50_ _ more"),
        ("Acme Inc.", "Acme Inc"),
        ("  x  ", "x"),
        ("½", "1⁄2"),
        ("Ⅷ ﬁ", "VIII fi"),
        ("a\ud800b", "a_b"),
        ("///", ""),
        ("..", ""),
        ("", ""),
    ],
)
def test_a_value_becomes_one_part_of_one_name(value: str, component: str) -> None:
    assert as_component(value, leading=False) == component


def test_a_hyphen_is_replaced_only_where_a_name_begins() -> None:
    assert [as_component("-5", leading=leading) for leading in (True, False)] == ["_5", "-5"]
    assert as_component("--. -rf", leading=True) == "_rf"


@given(value=st.text(st.characters()), leading=st.booleans())
def test_no_value_brings_a_separator_or_a_way_up(value: str, *, leading: bool) -> None:
    component = as_component(value, leading=leading)

    assert not set("/\\:\0\n") & set(component)
    assert ".." not in component
    component.encode()


# -- extensions ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "format_"),
    [
        ("a.pdf", "PDF"),
        ("A.PDF", "PDF"),
        ("v1.2.csv", "CSV"),
        ("acme.com.xlsx", "XLSX"),
        ("x.y/a.html", "HTML"),
    ],
)
def test_a_name_that_ends_as_its_format_does_is_taken(name: str, format_: str) -> None:
    assert check_extension(name, format_) is None


@pytest.mark.parametrize(
    ("name", "format_"),
    [
        ("a.xlsx", "CSV"), ("a", "PDF"), ("apdf", "PDF"), ("a.pdf.exe", "PDF"), ("a.exe.pdf", "PDF"),
        ("a.xlsx.pdf", "PDF"),
        ("a.pdf.PDF", "PDF"), ("a.PHP.html", "HTML"), ("a.pdf ", "PDF"), ("a.pdf.", "PDF"), ("a.htm", "HTML"),
    ],
)  # fmt: skip
def test_a_name_with_another_or_a_second_extension_is_refused(name: str, format_: str) -> None:
    problem = check_extension(name, format_, field="targets[1].file_name")

    assert problem is not None
    assert (problem.code, problem.field) == ("TPL_EXT", "targets[1].file_name")


# -- staging keys --------------------------------------------------------------------------------------------


def test_a_staging_key_says_whose_file_it_is() -> None:
    key = staging_key("A-1", 2, 7, "Übersicht 2026.pdf")

    assert key == "reports/A-1/2/7/Übersicht 2026.pdf"
    assert parse_staging_key(key) == StagingKey("A-1", 2, 7, "Übersicht 2026.pdf")


@pytest.mark.parametrize(
    "key",
    [
        "", "reports/", "reports/evil.pdf", "/reports/a/1/1/x.pdf", "reports/a/1/1/", "reports/a/1/x.pdf",
        "reports/a/1/1/2/x.pdf", "reports/a/0/1/x.pdf", "reports/a/1/0/x.pdf", "reports/a/01/1/x.pdf",
        "reports/a/-1/1/x.pdf", "reports/a/1/+1/x.pdf", "reports/a/١/1/x.pdf",
        "reports/a/1/99999999999/x.pdf",
        "reports/../1/1/x.pdf", "reports/./1/1/x.pdf", "reports//1/1/x.pdf", "reports/a/1/1/..",
        "reports/a/1/1/.",
        "reports/a/1/1/.hidden", "reports/a/1/1/-x", "reports/a/1/1/x%2e.pdf", "reports/a%20b/1/1/x.pdf",
        "reports%2Fa/1/1/x.pdf", "Reports/a/1/1/x.pdf", "other/a/1/1/x.pdf", "reports/a/1/1/x\n",
        "reports/a/1/1/x\0.pdf",
        "reports/a/1/1/a\\b.pdf", "reports/a/1/1/CON", "reports/a/1/1/e\u0301.pdf",
        "reports/a/1/1/\ud800.pdf",
        "reports/" + "x" * 37 + "/1/1/x.pdf", "reports/a/1/1/" + "é" * 130, None, 7, b"reports/a/1/1/x.pdf",
    ],
)  # fmt: skip
def test_a_key_that_was_not_made_here_says_nothing(key: object) -> None:
    assert parse_staging_key(key) is None


@pytest.mark.parametrize(
    "parts",
    [
        ("..", 1, 1, "x"),
        ("a", 0, 1, "x"),
        ("a", 1, -1, "x"),
        ("a", 1, 1, "a/b"),
        ("a/1", 1, 1, "x"),
        ("a", 1, 1, ""),
    ],
)
def test_no_key_is_made_of_parts_that_were_not_checked(parts: tuple[str, int, int, str]) -> None:
    with pytest.raises(ValueError, match="no staging key"):
        staging_key(*parts)


@given(
    st.from_regex(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,35}", fullmatch=True),
    st.integers(1, 10**9),
    st.integers(1, 10**9),
    st.text(min_size=1, max_size=60).map(lambda text: normalize("NFC", text)),
)
def test_every_key_that_is_made_is_read_back(request_id: str, run: int, job: int, file_name: str) -> None:
    if "/" in file_name or name_faults(file_name):
        with pytest.raises(ValueError, match="no staging key"):
            staging_key(request_id, run, job, file_name)
    else:
        key = staging_key(request_id, run, job, file_name)
        assert parse_staging_key(key) == StagingKey(request_id, run, job, file_name)


@given(st.text() | st.lists(PATH_PIECES, max_size=5).map(lambda pieces: "reports/a/1/1/" + "".join(pieces)))
def test_reading_a_key_never_raises(key: str) -> None:
    parsed = parse_staging_key(key)

    assert parsed is None or staging_key(parsed.request_id, parsed.run, parsed.job, parsed.file_name) == key
