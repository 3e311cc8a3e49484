from __future__ import annotations

import io
import struct
import time
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportbus.core.errors import Permanent, ReportbusError, Transient
from reportbus.core.formats import FORMATS
from reportbus.core.output_check import check_output

ENDS = 1024


def judge(format_: str, data: bytes, *, empty_allowed: bool = False) -> ReportbusError | None:
    return check_output(format_, len(data), data[:ENDS], data[-ENDS:], empty_allowed=empty_allowed)


def office(folder: str, comment: bytes = b"") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        for number in range(30):
            archive.writestr(f"{folder}/part{number}.xml", f"<part>{number}</part>" * 20)
        archive.comment = comment
    return packed.getvalue()


def parquet(rows: int) -> bytes:
    body, footer = bytes(range(256)) * rows, b"schema and row groups"
    return b"PAR1" + body + footer + struct.pack("<I", len(footer)) + b"PAR1"


def png() -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


PDF = b"%PDF-1.7\n" + b"1 0 obj <</Length 0>> endobj\n" * 100 + b"trailer\nstartxref\n9\n%%EOF\n"
TABLE = "id,name,amount\r\n" + "".join(f'{n},"Müller, Söhne ""{n}""",{n}.50\r\n' for n in range(100))
LINES = "".join(f'{{"id": {n}, "name": "Zoë"}}\n' for n in range(100))
PAGE = (
    "<!DOCTYPE html>\n<html><head><title>Sales</title></head><body>" + "<p>1</p>" * 400 + "</body></html>\n"
)
DOCUMENT = (
    '<?xml version="1.0"?>\n<!-- made by hand -->\n<r:rows xmlns:r="urn:x">'
    + "<row n='1'/>" * 200
    + "</r:rows>"
)

GOOD = {
    "a PDF file": ("PDF", PDF),
    "a PDF file with bytes behind its end": ("PDF", PDF + b"\r\n\0"),
    "a workbook": ("XLSX", office("xl")),
    "a text document": ("DOCX", office("word")),
    "a presentation": ("PPTX", office("ppt")),
    "an archive with a comment": ("ZIP", office("any", b"made by PK\x01\x02")),
    "an empty archive": ("ZIP", b"PK\x05\x06" + bytes(18)),
    "a small Parquet file": ("PARQUET", parquet(0)),
    "a large Parquet file": ("PARQUET", parquet(50)),
    "a picture": ("PNG", png()),
    "a table": ("CSV", TABLE.encode()),
    "a table with a byte order mark": ("CSV", b"\xef\xbb\xbf" + TABLE.encode()),
    "a table in UTF-16": ("CSV", TABLE.encode("utf-16")),
    "a table in UTF-16 of the other order": ("CSV", b"\xfe\xff" + TABLE.encode("utf-16-be")),
    "a table in Latin-1": ("CSV", TABLE.encode("latin-1")),
    "a table without a last line break": ("CSV", TABLE.rstrip().encode()),
    "a small table without a last line break": ("CSV", b"id;name\n1;a\n2;b"),
    "a table with semicolons": ("CSV", b"id;amount\n" + b"1;2,5\n" * 500 + b"1;2,5"),
    "a table of one column": ("CSV", b"id\n" + b"1234\n" * 500 + b"12"),
    "a table with a title and a total": ("CSV", b"Sales\n\nid,amount\n" + b"1,2\n" * 500 + b"total"),
    "a header alone": ("CSV", b"id,name"),
    "a table whose last cell has many lines": (
        "CSV",
        b"id,text\n" + b"1,x\n" * 500 + b'2,"first\nlast, line"',
    ),
    "a table whose last cell ends in a comma": ("CSV", b"id,text\n" + b"1,x\n" * 500 + b'2,"a\nb,"'),
    "a table with inches": ("CSV", b'id,size\n1,5" pipe\n' * 300 + b'2,"6"" pipe"'),
    "a table of one long line": ("CSV", b"id," + b"x" * 5000),
    "a table that begins with a brace": ("CSV", b"{id},name\n1,a\n"),
    "lines of JSON": ("JSONL", LINES.encode()),
    "lines of JSON without a last line break": ("JSONL", LINES.rstrip().encode()),
    "lines of JSON with a byte order mark": ("JSONL", b"\xef\xbb\xbf" + LINES.encode()),
    "one long line of JSON": ("JSONL", b'{"text": "' + b"x" * 5000 + b'"}\n'),
    "one line of JSON": ("JSONL", b'{"n": 1}'),
    "a page": ("HTML", PAGE.encode()),
    "a page in capital letters": ("HTML", PAGE.upper().encode()),
    "a page of XML": ("HTML", b'<?xml version="1.0"?>\n' + PAGE.encode() + b"<!-- end -->"),
    "a document": ("XML", DOCUMENT.encode()),
    "a document with a comment behind it": ("XML", DOCUMENT.encode() + b"\n<!-- </end> -->\n<?end?>\n"),
    "a document in UTF-16": ("XML", DOCUMENT.encode("utf-16")),
    "a document type": ("XML", b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "b">]><r>&a;</r >'),
    "an element alone": ("XML", b"<r:rows count='0' />\n"),
    "a document with a long comment": ("XML", b"<!--" + b"x" * 2000 + b"--><r></r>"),
    "any text": ("TXT", b"Dear Sir,\n\n{1 < 2}"),
}

