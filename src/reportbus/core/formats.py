"""The file formats a report can have, and how a whole file of each begins and ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A format: its file extension with the dot, its media type, and the bytes it begins and ends with.

    `ends` is looked for in the last 1,024 bytes, since some formats end with a record of varying length;
    empty where a format has no mark to look for.
    """

    extension: str
    media_type: str
    begins: bytes = b""
    ends: bytes = b""


FORMATS: Final[dict[str, FileFormat]] = {
    "PDF": FileFormat(".pdf", "application/pdf", b"%PDF-", b"%%EOF"),
    "XLSX": FileFormat(
        ".xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        b"PK\x03\x04",
        b"PK\x05\x06",
    ),
    "DOCX": FileFormat(
        ".docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        b"PK\x03\x04",
        b"PK\x05\x06",
    ),
    "PPTX": FileFormat(
        ".pptx",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        b"PK\x03\x04",
        b"PK\x05\x06",
    ),
    "PARQUET": FileFormat(".parquet", "application/vnd.apache.parquet", b"PAR1", b"PAR1"),
    "CSV": FileFormat(".csv", "text/csv"),
    "JSONL": FileFormat(".jsonl", "application/jsonl"),
    "HTML": FileFormat(".html", "text/html", b"", b"</html>"),
    "XML": FileFormat(".xml", "application/xml"),
    "ZIP": FileFormat(".zip", "application/zip", b"PK", b"PK\x05\x06"),
    "PNG": FileFormat(".png", "image/png", b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"),
    "TXT": FileFormat(".txt", "text/plain"),
}
