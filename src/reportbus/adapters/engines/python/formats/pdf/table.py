"""A table over any number of pages, its header on each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reportbus.adapters.engines.python.formats.pdf.document import MARGIN
from reportbus.adapters.engines.python.formats.pdf.layout import PADDING
from reportbus.adapters.engines.python.formats.pdf.page import INK
from reportbus.adapters.engines.python.formats.pdf.wrap import cut, wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reportbus.adapters.engines.python.formats.pdf.document import Document
    from reportbus.adapters.engines.python.formats.pdf.layout import Cell, Layout
    from reportbus.adapters.engines.python.formats.pdf.page import Page

_HEADER: Final = "#e8edf3"
_RULE: Final = "#dfe4ea"
_STRONG_RULE: Final = "#9aa5b1"
_LEADING: Final = 1.3  # line to line, times the size
_AIR: Final = 0.62  # above and below a row's text together, times the size
_HEADER_LINES: Final = 4  # what a label has beyond is left out: rows need the page
_LEAST_LINES: Final = 4  # a table does not begin on a page with room for fewer rows


@dataclass(frozen=True, slots=True)
class _Row:
    """A row's cells, each in lines; they are cut for the widest place the column has in any band."""

    cells: Sequence[Sequence[str]]
    bold: bool
    lines: int


class Table:
    """Takes rows and fills pages with them. A full page is drawn, once for each band of columns."""

    def __init__(self, document: Document, layout: Layout, labels: Sequence[str]) -> None:
        self._document = document
        self._layout = layout
        self._leading = layout.size * _LEADING
        self._air = layout.size * _AIR
        self._rooms = self._widest_places(len(labels))
        self._header = self._header_of(labels)
        self._bottom = document.bottom
        self._held: list[_Row] = []
        self._first: Page | None = None
        self._top = MARGIN
        self._begin = self._y = MARGIN + self._height(self._header)

    def begin(self, page: Page, y: float) -> None:
        """Begin below `y` on a page that has something on it already."""
        if y + self._height(self._header) + _LEAST_LINES * (self._leading + self._air) > self._bottom:
            self._document.add(page)
            return
        self._first, self._top = page, y
        self._y = y + self._height(self._header)

    def add(self, texts: Sequence[str]) -> None:
        """Take one row."""
        self._take(self._row(texts, bold=False))

    def add_total(self, texts: Sequence[str]) -> None:
        """Take a row of totals. It has few texts, so none is broken into lines."""
        self._take(_Row([(text,) for text in texts], bold=True, lines=1))

    def finish(self) -> None:
        """Draw what is left."""
        if self._held or self._first is not None or not self._document.pages:
            self._flush()

    def _take(self, row: _Row) -> None:
        if self._y + self._height(row) > self._bottom:
            if self._height(row) <= self._bottom - self._begin:
                self._flush()
            else:
                row = self._split(row)
        self._held.append(row)
        self._y += self._height(row)

    def _row(self, texts: Sequence[str], *, bold: bool) -> _Row:
        fonts = self._document.fonts
        cells = [
            wrap(fonts, text, room, bold=bold) if text else ("",)
            for text, room in zip(texts, self._rooms, strict=True)
        ]
        return _Row(cells, bold, max(map(len, cells)))

    def _header_of(self, labels: Sequence[str]) -> _Row:
        fonts = self._document.fonts
        cells: list[Sequence[str]] = []
        for lines, room in zip(self._row(labels, bold=True).cells, self._rooms, strict=True):
            shown, rest = lines[: _HEADER_LINES - 1], lines[_HEADER_LINES - 1 :]
            cells.append([*shown, cut(fonts, " ".join(rest), room, bold=True)] if rest else lines)
        return _Row(cells, bold=True, lines=max(map(len, cells)))

    def _split(self, row: _Row) -> _Row:
        """Draw a row that is taller than a page on as many pages as it takes; what is left of it."""
        while (room := int((self._bottom - self._y - self._air) / self._leading)) < row.lines:
            if room >= _LEAST_LINES:
                self._held.append(_Row([cell[:room] for cell in row.cells], row.bold, room))
                row = _Row([cell[room:] or ("",) for cell in row.cells], row.bold, row.lines - room)
            self._flush()
        return row

    def _height(self, row: _Row) -> float:
        return row.lines * self._leading + self._air

    def _flush(self) -> None:
        """Draw the rows held, on one page for each band."""
        for band in self._layout.bands:
            page = self._first or self._document.page()
            top = self._top if self._first is not None else MARGIN
            self._first = None
            self._draw(page, band, top)
            self._document.add(page)
        self._held = []
        self._top = MARGIN
        self._y = self._begin

    def _draw(self, page: Page, band: Sequence[Cell], y: float) -> None:
        left, right = band[0].left, band[-1].left + band[-1].width
        height = self._height(self._header)
        page.box(left, y, right - left, height, _HEADER)
        self._draw_row(page, band, self._header, y)
        y += height
        before: _Row = self._header
        for row in self._held:
            if row.bold and not before.bold:
                page.line([(left, y), (right, y)], _STRONG_RULE, 1.0)
            self._draw_row(page, band, row, y)
            y += self._height(row)
            page.line([(left, y), (right, y)], _RULE, 0.4)
            before = row

    def _draw_row(self, page: Page, band: Sequence[Cell], row: _Row, y: float) -> None:
        size = self._layout.size
        base = y + self._air / 2 + size * 0.98
        for cell in band:
            x = cell.left + cell.width - PADDING if cell.right_aligned else cell.left + PADDING
            anchor = "end" if cell.right_aligned else "start"
            for number, line in enumerate(row.cells[cell.number]):
                if line:
                    page.text(x, base + number * self._leading, line, size, anchor, INK, bold=row.bold)

    def _widest_places(self, count: int) -> list[float]:
        """For each column the room its text has, at size 1."""
        rooms = [float("inf")] * count
        for band in self._layout.bands:
            for cell in band:
                rooms[cell.number] = min(rooms[cell.number], (cell.width - 2 * PADDING) / self._layout.size)
        return [room * 1.0001 for room in rooms]
