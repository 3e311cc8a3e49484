"""The audit log as text, in pieces: memory does not grow with it."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import fields
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

from reportbus.entry.actions.shapes import plain
from reportbus.ports import AuditRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FIELDS: Final = tuple(field.name for field in fields(AuditRow))

_ROWS: Final = 500
"""Rows of a piece."""


def to_json_lines(rows: Iterable[AuditRow]) -> Iterator[str]:
    """A JSON object a line."""
    for piece in _pieces(rows):
        yield "".join(f"{json.dumps(plain(row), ensure_ascii=False)}\n" for row in piece)


def to_csv(rows: Iterable[AuditRow]) -> Iterator[str]:
    """CSV with a heading; the particulars are a JSON object in one cell."""
    heading: list[list[object]] = [[*FIELDS]]
    for piece in chain([heading], (list(map(_cells, piece)) for piece in _pieces(rows))):
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(piece)
        yield out.getvalue()


def _cells(row: AuditRow) -> list[object]:
    values = (plain(getattr(row, name)) for name in FIELDS)
    return [json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value for value in values]


def _pieces(rows: Iterable[AuditRow]) -> Iterator[list[AuditRow]]:
    left = iter(rows)
    while piece := list(islice(left, _ROWS)):
        yield piece
