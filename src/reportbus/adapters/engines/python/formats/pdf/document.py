"""A PDF document in the making: its pages are written one by one, what they share at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reportbus.adapters.engines.python.formats.pdf.file import PdfFile, text_string
from reportbus.adapters.engines.python.formats.pdf.fonts import Fonts
from reportbus.adapters.engines.python.formats.pdf.page import PALE_INK, Page
from reportbus.adapters.engines.python.formats.pdf.wrap import cut
from reportbus.core.errors import Permanent

if TYPE_CHECKING:
    from datetime import datetime

    from reportbus.adapters.engines.python.report import Sink
    from reportbus.adapters.engines.python.watch import Watch

MARGIN: Final = 40.0
MOST_PAGES: Final = 100_000
"""Nobody reads more; a report that large wants a format for data."""

FOOT: Final = 34.0  # from the lower edge to the footer's base line
_FOOT_SIZE: Final = 7.5


class Document:
    """A document of pages of one size, each with its number and the number of all in its footer.

    `bottom` is how far down a page may be filled.
    How many there are is known last: the footers show a small drawing that is written when they have been
    counted.
    """

    def __init__(
        self, sink: Sink, title: str, made: datetime, size: tuple[float, float], watch: Watch
    ) -> None:
        self.fonts = Fonts()
        self.size = size
        self.bottom = size[1] - FOOT - 14
        self.pages = 0
        self._title = title
        self._made = made
        self._watch = watch
        self._file = PdfFile(sink)
        self._tree, self._resources, self._font_list, self._total = (self._file.reserve() for _ in range(4))
        self._kids: list[str] = []

    def page(self) -> Page:
        """A fresh page."""
        return Page(self.fonts, *self.size)

    def add(self, page: Page) -> None:
        """Write a page that is drawn.

        Raises what the watch raises, and Permanent PY_PDF_LIMIT past the largest number of pages.
        """
        self._watch.check()
        if self.pages == MOST_PAGES:
            text = f"the report has more than {MOST_PAGES:,} pages; ask for it as XLSX, CSV or PARQUET"
            raise Permanent("PY_PDF_LIMIT", text)
        self.pages += 1
        self._foot(page)
        number, content = self._file.reserve(), self._file.reserve()
        self._file.put_stream(content, "", page.content())
        self._file.put(
            number,
            f"<< /Type /Page /Parent {self._tree} 0 R /MediaBox [0 0 {page.wide} {page.high}] "
            f"/Resources {self._resources} 0 R /Contents {content} 0 R >>",
        )
        self._kids.append(f"{number} 0 R")

    def close(self) -> None:
        """Write what the pages share."""
        file = self._file
        count = Page(self.fonts, 60, 20)
        count.text(0, 14, str(self.pages), _FOOT_SIZE, colour=PALE_INK)
        form = f"/Type /XObject /Subtype /Form /BBox [0 0 60 20] /Resources << /Font {self._font_list} 0 R >>"
        file.put_stream(self._total, form, count.content())
        file.put(self._font_list, f"<< {self.fonts.write(file)} >>")
        file.put(
            self._resources,
            f"<< /Font {self._font_list} 0 R /XObject << /Total {self._total} 0 R >> "
            f"/ExtGState << /Pale << /ca 0.25 >> >> >>",
        )
        file.put(self._tree, f"<< /Type /Pages /Count {self.pages} /Kids [{' '.join(self._kids)}] >>")
        root, info = file.reserve(), file.reserve()
        file.put(
            root,
            f"<< /Type /Catalog /Pages {self._tree} 0 R /ViewerPreferences << /DisplayDocTitle true >> >>",
        )
        file.put(
            info,
            f"<< /Title {text_string(self._title)} /Producer (reportbus) "
            f"/CreationDate (D:{self._made:%Y%m%d%H%M%S}Z) >>",
        )
        file.close(root, info)

    def _foot(self, page: Page) -> None:
        y = page.high - FOOT
        before = f"Page {self.pages} of "
        page.text(MARGIN, y, before, _FOOT_SIZE, colour=PALE_INK)
        page.image("Total", MARGIN + page.width(before, _FOOT_SIZE), y + 6)
        right = page.wide - MARGIN
        page.text(right, y, cut(self.fonts, self._title, right / 2 / _FOOT_SIZE), _FOOT_SIZE, "end", PALE_INK)
