"""The fonts of one document: which shapes of which faces it uses, and text in their numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from reportbus.adapters.engines.python.formats.pdf.faces import BOLD, FALLBACKS, REGULAR, Face, face

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reportbus.adapters.engines.python.formats.pdf.file import PdfFile

_MISSING: Final = "\N{REPLACEMENT CHARACTER}"
_PER_BLOCK: Final = 100  # entries of a table from shapes to characters


class Run(NamedTuple):
    """Text in one font: the font's name in the page, the shapes' numbers in hexadecimal, the width."""

    font: str
    shapes: str
    width: float


class _Shapes(dict[str, str]):
    """The number of each character's shape, in hexadecimal; given out when first asked for."""

    def __init__(self, font: Face) -> None:
        super().__init__()
        self._face = font
        self._numbers: dict[int, int] = {}
        self.first: list[str] = []

    def __missing__(self, character: str) -> str:
        glyph = self._face.glyph(character)
        if glyph not in self._numbers:
            self.first.append(character)
            self._numbers[glyph] = len(self.first)
        shape = self[character] = f"{self._numbers[glyph]:04X}"
        return shape


class _Font:
    """One face in one document."""

    def __init__(self, name: str, source: Face) -> None:
        self.name = name
        self.face = source
        self.shapes = _Shapes(source)


class Fonts:
    """All fonts of a document. Widths are in points for a size of 1; text is any text, lines cut already."""

    def __init__(self) -> None:
        self._fonts: dict[str, _Font] = {}
        self._elsewhere: dict[str, _Font | None] = {}

    def width(self, text: str, *, bold: bool = False) -> float:
        """How wide the text is at size 1."""
        widths = self._main(bold=bold).face.widths
        try:
            return sum(map(widths.__getitem__, text)) / 1000
        except KeyError:
            return sum(run.width for run in self.runs(text, bold=bold))

    def runs(self, text: str, *, bold: bool = False) -> Sequence[Run]:
        """The text in stretches of one font each."""
        main = self._main(bold=bold)
        try:
            return (self._run(main, text),)
        except KeyError:
            return tuple(self._mixed(main, text))

    def write(self, file: PdfFile) -> str:
        """Write the fonts; the entries of a page's font dictionary."""
        used = [font for font in self._fonts.values() if font.shapes]
        return " ".join(f"/{font.name} {_write(file, font)} 0 R" for font in used)

    def _main(self, *, bold: bool) -> _Font:
        return self._font(BOLD if bold else REGULAR)

    def _font(self, source: str) -> _Font:
        font = self._fonts.get(source)
        if font is None:
            font = self._fonts[source] = _Font(f"F{len(self._fonts) + 1}", face(source))
        return font

    @staticmethod
    def _run(font: _Font, text: str) -> Run:
        width = sum(map(font.face.widths.__getitem__, text)) / 1000
        return Run(font.name, "".join(map(font.shapes.__getitem__, text)), width)

    def _mixed(self, main: _Font, text: str) -> list[Run]:
        runs: list[tuple[_Font, str]] = []
        for character in text:
            font, shown = (main, character) if character in main.face.widths else self._other(main, character)
            if runs and runs[-1][0] is font:
                runs[-1] = (font, runs[-1][1] + shown)
            elif shown:
                runs.append((font, shown))
        return [self._run(font, shown) for font, shown in runs]

    def _other(self, main: _Font, character: str) -> tuple[_Font, str]:
        """The first font behind the main one that has the character, and what to show of it."""
        if character not in self._elsewhere:
            holding = (source for source in FALLBACKS if character in face(source).widths)
            source = next(holding, None)
            self._elsewhere[character] = self._font(source) if source else None
        font = self._elsewhere[character]
        if font is not None:
            return font, character
        return main, "" if not character.isprintable() else _MISSING if _MISSING in main.face.widths else "?"


def _write(file: PdfFile, font: _Font) -> int:
    """Write one font with the shapes that are used; its object's number."""
    number, inner, descriptor, program, names = (file.reserve() for _ in range(5))
    base = f"REPORT+{font.face.name}"
    widths = " ".join(str(round(font.face.widths[character])) for character in font.shapes.first)
    file.put_stream(program, "", font.face.subset(font.shapes.first))
    measures = font.face.descriptor()
    file.put(
        descriptor,
        f"<< /Type /FontDescriptor /FontName /{base} {measures} /FontFile2 {program} 0 R >>",
    )
    file.put(
        inner,
        f"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /{base} "
        f"/CIDToGIDMap /Identity /DW 600 /W [1 [{widths}]] "
        f"/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> "
        f"/FontDescriptor {descriptor} 0 R >>",
    )
    file.put_stream(names, "", _characters(font.shapes.first).encode())
    file.put(
        number,
        f"<< /Type /Font /Subtype /Type0 /BaseFont /{base} /Encoding /Identity-H "
        f"/DescendantFonts [{inner} 0 R] /ToUnicode {names} 0 R >>",
    )
    return number


def _characters(first: Sequence[str]) -> str:
    """The table from shapes back to characters, so that text can be searched and copied."""
    pairs = [
        f"<{number:04X}> <{character.encode('utf-16-be').hex()}>" for number, character in enumerate(first, 1)
    ]
    blocks = [pairs[start : start + _PER_BLOCK] for start in range(0, len(pairs), _PER_BLOCK)]
    mapped = "\n".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks)
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
        "/CMapName /Adobe-Identity-UCS def /CMapType 2 def\n"
        f"1 begincodespacerange <0000> <FFFF> endcodespacerange\n{mapped}\n"
        "endcmap CMapName currentdict /CMap defineresource pop end end"
    )
