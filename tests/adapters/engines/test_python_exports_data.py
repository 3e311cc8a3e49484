"""CSV, JSON lines, Parquet and XLSX: what is in the query is in the file, with its type."""

from __future__ import annotations

import csv
import io
import json
import warnings
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from adapters.engines.export_bench import ExportBench, MemorySink
from reportbus.core.errors import Permanent
from reportbus.core.formats import FORMATS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openpyxl.worksheet.worksheet import Worksheet

EVERYTHING = """
    SELECT 1 AS id, 'Zürich, "so" 😀' AS place, -12.50::DECIMAL(12, 2) AS amount, 0.1::DOUBLE AS ratio,
           true AS paid, DATE '2026-02-03' AS day, TIMESTAMP '2026-02-03 04:05:06' AS at,
           TIMESTAMPTZ '2026-02-03 04:05:06+02:00' AS instant, TIME '04:05:06' AS hour
    UNION ALL SELECT 2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    ORDER BY id
"""
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\x00x"]
HARMLESS = ["1+1", "a=b", "'x", " =1", "", "x"]


@pytest.fixture
def bench() -> Iterator[ExportBench]:
    bench = ExportBench()
    yield bench
    bench.close()


def sheet_of(data: bytes) -> Worksheet:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        book = openpyxl.load_workbook(io.BytesIO(data))
    sheet = book.active
    assert isinstance(sheet, openpyxl.worksheet.worksheet.Worksheet)
    return sheet


def cells_of(data: bytes) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in sheet_of(data).iter_rows()]


def listing(values: list[str]) -> str:
    """SQL that gives these texts as rows, in order."""
    quoted = ", ".join(
        "chr({}) || '{}'".format(ord(v[0]), v[1:].replace("'", "''")) if v else "''" for v in values
    )
    return f"SELECT unnest([{quoted}]) AS text"


def test_csv_keeps_numbers_days_and_nulls_apart_from_text(bench: ExportBench) -> None:
    assert (
        '"id","place","amount","ratio","paid","day","at","instant","hour"\n'
        '1,"Zürich, ""so"" 😀",-12.50,0.1,true,2026-02-03,2026-02-03 04:05:06,'
        '"2026-02-03 02:05:06Z",04:05:06.000000\n'
        "2,,,,,,,,\n"
    ) == bench.make("CSV", EVERYTHING).text


def test_csv_tells_no_text_from_text_without_characters(bench: ExportBench) -> None:
    assert '"a","b"\n,""\n' == bench.make("CSV", "SELECT NULL::VARCHAR AS a, '' AS b").text


def test_csv_shows_a_fraction_of_a_second_where_there_is_one(bench: ExportBench) -> None:
    text = bench.make("CSV", "SELECT TIMESTAMP '2026-02-03 04:05:06.25' AS at").text
    assert '"at"\n2026-02-03 04:05:06.250000\n' == text


def test_json_lines_keep_every_digit_and_every_type(bench: ExportBench) -> None:
    first, second = bench.make("JSONL", EVERYTHING).text.splitlines()
    assert {
        "id": 1,
        "place": 'Zürich, "so" 😀',
        "amount": Decimal("-12.50"),
        "ratio": Decimal("0.1"),
        "paid": True,
        "day": "2026-02-03",
        "at": "2026-02-03T04:05:06",
        "instant": "2026-02-03T02:05:06Z",
        "hour": "04:05:06.000000",
    } == json.loads(first, parse_float=Decimal)
    assert {None} == set(json.loads(second).values()) - {2}


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("12345678901234567890123456789012345678::DECIMAL(38, 0)", "12345678901234567890123456789012345678"),
        ("0.0000000001::DECIMAL(38, 10)", "0.0000000001"),
        ("9223372036854775807", "9223372036854775807"),
        ("'a\nb' || chr(1) || '\\'", '"a\\nb\\u0001\\\\"'),
        ("'NaN'::DOUBLE", "null"),
        ("[1, 2]", '"[1, 2]"'),
        ("{'a': DATE '2026-01-01'}", '"{\\"a\\": \\"2026-01-01\\"}"'),
    ],
)
def test_json_lines_write_odd_values_so_that_they_can_be_read(
    bench: ExportBench, sql: str, text: str
) -> None:
    assert f'{{"x":{text}}}\n' == bench.make("JSONL", f"SELECT {sql} AS x").text


