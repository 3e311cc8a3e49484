"""Whether SQL is one query, as far as its text tells: databases differ, so most of it only they can judge."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from reportbus.core.errors import Permanent

if TYPE_CHECKING:
    from reportbus.adapters.engines.python.statement import Statement

_QUERIES: Final = frozenset({"select", "with", "values", "table"})
_CHANGES: Final = frozenset(
    {"alter", "copy", "create", "delete", "drop", "grant", "insert", "merge", "replace", "revoke", "truncate"}
    | {"update", "upsert"}
)
_FIRST_WORD: Final = re.compile(r"[\s(]*(\w*)")


def require_query(statement: Statement) -> None:
    """Raise Permanent PY_SQL for what is not one query in standard SQL."""
    bare = statement.bare
    if ";" in bare or _first_word(bare) not in _QUERIES:
        raise no_query()


def refuse_change(statement: Statement) -> None:
    """Raise Permanent PY_SQL for what changes something in any SQL; in some, queries begin in other ways."""
    if _first_word(statement.bare) in _CHANGES:
        raise no_query()


def no_query() -> Permanent:
    """The error for SQL that is not one query."""
    return Permanent("PY_SQL", "the report's SQL has to be one SELECT")


def _first_word(bare: str) -> str:
    found = _FIRST_WORD.match(bare)
    return found[1].lower() if found else ""