LOGIN = b"\n<!DOCTYPE html>\n<html lang='en'><head><title>Sign&nbsp;in</title></head><body>...</body></html>"
SOAP = (
    b'<?xml version="1.0"?><soap:Envelope xmlns:soap="urn:s"><soap:Body><soap:Fault>'
    b"<faultstring>session expired</faultstring></soap:Fault></soap:Body></soap:Envelope>"
)
COMPLAINT = b'{"error": {"code": 401, "message": "token has expired"}}'
ERROR_PAGES = {"HTML": LOGIN, "XML": SOAP, "JSON": COMPLAINT}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_file_is_not_refused(name: str) -> None:
    format_, data = GOOD[name]
    assert judge(format_, data) is None


def test_the_corpus_has_a_good_file_of_every_format() -> None:
    assert {format_ for format_, _ in GOOD.values()} == set(FORMATS)


@pytest.mark.parametrize("page", ERROR_PAGES)
@pytest.mark.parametrize("format_", sorted(set(FORMATS) - {"HTML", "XML", "JSONL", "TXT"}))
def test_an_error_page_is_refused_for_good(format_: str, page: str) -> None:
    error = judge(format_, ERROR_PAGES[page])
    assert isinstance(error, Permanent)
    assert error.code == "ENG_BAD_OUTPUT"
    assert f"asked for {format_}, got an" in error.text or f"got a {page}" in error.text


@pytest.mark.parametrize(
    ("page", "words"),
    [("HTML", "'Sign in'"), ("XML", "'session expired'"), ("JSON", "'token has expired'")],
)
def test_the_refusal_tells_what_the_error_page_says(page: str, words: str) -> None:
    error = judge("PDF", ERROR_PAGES[page])
    assert error is not None
    assert words in error.text


def test_the_refusal_tells_nothing_else_of_what_came_instead() -> None:
    """It could be the report itself, in another format."""
    error = judge("XLSX", b"name,salary\nAda,100000\n")
    assert error is not None
    assert error.text == "asked for XLSX, got text of another kind"


@pytest.mark.parametrize(
    ("asked", "got"),
    [
        ("XLSX", "a table"), ("XLSX", "a PDF file"), ("XLSX", "a text document"), ("DOCX", "a presentation"),
        ("PPTX", "a workbook"), ("PDF", "a picture"), ("PARQUET", "an archive with a comment"),
        ("CSV", "a workbook"), ("CSV", "a page"), ("CSV", "a document"), ("CSV", "lines of JSON"),
        ("JSONL", "a page"), ("JSONL", "a table"), ("JSONL", "a small Parquet file"), ("HTML", "a table"),
        ("HTML", "lines of JSON"), ("HTML", "a PDF file"), ("XML", "a page"), ("XML", "lines of JSON"),
        ("XML", "any text"), ("TXT", "a page"), ("TXT", "a workbook"), ("PNG", "any text"),
        ("ZIP", "a picture"),
    ],
)  # fmt: skip
def test_a_file_of_another_format_is_refused_for_good(asked: str, got: str) -> None:
    error = judge(asked, GOOD[got][1])
    assert isinstance(error, Permanent)
    assert error.code == "ENG_BAD_OUTPUT"