def test_json_lines_of_many_batches_are_all_there(bench: ExportBench) -> None:
    lines = bench.make("JSONL", "SELECT i, 'x' || i AS t FROM range(100000) r(i)").text.splitlines()
    assert [{"i": 99_999, "t": "x99999"}, 100_000] == [json.loads(lines[-1]), len(lines)]


def test_parquet_keeps_the_types_of_the_database(bench: ExportBench) -> None:
    table = pq.read_table(io.BytesIO(bench.make("PARQUET", EVERYTHING).data))
    assert {
        "id": pa.int32(),
        "place": pa.string(),
        "amount": pa.decimal128(12, 2),
        "ratio": pa.float64(),
        "paid": pa.bool_(),
        "day": pa.date32(),
        "at": pa.timestamp("us"),
        "instant": pa.timestamp("us", "UTC"),
        "hour": pa.time64("us"),
    } == dict(zip(table.schema.names, table.schema.types, strict=True))
    assert {
        "id": 1,
        "place": 'Zürich, "so" 😀',
        "amount": Decimal("-12.50"),
        "ratio": 0.1,
        "paid": True,
        "day": date(2026, 2, 3),
        "at": datetime.fromisoformat("2026-02-03T04:05:06"),
        "instant": datetime(2026, 2, 3, 2, 5, 6, tzinfo=UTC),
        "hour": time(4, 5, 6),
    } == table.to_pylist()[0]
    assert {None} == set(table.to_pylist()[1].values()) - {2}


def test_parquet_keeps_lists_and_structures_and_writes_what_it_cannot_have_as_text(
    bench: ExportBench,
) -> None:
    sql = "SELECT [1, 2] AS l, {'a': 1} AS s, INTERVAL 1 DAY AS i, NULL AS n, 'a'::ENUM('a', 'b') AS e"
    (row,) = pq.read_table(io.BytesIO(bench.make("PARQUET", sql).data)).to_pylist()
    assert ([1, 2], {"a": 1}, None, "a") == (row["l"], row["s"], row["n"], row["e"])
    assert isinstance(row["i"], str)


def test_parquet_of_many_batches_has_row_groups_of_a_usual_size(bench: ExportBench) -> None:
    file = pq.ParquetFile(io.BytesIO(bench.make("PARQUET", "SELECT i FROM range(400000) r(i)").data))
    assert 400_000 == file.metadata.num_rows
    assert all(100_000 < file.metadata.row_group(number).num_rows for number in range(3))


def test_xlsx_cells_have_types(bench: ExportBench) -> None:
    sheet = sheet_of(bench.make("XLSX", EVERYTHING, title="All [of] it").data)
    header, first, second = list(sheet.iter_rows())
    assert "All  of  it" == sheet.title
    assert "A2" == sheet.freeze_panes
    assert "A1:I3" == sheet.auto_filter.ref
    assert all(cell.font.bold for cell in header)
    assert [
        (1, "n", "0"),
        ('Zürich, "so" 😀', "s", "General"),
        (-12.5, "n", "0.00"),
        (0.1, "n", "General"),
        (True, "b", "General"),
        (datetime.fromisoformat("2026-02-03T00:00:00"), "d", "yyyy-mm-dd"),
        (datetime.fromisoformat("2026-02-03T04:05:06"), "d", "yyyy-mm-dd hh:mm:ss"),
        (datetime.fromisoformat("2026-02-03T02:05:06"), "d", "yyyy-mm-dd hh:mm:ss"),
        (time(4, 5, 6), "d", "hh:mm:ss"),
    ] == [(cell.value, cell.data_type, cell.number_format) for cell in first]
    assert [2] + [None] * 8 == [cell.value for cell in second]


