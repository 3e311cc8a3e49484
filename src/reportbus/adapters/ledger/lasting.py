"""Telling a ledger that is away from one that no waiting brings."""

from __future__ import annotations

import re
import socket
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import DBAPIError

from reportbus.adapters.ledger.database import PRIMARY_CODE
from reportbus.core.errors import Permanent, Transient

if TYPE_CHECKING:
    from collections.abc import Iterator

_CODES: Final = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY})

_TEXTS: Final = re.compile(
    rf"failed to resolve host '[^']*': \[Errno {socket.EAI_NONAME:d}\]"
    r"|FATAL: +password authentication failed"
    r"|FATAL: +no pg_hba\.conf entry"
    r"|FATAL: +(?:role|database) \".*\" does not exist"
    r"|FATAL: +role \".*\" is not permitted to log in"
    r"|FATAL: +permission denied for database"
    r"|fe_sendauth: no password supplied"
)
"""PostgreSQL's answers to a log-in come without their codes; one that is not known here may pass."""


@contextmanager
def opening() -> Iterator[None]:
    """The first use of a ledger: Permanent SYS_LEDGER instead of Transient where waiting would not help.

    That is where its host has no address, its log-in is refused, or its file cannot be opened. Of a ledger
    that has been there before, all of these may pass.
    """
    try:
        yield
    except Transient as error:
        cause = error.__cause__
        if isinstance(cause, DBAPIError) and _lasts(cause.orig):
            raise Permanent("SYS_LEDGER", error.text) from error
        raise


def _lasts(error: BaseException | None) -> bool:
    if isinstance(error, sqlite3.Error):
        return error.sqlite_errorcode & PRIMARY_CODE in _CODES
    return _TEXTS.search(str(error)) is not None