@pytest.mark.parametrize("format_", ["HTML", "XML"])
def test_a_fault_is_no_report_even_where_markup_was_asked_for(format_: str) -> None:
    error = judge(format_, SOAP)
    assert isinstance(error, Permanent)
    assert "session expired" in error.text


def test_a_pretty_printed_error_is_not_taken_for_lines_of_json() -> None:
    error = judge("JSONL", b'{\n  "error": "no such report"\n}\n')
    assert isinstance(error, Permanent)


CUT_ANYWHERE = [
    "a PDF file", "a workbook", "an archive with a comment", "a large Parquet file", "a picture", "a page",
    "a document", "a document in UTF-16", "one line of JSON",
]  # fmt: skip


@pytest.mark.parametrize("name", CUT_ANYWHERE)
def test_a_file_cut_anywhere_is_found_out_and_asked_for_again(name: str) -> None:
    format_, data = GOOD[name]
    mark = len(data.rstrip()) - 1
    begin = max(len(FORMATS[format_].begins), 80 if format_ in {"XML", "HTML"} else 2)
    for size in {*range(begin, min(mark, 400)), *range(max(begin, mark - 1500), mark)}:
        error = judge(format_, data[:size])
        assert isinstance(error, Transient), f"cut after {size} of {len(data)} bytes"
        assert error.code == "TemporaryFailure"
        assert error.text.startswith("ENG_TRUNCATED: ")


@pytest.mark.parametrize(
    ("format_", "data"),
    [
        ("CSV", b"id,name,amount\n" + b"1,a,2\n" * 500 + b"1,a"),
        ("CSV", b"id,name,amount\n1,a,2\n1"),
        ("CSV", b"id,name,amount\n" + b"1,a,2\n" * 500 + b'1,"M\xc3\xbcller, S'),
        ("CSV", b"id,name,amount\r\n" + b"1,a,2\r\n" * 500 + b'1,"x'),
        ("CSV", TABLE.encode("utf-16")[:-1]),
        ("JSONL", LINES.encode()[:-4]),
        ("JSONL", b'{"n": 1}\n' * 500 + b'{"n":'),
        ("JSONL", b"[" * ENDS),
        ("PARQUET", b"PAR1" + struct.pack("<I", 5000) + b"PAR1"),
        ("XLSX", office("xl")[:900] + office("xl")[2500:]),
    ],
)
def test_a_cut_that_only_the_last_lines_show_is_found_out(format_: str, data: bytes) -> None:
    error = judge(format_, data)
    assert isinstance(error, Transient)
    assert "ENG_TRUNCATED" in error.text


@pytest.mark.parametrize("format_", FORMATS)
def test_an_empty_file_is_refused_where_nobody_vouches_for_it(format_: str) -> None:
    error = judge(format_, b"")
    assert isinstance(error, Permanent)
    assert error.code == "ENG_EMPTY_OUTPUT"


@pytest.mark.parametrize(
    ("format_", "good"), [("CSV", True), ("JSONL", True), ("TXT", True), ("PDF", False), ("XLSX", False)]
)
def test_an_empty_file_can_be_allowed_only_where_no_bytes_are_a_good_file(
    format_: str, *, good: bool
) -> None:
    assert (judge(format_, b"", empty_allowed=True) is None) == good


@given(format_=st.sampled_from(sorted(FORMATS)), begins=st.booleans(), data=st.binary(max_size=3000))
def test_any_bytes_get_an_answer(format_: str, *, begins: bool, data: bytes) -> None:
    judge(format_, FORMATS[format_].begins + data if begins else data)


@pytest.mark.parametrize(
    "piece",
    ["<!---->", "<!--", "<?a?>", "<a ", "</a", '"', '""', ',"', "[{", '{"a":', "<!doctype [", "<title>", " "],
)
@pytest.mark.parametrize("behind", ["", "x", "\n"])
def test_bytes_made_to_be_slow_are_judged_at_once(piece: str, behind: str) -> None:
    data = (piece * 3000).encode()[:3000] + behind.encode()
    started = time.process_time()
    for format_ in FORMATS:
        judge(format_, FORMATS[format_].begins + data)
        judge(format_, b"<r>" + data)
    assert time.process_time() - started < 1
