"""PDF and HTML: what a reader sees, read back by other programs."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pypdf
import pytest

from adapters.engines.export_bench import ExportBench
from reportbus.adapters.engines.python.formats.pdf.fonts import Fonts
from reportbus.adapters.engines.python.formats.pdf.wrap import wrap
from reportbus.core.errors import Permanent

if TYPE_CHECKING:
    from collections.abc import Iterator

SALES = """
    SELECT i AS id, ['Zürich', 'Kraków', 'Athína Αθήνα', 'Москва'][i % 4 + 1] AS place,
           (i * 1.5)::DECIMAL(12, 2) AS amount, DATE '2026-01-01' + i::INTEGER AS day
    FROM range($rows) r(i)
"""
ROWS: dict[str, Any] = {"parameters": {"rows": {"type": "integer", "default": 3}}}
CHART = {"kind": "bar", "x": "place", "y": ["amount"], "title": "Amount by place"}


@pytest.fixture
def bench() -> Iterator[ExportBench]:
    bench = ExportBench()
    yield bench
    bench.close()


def pages_of(data: bytes) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data), strict=True).pages]


class Seen(HTMLParser):
    """What a browser makes of a page: its tags with their attributes, and its texts."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(data.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(data.strip())


def test_a_pdf_has_title_parameters_header_rows_totals_and_page_numbers(bench: ExportBench) -> None:
    file = bench.make(
        "PDF", SALES, title="Umsätze", description="Was verkauft wurde.", totals={"amount": "sum"}, **ROWS
    )
    (page,) = pages_of(file.data)
    for text in ("Umsätze", "Was verkauft wurde.", "rows: 3", "As of 2026-03-15 22:30 UTC", "Page 1 of"):
        assert text in page
    for text in ("place", "Zürich", "Kraków", "Athína Αθήνα", "2026-01-03", "3.00", "Total", "4.50"):
        assert text in page
    assert "Umsätze" == pypdf.PdfReader(io.BytesIO(file.data)).metadata.title  # type: ignore[union-attr]


def test_every_page_of_a_long_pdf_has_the_header_and_its_number_of_all(bench: ExportBench) -> None:
    pages = pages_of(bench.make("PDF", SALES, {"rows": 500}, **ROWS).data)
    assert len(pages) > 5
    for number, page in enumerate(pages, 1):
        assert "amount" in page
        assert f"Page {number} of" in page
        assert str(len(pages)) in page.splitlines(), "the drawing that holds the number of all"
    ids = re.findall(r"^(\d+) \S", "\n".join(pages), re.MULTILINE)
    assert [str(number) for number in range(500)] == ids


def test_a_pdfs_text_can_be_found_again_also_emoji_and_signs(bench: ExportBench) -> None:
    (page,) = pages_of(bench.make("PDF", "SELECT '😀 ≤ → ✓ € ½ ﬁ שלום' AS text").data)
    for text in "😀≤→✓€½":
        assert text in page


def test_a_sign_that_no_typeface_has_is_shown_as_missing_and_control_signs_not_at_all(
    bench: ExportBench,
) -> None:
    (page,) = pages_of(bench.make("PDF", "SELECT 'a' || chr(26481) || 'b' || chr(1) || 'c' AS text").data)
    assert "a\N{REPLACEMENT CHARACTER}bc" in page


def test_a_text_longer_than_a_page_is_there_to_its_last_word(bench: ExportBench) -> None:
    pages = pages_of(bench.make("PDF", "SELECT repeat('word ', 6000) || 'last' AS text, 'x' AS other").data)
    assert len(pages) > 2
    assert 6_000 == sum(page.count("word") for page in pages)
    assert "last" in pages[-1]


def test_a_wide_table_goes_over_several_pages_with_the_first_column_on_each(bench: ExportBench) -> None:
    columns = ", ".join(f"1000000 + {number} AS measure_{number}" for number in range(60))
    sql = f"SELECT 'row ' || i AS name, {columns} FROM range(2) r(i)"  # noqa: S608 - of our own making
    pages = pages_of(bench.make("PDF", sql).data)
    assert len(pages) > 1
    for page in pages:
        assert "row 0" in page
        assert "row 1" in page
    together = "\n".join(pages)
    assert all(str(1_000_000 + number) in together for number in range(60))


@pytest.mark.parametrize(("landscape", "wider"), [(True, True), (False, False)])
def test_a_pdf_lies_as_the_definition_says(bench: ExportBench, landscape: bool, wider: bool) -> None:  # noqa: FBT001
    file = bench.make("PDF", SALES, landscape=landscape, **ROWS)
    box = pypdf.PdfReader(io.BytesIO(file.data)).pages[0].mediabox
    assert wider == (box.width > box.height)


def test_a_wide_table_turns_the_page_by_itself(bench: ExportBench) -> None:
    columns = ", ".join(f"'a rather long text' AS column_{number}" for number in range(9))
    box = pypdf.PdfReader(io.BytesIO(bench.make("PDF", f"SELECT {columns}").data)).pages[0].mediabox
    assert box.width > box.height


def test_a_pdfs_typefaces_are_embedded(bench: ExportBench) -> None:
    page = pypdf.PdfReader(io.BytesIO(bench.make("PDF", SALES, **ROWS).data)).pages[0]
    fonts: Any = page["/Resources"]["/Font"]  # type: ignore[index]
    assert fonts
    for font in fonts.values():
        descriptor = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"]
        assert len(descriptor["/FontFile2"].get_data()) > 1_000


