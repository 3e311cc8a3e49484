"""The typefaces PDFs are set in: read once per process, shared by all documents.

Text is Noto Sans; signs it lacks are looked for in the faces behind it, in order. Each is read when a text
first needs it.
"""

from __future__ import annotations

import io
import threading
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import pymupdf_fonts
from reportlab.pdfbase.ttfonts import TTFontFile

if TYPE_CHECKING:
    from collections.abc import Sequence

REGULAR: Final = "pymupdf:notos"
BOLD: Final = "pymupdf:notosbo"
FALLBACKS: Final = (
    "pymupdf:figo",
    "pymupdf:cascadia",
    "manimgx:NotoSansSymbols[wght].ttf",
    "manimgx:NotoEmoji[wght].ttf",
    "manimgx:NotoSansArmenian[wght].ttf",
    "manimgx:NotoSansEthiopic[wght].ttf",
    "manimgx:NotoSansBengali[wght].ttf",
    "manimgx:NotoSansTamil[wght].ttf",
)


class Face:
    """One typeface. `widths` are in thousandths of its size, by character."""

    def __init__(self, data: bytes) -> None:
        self._lock = threading.Lock()
        self._file = TTFontFile(io.BytesIO(data))
        self.widths: dict[str, float] = {chr(code): width for code, width in self._file.charWidths.items()}
        self.name = self._file.name.decode()

    def glyph(self, character: str) -> int:
        """The number of the character's shape; characters may share one."""
        number: int = self._file.charToGlyph[ord(character)]
        return number

    def subset(self, characters: Sequence[str]) -> bytes:
        """A font file with the shapes of these characters, numbered from 1 in their order."""
        with self._lock:
            made: bytes = self._file.makeSubset([ord(character) for character in characters])
        return made

    def descriptor(self) -> str:
        """The entries of the face's descriptor that are measures."""
        font = self._file
        box = " ".join(str(round(side)) for side in font.bbox)
        return (
            f"/Flags 4 /FontBBox [{box}] /ItalicAngle {round(font.italicAngle)} /Ascent {round(font.ascent)} "
            f"/Descent {round(font.descent)} /CapHeight {round(font.capHeight)} /StemV {round(font.stemV)}"
        )


@cache
def face(source: str) -> Face:
    """The face a source names: a package and what it calls the face."""
    package, _, name = source.partition(":")
    if package == "pymupdf":
        return Face(pymupdf_fonts.myfont(name))
    return Face(files("manimgx_fonts").joinpath(name).read_bytes())