def test_xlsx_looks_as_the_definition_says(bench: ExportBench) -> None:
    sql = "SELECT 1234.5::DECIMAL(9, 2) AS amount, 0.125 AS share, DATE '2026-02-03' AS day"
    styles = {
        "amount": {"format": ",.1", "label": "Amount"},
        "share": {"format": ".1%"},
        "day": {"format": "%d.%m.%Y"},
    }
    header, row = list(sheet_of(bench.make("XLSX", sql, columns=styles).data).iter_rows())
    assert ["Amount", "share", "day"] == [cell.value for cell in header]
    assert ["#,##0.0", "0.0%", "dd.mm.yyyy"] == [cell.number_format for cell in row]


@pytest.mark.parametrize("format_", ["CSV", "XLSX"])
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(bench: ExportBench, format_: str) -> None:
    data = bench.make(format_, listing([*FORMULAS, *HARMLESS]), columns={"text": {"label": "=label"}}).data
    if format_ == "CSV":
        rows = [row[0] for row in csv.reader(io.StringIO(data.decode(), newline=""))]
    else:
        rows = [str(row[0] or "").replace("_x000D_", "\r").replace("_x0000_", "") for row in cells_of(data)]
    harmful = [f"'{text}".replace("\0", "") for text in FORMULAS]
    assert ["'=label", *harmful, *HARMLESS] == rows


def test_negative_numbers_stay_numbers(bench: ExportBench) -> None:
    assert '"a"\n-1\n' == bench.make("CSV", "SELECT -1 AS a").text
    assert [["a"], [-1]] == cells_of(bench.make("XLSX", "SELECT -1 AS a").data)


@pytest.mark.parametrize("format_", ["CSV", "XLSX"])
def test_the_guard_can_be_switched_off_and_that_is_told_to_the_audit_trail(
    bench: ExportBench, format_: str
) -> None:
    file = bench.make(format_, "SELECT '=1+1' AS text", formula_guard=False)
    assert "formula_guard is off" in file.produced.note
    if format_ == "CSV":
        assert '"text"\n"=1+1"\n' == file.text
    else:
        cell = sheet_of(file.data)["A2"]
        assert ("=1+1", "s") == (cell.value, "s"), "text that looks like a formula is a string nevertheless"
        assert b"<f>" not in file.data


def test_text_in_csv_is_without_nul_wherever_it_stood(bench: ExportBench) -> None:
    file = bench.make("CSV", "SELECT chr(0) || 'a' AS one, 'b' || chr(0) || 'c' AS two, 'd' AS three")
    assert '"one","two","three"\n"\'a","bc","d"\n' == file.text


def test_the_guard_is_on_unless_it_is_switched_off_and_then_says_nothing(bench: ExportBench) -> None:
    assert "" == bench.make("CSV", "SELECT '=1+1' AS text").produced.note


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT i FROM range(1048576) r(i)", "1,048,576 rows"),
        ("SELECT repeat('x', 32768) AS text", "32,768"),
        ("SELECT repeat('😀', 16384) AS text", "32,768"),
        ("SELECT '=' || repeat('x', 32767) AS text", "32,769"),
        ("SELECT 9007199254740993 AS id", "type as text"),
        ("SELECT sum(i) * 1000000000000000000 AS total FROM range(100) r(i)", "type as text"),
        ("SELECT DATE '1900-01-31' AS day", "1900-03-01"),
        ("SELECT TIMESTAMP '1850-01-31 00:00:00' AS at", "1900-03-01"),
        ("SELECT " + ",".join("1" * 16_385), "16384 columns"),
    ],
)
def test_what_excel_cannot_hold_is_refused_before_a_byte_is_written(
    bench: ExportBench, sql: str, words: str
) -> None:
    sink = MemorySink()
    with pytest.raises(Permanent) as caught:
        bench.engine(sql=sql).generate(bench.work("XLSX"), sink)
    assert "PY_XLSX_LIMIT" == caught.value.code
    assert words in caught.value.text
    assert 0 == sink.size


@pytest.mark.slow
def test_a_sheet_as_long_as_excel_holds_is_written(bench: ExportBench) -> None:
    file = bench.make("XLSX", "SELECT i FROM range(1048575) r(i)")
    assert 1_048_575 == file.produced.rows
    assert FORMATS["XLSX"].begins == file.data[:4]