@pytest.mark.parametrize("kind", ["bar", "line", "area"])
def test_a_chart_is_drawn_as_vectors_in_both(bench: ExportBench, kind: str) -> None:
    chart = {**CHART, "kind": kind}
    plain = bench.make("PDF", SALES, **ROWS).data
    drawn = bench.make("PDF", SALES, chart=chart, **ROWS).data
    assert "Amount by place" in pages_of(drawn)[0]
    assert b"/Image" not in drawn
    before, after = (pypdf.PdfReader(io.BytesIO(data)).pages[0].get_contents() for data in (plain, drawn))
    assert before is not None
    assert after is not None
    assert len(after.get_data()) > len(before.get_data()) + 300
    page = Seen(bench.make("HTML", SALES, chart=chart, **ROWS).data)
    tags = [tag for tag, _ in page.tags]
    assert "svg" in tags
    assert ("polygon" in tags) == (kind != "line")
    assert tags.count("polyline") >= 4


def test_a_chart_of_too_many_rows_is_left_out_and_that_is_told(bench: ExportBench) -> None:
    file = bench.make("HTML", SALES, {"rows": 5_001}, chart=CHART, **ROWS)
    assert "no chart: the report has more than 5,000 rows" in file.produced.note
    assert "no chart" in file.text
    assert 5_001 == file.produced.rows
    assert 5_001 == file.text.count("<tr>") - 1


@pytest.mark.parametrize("format_", ["PDF", "HTML"])
@pytest.mark.parametrize(
    "report",
    [
        {"totals": {"amuont": "sum"}},
        {"totals": {"place": "sum"}},
        {"chart": {**CHART, "x": "plaze"}},
        {"chart": {**CHART, "y": ["place"]}},
    ],
)
def test_totals_and_charts_of_columns_that_do_not_fit_are_an_error(
    bench: ExportBench, format_: str, report: dict[str, Any]
) -> None:
    with pytest.raises(Permanent, match="PY_COLUMN"):
        bench.make(format_, SALES, **ROWS, **report)


def test_totals_are_exact_and_each_kind_has_its_row(bench: ExportBench) -> None:
    sql = """SELECT 'x' AS name, (i * 0.1)::DECIMAL(9, 2) AS a, i AS b, i AS c, i::DOUBLE AS d, i AS e
             FROM range(1000) r(i)"""
    totals = {"a": "sum", "b": "avg", "c": "count", "d": "min", "e": "max"}
    text = bench.make("HTML", sql, totals=totals).text
    foot = re.findall(r"<td[^>]*>([^<]*)</td>", text.split("<tfoot>")[1])
    rows = [foot[start : start + 6] for start in range(0, len(foot), 6)]
    assert [
        ["Total", "49950.00", "", "", "", ""],
        ["Average", "", "499.50", "", "", ""],
        ["Count", "", "", "1000", "", ""],
        ["Minimum", "", "", "", "0", ""],
        ["Maximum", "", "", "", "", "999"],
    ] == rows


def test_html_is_one_file_that_asks_for_nothing_and_runs_nothing(bench: ExportBench) -> None:
    evil = '<script>alert(1)</script><img src=x onerror=alert(1)>" onload="x\' &amp;'
    quoted = evil.replace("'", "''")
    data = bench.make(
        "HTML",
        f"SELECT '{quoted}' AS text, 1 AS n, $p AS p",
        {"p": evil},
        title=evil,
        description=evil,
        columns={"text": {"label": evil}},
        chart={"kind": "bar", "x": "text", "y": "n", "title": evil},
        parameters={"p": {"type": "text"}},
    ).data
    page = Seen(data)
    assert not {"script", "img", "link", "iframe", "object"} & {tag for tag, _ in page.tags}
    for _, attributes in page.tags:
        assert not {"src", "href", "onload", "onerror"} & attributes.keys()
    assert page.texts.count(evil) >= 4
    assert b"http://" not in data


def test_html_has_the_same_things_as_a_pdf(bench: ExportBench) -> None:
    page = Seen(bench.make("HTML", SALES, title="Umsätze", totals={"amount": "sum"}, **ROWS).data)
    for text in (
        "Umsätze",
        "rows: 3",
        "As of 2026-03-15 22:30 UTC",
        "place",
        "Kraków",
        "3.00",
        "Total",
        "4.50",
        "3 rows",
    ):
        assert text in page.texts
    tags = [tag for tag, _ in page.tags]
    assert [1, 1, 1] == [tags.count(tag) for tag in ("thead", "tbody", "tfoot")]


@pytest.mark.parametrize("format_", ["PDF", "HTML"])
def test_values_look_as_the_definition_says(bench: ExportBench, format_: str) -> None:
    sql = """SELECT 1234567.891 AS amount, 0.1 + 0.2 AS sum, 0.256 AS share, DATE '2026-02-03' AS day,
                    true AS paid"""
    styles = {"amount": {"format": ",.2"}, "share": {"format": ".1%"}, "day": {"format": "%d.%m.%Y"}}
    data = bench.make(format_, sql, columns=styles).data
    text = pages_of(data)[0] if format_ == "PDF" else " ".join(Seen(data).texts)
    for value in ("1,234,567.89", "0.3", "25.6%", "03.02.2026", "yes"):
        assert value in text


def test_lines_are_broken_at_blanks_and_words_only_if_need_be() -> None:
    fonts = Fonts()
    assert ("short",) == tuple(wrap(fonts, "short", 10))
    assert ["two words", "on two"] == list(wrap(fonts, "two words on two", fonts.width("two words o")))
    assert ["a", "", "b"] == list(wrap(fonts, "a\n\nb", 10))
    parts = wrap(fonts, "x" * 100, 5)
    assert len(parts) > 5
    assert "x" * 100 == "".join(parts)
    assert all(fonts.width(part) <= 5 for part in parts)
