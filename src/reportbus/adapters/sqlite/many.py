"""Writing many rows with few statements.

Python lets go of its global lock at each step of a statement, so `executemany` does so at each row, and with
several busy threads nearly every row then costs two switches between them. A statement of many rows has one
step, and is quicker by itself.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MOST_ROWS: Final = 128
"""Rows of one statement: a few thousand values, far below SQLite's limit of 32,766."""

KEPT_STATEMENTS: Final = 512
"""How many prepared statements a connection should keep: there is one for each power of two of rows."""


class Executed(Protocol):
    """What came of a statement."""

    @property
    def rowcount(self) -> int:
        """How many rows changed."""


def execute_rows(
    execute: Callable[[str, tuple[Any, ...]], Executed], statement: str, rows: Sequence[tuple[Any, ...]]
) -> int:
    """Run `statement` for all rows, with their values in place of `{rows}`; how many changed.

    `{rows}` stands behind VALUES: in an INSERT, or as `FROM (VALUES {rows}) AS v` in an UPDATE, where the
    values are v.column1, v.column2 and so on and no two rows may mean the same row of the table.
    """
    changed = 0
    for some in _parts(rows):
        changed += execute(
            _spelled(statement, len(some[0]), len(some)), tuple(chain.from_iterable(some))
        ).rowcount
    return changed


def _parts(rows: Sequence[tuple[Any, ...]]) -> Iterator[Sequence[tuple[Any, ...]]]:
    """The rows in parts whose sizes are powers of two, so that there are few different statements."""
    start, size = 0, MOST_ROWS
    while start < len(rows):
        while size > len(rows) - start:
            size //= 2
        yield rows[start : start + size]
        start += size


@lru_cache(KEPT_STATEMENTS)
def _spelled(statement: str, width: int, count: int) -> str:
    row = f"({', '.join('?' * width)})"
    return statement.replace("{rows}", ", ".join([row] * count))
