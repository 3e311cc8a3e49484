"""PDF and HTML where something is longer than anybody would have it: nothing hangs, nothing is lost."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pypdf
import pytest

from adapters.engines.export_bench import ExportBench, MemorySink
from reportbus.adapters.engines.python.formats.pdf.document import MOST_PAGES, Document
from reportbus.adapters.engines.python.watch import Watch
from reportbus.core.errors import Permanent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reportbus.core.model import JsonValue

LONG = "case when amount > 0 then 'ok' else 'not' end " * 40
LIST = {"parameters": {"accounts": {"type": "text", "list": True}}}
FOR_A_LIST = "SELECT i AS id FROM range(3) r(i) WHERE i::TEXT NOT IN ($accounts)"


@pytest.fixture
def bench() -> Iterator[ExportBench]:
    bench = ExportBench()
    yield bench
    bench.close()


def sheets_of(data: bytes) -> list[tuple[str, float, float]]:
    """Each page's text, and where its lowest and its highest text stand, as shares of the page's height."""
    sheets = []
    for page in pypdf.PdfReader(io.BytesIO(data), strict=True).pages:
        heights: list[float] = []

        def visit(
            text: str, _cm: object, matrix: list[float], *_: object, heights: list[float] = heights
        ) -> None:
            if text.strip():
                heights.append(matrix[5])

        text = page.extract_text(visitor_text=visit)
        high = float(page.mediabox.height)
        sheets.append((text, min(heights) / high, max(heights) / high))
    return sheets


def assert_all_on_the_page(sheets: list[tuple[str, float, float]]) -> None:
    for _, lowest, highest in sheets:
        assert 0 < lowest <= highest < 1


@pytest.mark.timeout(20)
@pytest.mark.parametrize("label", [LONG, "x" * 1_900, "n" * 90_000], ids=["words", "word", "very long"])
def test_a_column_named_after_its_whole_expression_has_a_header_of_a_few_lines(
    bench: ExportBench, label: str
) -> None:
    columns = ", ".join(f"'value' AS column_{number}" for number in range(15))
    sheets = sheets_of(bench.make("PDF", f'SELECT {columns}, 1 AS "{label}"').data)
    assert_all_on_the_page(sheets)
    (page,) = [text for text, _, _ in sheets]
    assert "…" in page
    assert 15 == page.count("value")


@pytest.mark.parametrize("format_", ["CSV", "JSONL"])
def test_data_keeps_the_names_of_columns_whole(bench: ExportBench, format_: str) -> None:
    assert LONG in bench.make(format_, f'SELECT 1 AS "{LONG}"').text


def test_html_cuts_a_column_named_after_its_whole_expression(bench: ExportBench) -> None:
    text = bench.make("HTML", f'SELECT 1 AS "{LONG}"').text
    heading = text.partition("<th ")[2].partition(">")[2].partition("</th>")[0]
    assert heading.startswith("case when amount")
    assert heading.endswith("…")
    assert len(heading) < 200


def test_a_text_of_very_many_pages_ends_once_it_is_cancelled(bench: ExportBench) -> None:
    """All of it is one row: only between pages is there time to look."""
    sink = MemorySink()

    def cancelled() -> bool:
        return sink.size > 50_000

    engine = bench.engine(sql="SELECT repeat('some words ', 300_000) AS text")
    with pytest.raises(Permanent, match="RUN_CANCELLED"):
        engine.generate(bench.work("PDF", cancelled=cancelled), sink)
    assert sink.size < 100_000


def test_a_pdf_has_so_many_pages_and_no_more(bench: ExportBench) -> None:
    work = bench.work("PDF")
    with Watch(work) as watch:
        full = Document(MemorySink(), "Full", work.request.requested_at, (595.0, 842.0), watch)
        full.pages = MOST_PAGES - 1
        full.add(full.page())
        with pytest.raises(Permanent, match=r"PY_PDF_LIMIT.*100,000 pages"):
            full.add(full.page())


def test_a_long_list_is_shown_by_its_first_items_and_how_many_more_there_are(bench: ExportBench) -> None:
    accounts: list[JsonValue] = [f"ACCOUNT-{number:06}" for number in range(1_000)]
    data = bench.make("PDF", FOR_A_LIST, {"accounts": accounts}, **LIST).data
    ((page, *_),) = sheets = sheets_of(data)
    assert_all_on_the_page(sheets)
    shown = " ".join(page.split())
    assert "ACCOUNT-000009 … and 990 more" in shown
    assert "ACCOUNT-000010" not in shown
    html = bench.make("HTML", FOR_A_LIST, {"accounts": accounts}, **LIST).text
    assert "ACCOUNT-000009 … and 990 more" in html


def test_a_list_that_is_not_long_is_shown_whole(bench: ExportBench) -> None:
    accounts: list[JsonValue] = [f"ACCOUNT-{number:06}" for number in range(11)]
    html = bench.make("HTML", FOR_A_LIST, {"accounts": accounts}, **LIST).text
    assert ", ".join(map(str, accounts)) in html


def test_a_long_value_is_cut_where_it_is_shown(bench: ExportBench) -> None:
    declared = {"note": {"type": "text"}}
    html = bench.make("HTML", "SELECT length($note) AS n", {"note": "w" * 900}, parameters=declared).text
    assert "w" * 199 + "…<" in html
    assert ">900<" in html, "the query has all of it"


@pytest.mark.parametrize("chart", [None, {"kind": "bar", "x": "id", "y": "id", "title": "A chart"}])
def test_a_head_longer_than_a_page_goes_on_upon_the_next(
    bench: ExportBench, chart: dict[str, str] | None
) -> None:
    asked = {f"p{number}": "some longer value " * 11 for number in range(60)}
    sql = f"SELECT i AS id FROM range(3) r(i) WHERE '' NOT IN ({', '.join('$' + name for name in asked)})"  # noqa: S608 - of our own making
    declared = {name: {"type": "text"} for name in asked}
    title = "A title of many words that goes on and on " * 4
    styles = {"parameters": declared, "title": title, "description": "Described at length. " * 190}
    file = bench.make("PDF", sql, asked, **styles, **({"chart": chart} if chart else {}))
    sheets = sheets_of(file.data)
    assert_all_on_the_page(sheets)
    assert len(sheets) > 1
    together = " ".join(" ".join(text.split()) for text, _, _ in sheets)
    assert all(f"{name}: some" in together for name in asked)
    assert 190 == together.count("Described")
    assert "As of 2026-03-15 22:30 UTC" in together
    assert ("A chart" in together) == (chart is not None)
    for number, (text, _, _) in enumerate(sheets, 1):
        assert f"Page {number} of" in text
