"""A PDF document in the making: its pages are written one by one, what they share at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reportbus.adapters.engines.python.formats.pdf.file import PdfFile, text_string
from reportbus.adapters.engines.python.formats.pdf.fonts import Fonts
from reportbus.adapters.engines.python.formats.pdf.page import PALE_INK, Page

if TYPE_CHECKING:
    from datetime import datetime

    from reportbus.adapters.engines.python.report import Sink

MARGIN: Final = 40.0
FOOT: Final = 34.0  # from the lower edge to the footer's base line
_FOOT_SIZE: Final = 7.5


class Document:
    """A document of pages of one size, each with its number and the number of all in its footer.

    How many there are is known last: the footers show a small drawing that is written when they have been
    counted.
    """

    def __init__(self, sink: Sink, title: str, made: datetime, size: tuple[float, float]) -> None:
        self.fonts = Fonts()
        self.size = size
        self.pages = 0
        self._title = title
        self._made = made
        self._file = PdfFile(sink)
        self._tree, self._resources, self._font_list, self._total = (self._file.reserve() for _ in range(4))
        self._kids: list[str] = []

    def page(self) -> Page:
        """A fresh page."""
        return Page(self.fonts, *self.size)

    def add(self, page: Page) -> None:
        """Write a page that is drawn."""
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
        page.text(right, y, cut(page, self._title, _FOOT_SIZE, right / 2), _FOOT_SIZE, "end", PALE_INK)


def cut(page: Page, text: str, size: float, room: float) -> str:
    """The text as far as there is room for it."""
    text = " ".join(text.split())
    if page.width(text, size) <= room:
        return text
    while text and page.width(text + "…", size) > room:
        text = text[:-1]
    return text + "…"
