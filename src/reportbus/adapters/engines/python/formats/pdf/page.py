"""One page: shapes and texts in points, from its top left corner, y growing downwards."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reportbus.adapters.engines.python.formats.pdf.fonts import Fonts

INK: Final = "#1f2933"
PALE_INK: Final = "#616e7c"


@cache
def _rgb(colour: str) -> str:
    return " ".join(f"{int(colour[at : at + 2], 16) / 255:.3f}" for at in (1, 3, 5))


class Page:
    """What is drawn on one page: shapes first, texts on top of them. It is a `Pen` for charts."""

    def __init__(self, fonts: Fonts, width: float, height: float) -> None:
        self.wide = width
        self.high = height
        self._fonts = fonts
        self._shapes: list[str] = []
        self._texts: list[str] = []
        self._font = ""
        self._colour = ""

    def content(self) -> bytes:
        """The page in PDF's own language."""
        return "\n".join([*self._shapes, "BT", *self._texts, "ET"]).encode("ascii")

    def box(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """A filled rectangle."""
        bottom = self.high - y - height
        self._shapes.append(f"{_rgb(colour)} rg {x:.2f} {bottom:.2f} {width:.2f} {height:.2f} re f")

    def line(self, points: Sequence[tuple[float, float]], colour: str, width: float) -> None:
        """A line through the points."""
        self._shapes.append(f"{_rgb(colour)} RG {width} w 1 J 1 j {self._path(points)} S")

    def area(self, points: Sequence[tuple[float, float]], colour: str, opacity: float) -> None:
        """A filled area; a pale one where it is to be seen through."""
        pale = "/Pale gs " if opacity < 1 else ""
        self._shapes.append(f"q {pale}{_rgb(colour)} rg {self._path(points)} h f Q")

    def image(self, name: str, x: float, y: float) -> None:
        """A drawing that is kept under a name in the page's resources, at a place."""
        self._shapes.append(f"q 1 0 0 1 {x:.2f} {self.high - y:.2f} cm /{name} Do Q")

    def width(self, text: str, size: float) -> float:
        """How wide the text is."""
        return self._fonts.width(text) * size

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        anchor: str = "start",
        colour: str = INK,
        *,
        bold: bool = False,
    ) -> None:
        """Text on the base line y; `x` is its start, middle or end, as `anchor` says."""
        runs = self._fonts.runs(text, bold=bold)
        if anchor != "start":
            width = sum(run.width for run in runs) * size
            x -= width if anchor == "end" else width / 2
        if colour != self._colour:
            self._colour = colour
            self._texts.append(f"{_rgb(colour)} rg")
        for run in runs:
            font = f"/{run.font} {size} Tf"
            if font != self._font:
                self._font = font
                self._texts.append(font)
            self._texts.append(f"1 0 0 1 {x:.2f} {self.high - y:.2f} Tm<{run.shapes}>Tj")
            x += run.width * size

    def _path(self, points: Sequence[tuple[float, float]]) -> str:
        steps = [
            f"{x:.2f} {self.high - y:.2f} {'l' if number else 'm'}" for number, (x, y) in enumerate(points)
        ]
        return " ".join(steps)


class Shifted:
    """A page whose origin is elsewhere: the `Pen` of a drawing that knows nothing of the page."""

    def __init__(self, page: Page, x: float, y: float) -> None:
        self._page = page
        self._x = x
        self._y = y

    def line(self, points: Sequence[tuple[float, float]], colour: str, width: float) -> None:
        """Fills `Pen`."""
        self._page.line(self._moved(points), colour, width)

    def area(self, points: Sequence[tuple[float, float]], colour: str, opacity: float) -> None:
        """Fills `Pen`."""
        self._page.area(self._moved(points), colour, opacity)

    def text(self, x: float, y: float, text: str, size: float, anchor: str, colour: str) -> None:
        """Fills `Pen`."""
        self._page.text(x + self._x, y + self._y, text, size, anchor, colour)

    def width(self, text: str, size: float) -> float:
        """Fills `Pen`."""
        return self._page.width(text, size)

    def _moved(self, points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(x + self._x, y + self._y) for x, y in points]
