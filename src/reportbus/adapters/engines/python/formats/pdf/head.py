"""What stands above the table: title, description, parameters and chart, on as many pages as they take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reportbus.adapters.engines.python.formats.chart import draw
from reportbus.adapters.engines.python.formats.display import lead
from reportbus.adapters.engines.python.formats.pdf.document import MARGIN
from reportbus.adapters.engines.python.formats.pdf.page import INK, PALE_INK, Page, Shifted
from reportbus.adapters.engines.python.formats.pdf.wrap import wrap

if TYPE_CHECKING:
    from reportbus.adapters.engines.python.formats.chart import ChartData
    from reportbus.adapters.engines.python.formats.pdf.document import Document
    from reportbus.adapters.engines.python.report import Report

_TITLE_SIZE: Final = 16.0
_TITLE_LEADING: Final = 1.2  # line to line, times the size
_LEAD_SIZE: Final = 8.5
_LEAD_LEADING: Final = 1.35
_AIR: Final = 12.0
_CHART_HEIGHT: Final = 190.0


def draw_head(document: Document, report: Report, chart: ChartData | None) -> tuple[Page, float]:
    """Draw it; the last of its pages, and where on that the table may begin."""
    flow = _Flow(document)
    room = document.size[0] - 2 * MARGIN
    for line in wrap(document.fonts, report.definition.title, room / _TITLE_SIZE, bold=True):
        base = flow.down(_TITLE_SIZE * _TITLE_LEADING) - 4
        flow.page.text(MARGIN, base, line, _TITLE_SIZE, colour=INK, bold=True)
    for paragraph in lead(report):
        for line in wrap(document.fonts, paragraph, room / _LEAD_SIZE):
            base = flow.down(_LEAD_SIZE * _LEAD_LEADING)
            flow.page.text(MARGIN, base, line, _LEAD_SIZE, colour=PALE_INK)
    y = flow.y + _AIR
    if chart is not None:
        y = flow.down(_AIR + _CHART_HEIGHT)
        draw(chart, Shifted(flow.page, MARGIN, y - _CHART_HEIGHT), room, _CHART_HEIGHT)
        y += 10
    return flow.page, y


class _Flow:
    """A place that moves down a page, and on to the top of the next one where there is no room left."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self.page = document.page()
        self.y = MARGIN

    def down(self, height: float) -> float:
        """The lower edge of that much room on `page`; where it has not got that, on a fresh one."""
        if self.y + height > self._document.bottom:
            self._document.add(self.page)
            self.page = self._document.page()
            self.y = MARGIN
        self.y += height
        return self.y
