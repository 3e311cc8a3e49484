"""The objects of a PDF file, written in any order as they are ready."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from reportbus.adapters.engines.python.report import Sink

_HEADER: Final = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
_COMPRESSION: Final = 4  # of 9: a tenth larger than the best, in a third of its time


class PdfFile:
    """Numbered objects, and at the end the table that says where each begins."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._position = 0
        self._places: list[int] = []
        self._write(_HEADER)

    def reserve(self) -> int:
        """A number for an object that is written later."""
        self._places.append(0)
        return len(self._places)

    def put(self, number: int, body: str) -> None:
        """Write a reserved object."""
        self._places[number - 1] = self._position
        self._write(f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1"))

    def put_stream(self, number: int, entries: str, data: bytes) -> None:
        """Write a reserved object that is a stream of bytes; `entries` is what its dictionary has besides."""
        packed = zlib.compress(data, _COMPRESSION)
        self._places[number - 1] = self._position
        head = f"{number} 0 obj\n<< {entries} /Filter /FlateDecode /Length {len(packed)} >>\nstream\n"
        self._write(head.encode("latin-1") + packed + b"\nendstream\nendobj\n")

    def close(self, root: int, info: int) -> None:
        """Write the table of places; every reserved object is there by now."""
        start = self._position
        places = "".join(f"{place:010} 00000 n \n" for place in self._places)
        size = len(self._places) + 1
        self._write(
            f"xref\n0 {size}\n0000000000 65535 f \n{places}"
            f"trailer\n<< /Size {size} /Root {root} 0 R /Info {info} 0 R >>\n"
            f"startxref\n{start}\n%%EOF\n".encode()
        )

    def _write(self, data: bytes) -> None:
        self._sink.write(data)
        self._position += len(data)


def text_string(text: str) -> str:
    """Text outside of pages, such as a title."""
    return f"<FEFF{text.encode('utf-16-be', 'replace').hex().upper()}>"
