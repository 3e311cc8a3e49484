"""The files exports can be written as: one file per format, loaded when the first report asks for it."""

from __future__ import annotations

from pkgutil import resolve_name
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from reportbus.adapters.engines.python.report import Report, Sink

_WRITERS: Final = {
    "CSV": "to_csv",
    "XLSX": "to_xlsx",
    "PARQUET": "to_parquet",
    "JSONL": "to_jsonl",
    "HTML": "to_html",
    "PDF": "to_pdf",
}


class Write(Protocol):
    """What each format's file offers."""

    def __call__(self, report: Report, sink: Sink) -> None:
        """Write the whole report, and no byte before what cannot be written is known."""


def writer(format_: str) -> Write:
    """How a file of that format is written."""
    write: Write = resolve_name(f"{__name__}.{_WRITERS[format_]}:write")
    return write
