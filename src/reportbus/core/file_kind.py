"""What some bytes are, in words for a message: "a PDF file", "an HTML page titled 'Sign in'".

Of a page or document that stands where a report should be, only its title or its own error message is shown,
never the rest: it could be report content.
"""

from __future__ import annotations

import html
import re
from typing import Final

from reportbus.core.text import quoted

UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")

_MAGIC: Final = (
    (b"%PDF-", "a PDF file"),
    (b"PK\x03\x04", "a ZIP or Office file"),
    (b"PK\x05\x06", "an empty ZIP file"),
    (b"PAR1", "a Parquet file"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"\x1f\x8b", "a gzip file"),
    (b"\xd0\xcf\x11\xe0", "an old Office file"),
)
_HTML: Final = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_XML: Final = re.compile(r"<(?:\?xml\b|!doctype\b|[a-z_][\w.-]*(?::[\w.-]+)?[\s/>])", re.IGNORECASE)
_JSON: Final = re.compile(r'(?:\[\s*)?\{\s*(?:\}|"(?:[^"\\]|\\.)*"\s*:)')
MISCELLANY: Final = r"(?:\s|<\?(?:(?!\?>).)*+\?>|<!--(?:(?!-->).)*+-->)*+"
"""A pattern (for DOTALL) of what may stand around a root element: white space, declarations, comments."""

_PROLOG: Final = re.compile(MISCELLANY, re.DOTALL)
_TITLE: Final = re.compile(r"<title[^>]{0,100}>([^<]{1,300})", re.IGNORECASE)
_FAULT: Final = re.compile(
    r"<(?:\w+:)?(?:faultstring|reason|message|title)\b[^>]{0,100}>([^<]{1,300})", re.IGNORECASE
)
_COMPLAINT: Final = re.compile(
    r'"(?:error_description|error|message|detail|title)"\s*:\s*"((?:[^"\\]|\\.){1,300})', re.IGNORECASE
)


def kind(head: bytes) -> str:
    """What a file that begins with `head` is."""
    return binary_kind(head) or markup_kind(decoded(head)) or "text of another kind"


def binary_kind(head: bytes) -> str:
    """What it is where it is no text; "" for text."""
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    return "bytes that are no text" if b"\0" in head and not head.startswith(UTF16_MARKS) else ""


def markup_kind(text: str) -> str:
    """What it is where it is HTML, XML or JSON; "" for anything else."""
    return html_kind(text) or xml_kind(text) or json_kind(text)


def html_kind(text: str) -> str:
    """An HTML page, with its title."""
    if "<" not in text[:200]:
        return ""
    return _told("an HTML page", _TITLE, text) if _HTML.match(text, prolog_end(text)) else ""


def xml_kind(text: str) -> str:
    """An XML document, with its fault's words."""
    start = len(text) - len(text.lstrip())
    return _told("an XML document", _FAULT, text) if _XML.match(text, start) else ""


def json_kind(text: str) -> str:
    """A JSON document, with its error's words."""
    start = len(text) - len(text.lstrip())
    return _told("a JSON document", _COMPLAINT, text) if _JSON.match(text, start) else ""


def prolog_end(text: str) -> int:
    """Where what stands before the first tag ends: white space, an XML declaration, comments."""
    match = _PROLOG.match(text)
    return match.end() if match else 0


def decoded(data: bytes) -> str:
    """The text without its byte order mark; what is no UTF-16 is read byte by byte, enough to see markup."""
    if data.startswith(UTF16_MARKS):
        return data.decode("utf-16", "replace")
    return data.removeprefix(b"\xef\xbb\xbf").decode("latin-1")


def _told(what: str, words: re.Pattern[str], text: str) -> str:
    match = words.search(text)
    said = " ".join(html.unescape(match[1]).split()) if match else ""
    return f"{what} that says {quoted(said)}" if said else what
