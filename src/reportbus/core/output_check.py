"""Whether a report that was made is what was asked for, judged by its size, first and last bytes.

Two different verdicts. Another kind of file, an error page above all, is ENG_BAD_OUTPUT, for good: the same
call would give the same page. A file of the right kind whose end is missing is a TemporaryFailure whose text
names ENG_TRUNCATED: bytes were lost on the way, and another attempt may bring them all.

Where the bytes leave a doubt the file passes: refusing a good report is worse than what other checks
(lengths, hashes, the engine's own status) find anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reportbus.core.errors import Permanent, Transient
from reportbus.core.file_kind import binary_kind, kind
from reportbus.core.formats import FORMATS
from reportbus.core.text_output import TEXT_CHECKS, Ends

if TYPE_CHECKING:
    from collections.abc import Callable

    from reportbus.core.errors import ReportbusError

MAY_BE_EMPTY: Final = frozenset({"CSV", "JSONL", "TXT"})
"""Formats in which no bytes at all are a well-formed file: one without rows."""

_ZIP_END: Final = b"PK\x05\x06"
_ZIP_END_SIZE: Final = 22
_SEE_ZIP64: Final = 0xFFFFFFFF
_PARQUET_FRAME_SIZE: Final = 12
_OFFICE_FOLDERS: Final = {"XLSX": b"xl/", "DOCX": b"word/", "PPTX": b"ppt/"}


def check_output(
    format_: str, size: int, head: bytes, tail: bytes, *, empty_allowed: bool = False
) -> ReportbusError | None:
    """The error that says why this is no whole file of the format; None where nothing speaks against it.

    `head` and `tail` are the first and the last bytes, 1,024 of each or, of a smaller file, all. With
    `empty_allowed` no bytes at all are a good file in the formats of `MAY_BE_EMPTY`.
    """
    if not size:
        if empty_allowed and format_ in MAY_BE_EMPTY:
            return None
        return Permanent("ENG_EMPTY_OUTPUT", f"asked for {format_}, got a file without a byte")
    check = _check_text if format_ in TEXT_CHECKS else _check_binary
    return check(format_, size, head, tail)


def _check_text(format_: str, size: int, head: bytes, tail: bytes) -> ReportbusError | None:
    if other := binary_kind(head):
        return _another(format_, other)
    ends = Ends.of(size, head, tail)
    if ends is None:
        return _cut(format_, size, "half a character of UTF-16 at the end")
    other_kind, missing_end = TEXT_CHECKS[format_]
    if other := other_kind(ends.head):
        return _another(format_, other)
    missing = missing_end(ends)
    return _cut(format_, size, missing) if missing else None


def _check_binary(format_: str, size: int, head: bytes, tail: bytes) -> ReportbusError | None:
    if not head.startswith(FORMATS[format_].begins):
        return _another(format_, kind(head))
    if folder := _other_office_folder(format_, head, tail):
        return _another(format_, f"an Office file with a folder {folder!r}")
    if FORMATS[format_].ends not in tail:
        return _cut(format_, size, "no end mark")
    missing = _END_CHECKS[format_](size, tail) if format_ in _END_CHECKS else ""
    return _cut(format_, size, missing) if missing else None


def _another(format_: str, got: str) -> Permanent:
    return Permanent("ENG_BAD_OUTPUT", f"asked for {format_}, got {got}")


def _cut(format_: str, size: int, how: str) -> Transient:
    return Transient("TemporaryFailure", f"ENG_TRUNCATED: the {format_} file of {size} bytes is cut: {how}")


def _zip_end(size: int, tail: bytes) -> str:
    """The record that ends the list of contents is whole and last, and the list lies inside the file."""
    record = tail[tail.rfind(_ZIP_END) :]
    if len(record) < _ZIP_END_SIZE or _number(record, 20, 2) != len(record) - _ZIP_END_SIZE:
        return "its end record is not whole"
    length, offset = _number(record, 12, 4), _number(record, 16, 4)
    if _SEE_ZIP64 not in {length, offset} and offset + length > size - len(record):
        return f"its list of contents should begin at {offset}"
    return ""


def _parquet_end(size: int, tail: bytes) -> str:
    if not tail.endswith(FORMATS["PARQUET"].ends):
        return "its end mark does not stand at the end"
    footer = _number(tail, len(tail) - 8, 4)
    return f"its footer should have {footer} bytes" if footer + _PARQUET_FRAME_SIZE > size else ""


def _number(data: bytes, at: int, width: int) -> int:
    return int.from_bytes(data[at : at + width], "little")


_END_CHECKS: Final[dict[str, Callable[[int, bytes], str]]] = {
    "XLSX": _zip_end,
    "DOCX": _zip_end,
    "PPTX": _zip_end,
    "ZIP": _zip_end,
    "PARQUET": _parquet_end,
}


def _other_office_folder(format_: str, head: bytes, tail: bytes) -> str:
    """The folder of another Office format among the names in the file, where the right one's is not there."""
    right = _OFFICE_FOLDERS.get(format_)
    if right is None or right in head or right in tail:
        return ""
    others = (folder for folder in _OFFICE_FOLDERS.values() if folder in tail)
    return next(others, b"").decode()
