"""How files of text begin and end. Every function says in words for a message what is wrong, or "".

A CSV file may end without a line break, so a cut in its last line is found out only where the line shows it:
by a quotation mark that is not closed, or by fewer cells than the lines before, where those are all alike.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reportbus.core.file_kind import (
    MISCELLANY,
    UTF16_MARKS,
    decoded,
    html_kind,
    json_kind,
    markup_kind,
    xml_kind,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_ROOT: Final = re.compile(
    rf"{MISCELLANY}(?:<!doctype[^>\[]*+(?:\[[^\]]*+\]\s*+)?>{MISCELLANY})?<([\w.:-]+)([^>]*>?)",
    re.IGNORECASE | re.DOTALL,
)
_BEHIND_ROOT: Final = re.compile(rf"\s*>{MISCELLANY}\Z", re.DOTALL)
_SOAP_FAULT: Final = re.compile(r"<(?:[\w.-]+:)?Fault\b")
_FAULTS: Final = frozenset({"fault", "error", "exception"})

_DELIMITERS: Final = ",;\t|"
_CELL: Final = {mark: re.compile(rf'"(?:[^"]|"")*+"|[^"\n{mark}][^\n{mark}]*+|') for mark in _DELIMITERS}
_OPEN: Final = 0
_ODD: Final = -1


@dataclass(frozen=True, slots=True)
class Ends:
    """The first and the last characters of a file; `whole` where each of them is all of it."""

    head: str
    tail: str
    whole: bool

    @classmethod
    def of(cls, size: int, head: bytes, tail: bytes) -> Ends | None:
        """Both ends as text, in UTF-16 where the file says so; None where one of UTF-16 has an odd size."""
        text = decoded(head)
        if not head.startswith(UTF16_MARKS):
            whole = size <= len(head)
            return cls(text, text if whole else tail.decode("latin-1"), whole)
        if size % 2:
            return None
        order = "utf-16-le" if head.startswith(b"\xff\xfe") else "utf-16-be"
        return cls(text, tail[len(tail) % 2 :].decode(order, "replace"), size <= len(head))


# -- HTML and XML


def _not_html(head: str) -> str:
    if head.lstrip().startswith("<"):
        return "" if html_kind(head) else _fault(head)
    return json_kind(head) or "text that does not begin with a tag"


def _html_cut(ends: Ends) -> str:
    return "" if "</html>" in ends.tail.lower() else "no </html> at the end"


def _not_xml(head: str) -> str:
    if other := html_kind(head) or _fault(head):
        return other
    return "" if head.lstrip().startswith("<") else json_kind(head) or "text that does not begin with a tag"


def _fault(head: str) -> str:
    """An XML document that tells of an error instead of the report."""
    root = _ROOT.match(head)
    if root is None:
        return ""
    name = root[1].rpartition(":")[2].lower()
    fault = name in _FAULTS or (name == "envelope" and _SOAP_FAULT.search(head))
    return xml_kind(head) if fault else ""


def _xml_cut(ends: Ends) -> str:
    root = _ROOT.match(ends.head)
    end = ends.tail.rstrip()
    if root is None:
        closed = end.endswith(">") and not ends.whole
    else:
        may_be_empty = root[2].endswith("/>") or not root[2].endswith(">")
        closed = _closes(root[1], ends.tail) or (may_be_empty and end.endswith("/>"))
    return "" if closed else "its root element does not end"


def _closes(root: str, tail: str) -> bool:
    """Whether the root element ends here; only comments and white space may follow."""
    at = tail.rfind(f"</{root}")
    return at >= 0 and _BEHIND_ROOT.match(tail, at + len(root) + 2) is not None


# -- lines of text


def _csv_cut(ends: Ends) -> str:
    if ends.tail.endswith(("\n", "\r")) or not (ends.whole or "\n" in ends.tail):
        return ""
    first = ends.head.partition("\n")[0].rstrip("\r")
    delimiter = max(_DELIMITERS, key=first.count)
    *before, last = ends.tail.split("\n")
    cells = _cells(last, delimiter)
    if cells == _OPEN:
        ends_a_cell_of_several_lines = _cells(f'"{last}', delimiter) > 0
        return "" if ends_a_cell_of_several_lines else "an open quotation mark in the last line"
    expected = _cells(first, delimiter)
    known = before if ends.whole else before[1:]
    if known and 0 < cells < expected == _cells(known[-1].rstrip("\r"), delimiter):
        return f"{cells} of {expected} cells in the last line"
    return ""


def _cells(line: str, delimiter: str) -> int:
    """How many cells; _OPEN where a quotation mark is not closed, _ODD where text follows a closed one."""
    cell, at, count = _CELL[delimiter], 0, 1
    while (match := cell.match(line, at)) and match.end() < len(line):
        if line[match.end()] != delimiter:
            return _ODD if match[0] else _OPEN
        at = match.end() + 1
        count += 1
    return count


def _not_jsonl(head: str) -> str:
    if other := html_kind(head) or xml_kind(head):
        return other
    first, newline, _ = head.lstrip().partition("\n")
    return "" if not newline or _is_json(first) else "lines that are no JSON"


def _jsonl_cut(ends: Ends) -> str:
    text = ends.tail.rstrip()
    if not ends.whole and "\n" not in text:
        return ""
    return "" if _is_json(text.rpartition("\n")[2]) else "its last line is no whole JSON"


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _never_cut(_: Ends) -> str:
    """Any text may end anywhere."""
    return ""


TEXT_CHECKS: Final[dict[str, tuple[Callable[[str], str], Callable[[Ends], str]]]] = {
    "HTML": (_not_html, _html_cut),
    "XML": (_not_xml, _xml_cut),
    "CSV": (markup_kind, _csv_cut),
    "JSONL": (_not_jsonl, _jsonl_cut),
    "TXT": (html_kind, _never_cut),
}
"""For each format of text: what else its beginning shows it to be, and what its end lacks."""