def test_the_longest_cell_that_excel_holds_is_written_whole(bench: ExportBench) -> None:
    (_, (text,)) = cells_of(bench.make("XLSX", "SELECT repeat('ü', 32767) AS text").data)
    assert "ü" * 32_767 == text


def test_whole_numbers_too_large_for_excel_can_be_written_as_text(bench: ExportBench) -> None:
    data = bench.make("XLSX", "SELECT 9007199254740993 AS id", columns={"id": {"type": "text"}}).data
    assert [["id"], ["9007199254740993"]] == cells_of(data)


def test_decimals_of_more_digits_than_excel_shows_are_noted(bench: ExportBench) -> None:
    file = bench.make("XLSX", "SELECT 12345678901234.5678::DECIMAL(20, 4) AS amount")
    assert "15 digits of the decimals in column 'amount'" in file.produced.note
    assert "" == bench.make("XLSX", "SELECT 1.5678::DECIMAL(20, 4) AS amount").produced.note


@pytest.mark.parametrize("format_", ["CSV", "XLSX", "PARQUET", "JSONL", "HTML", "PDF"])
def test_a_report_without_rows_is_a_whole_file_with_its_columns(bench: ExportBench, format_: str) -> None:
    file = bench.make(format_, "SELECT 1 AS a, 'x' AS b WHERE false", totals={"a": "sum"})
    kind = FORMATS[format_]
    assert 0 == file.produced.rows
    assert file.data.startswith(kind.begins)
    assert kind.ends in file.data[-1024:]


@pytest.mark.parametrize("format_", ["CSV", "XLSX", "PARQUET", "JSONL", "HTML", "PDF"])
def test_rows_are_counted(bench: ExportBench, format_: str) -> None:
    assert 1_000 == bench.make(format_, "SELECT i FROM range(1000) r(i)").produced.rows


@pytest.mark.parametrize("format_", ["CSV", "XLSX", "PARQUET", "JSONL", "HTML", "PDF"])
def test_more_rows_than_the_definition_allows_are_an_error_and_never_cut(
    bench: ExportBench, format_: str
) -> None:
    assert 10 == bench.make(format_, "SELECT i FROM range(10) r(i)", max_rows=10).produced.rows
    with pytest.raises(Permanent, match="PY_ROW_LIMIT"):
        bench.make(format_, "SELECT i FROM range(11) r(i)", max_rows=10)


def test_the_same_request_gives_the_same_bytes(bench: ExportBench) -> None:
    for format_ in ("CSV", "PARQUET", "JSONL", "HTML", "PDF"):
        assert bench.make(format_, EVERYTHING).data == bench.make(format_, EVERYTHING).data


def test_two_columns_of_one_name_are_both_written(bench: ExportBench) -> None:
    sql = "SELECT 1 AS a, 'x' AS a"
    assert '"a","a"\n1,"x"\n' == bench.make("CSV", sql).text
    assert [["a", "a"], [1, "x"]] == cells_of(bench.make("XLSX", sql).data)


def test_a_declared_type_is_given_to_the_column_in_every_format(bench: ExportBench) -> None:
    sql = "SELECT '2026-02-03' AS day, '12.335001' AS amount, 7 AS id"
    types = {"day": {"type": "date"}, "amount": {"type": "decimal(9,2)"}, "id": {"type": "text"}}
    table = pq.read_table(io.BytesIO(bench.make("PARQUET", sql, columns=types).data))
    assert [pa.date32(), pa.decimal128(9, 2), pa.string()] == table.schema.types
    assert '"day","amount","id"\n2026-02-03,12.34,"7"\n' == bench.make("CSV", sql, columns=types).text


def test_a_value_that_a_declared_type_cannot_hold_is_an_error_that_names_the_column(
    bench: ExportBench,
) -> None:
    with pytest.raises(Permanent, match=r"PY_COLUMN_TYPE.*'day'") as caught:
        bench.make("CSV", "SELECT 'CANARY' AS day", columns={"day": {"type": "date"}})
    assert "CANARY" not in str(caught.value)
