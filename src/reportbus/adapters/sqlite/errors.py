"""SQLite's errors as ours."""

from __future__ import annotations

import errno
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from reportbus.core.errors import Permanent, ReportbusError, Transient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PASSING: Final = frozenset({errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC})
_DAMAGED: Final = frozenset(
    {sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_DATA, sqlite3.SQLITE_IOERR_CORRUPTFS}
)
"""Told as I/O errors, these mean a file or a log that is not what was written: waiting does not help."""

_PRIMARY: Final = 0xFF  # extended result codes hold the primary one in their lowest byte


@contextmanager
def our_errors(path: Path, code: str) -> Iterator[None]:
    """Raise Transient for what may pass, Permanent `code` for a bad file, `<code>_SCHEMA` for its tables."""
    try:
        yield
    except sqlite3.Error as error:
        raise _translated(error, path, code) from error
    except OSError as error:
        raise _of_the_system(error, path, code) from error
    except (OverflowError, UnicodeEncodeError) as error:
        raise Permanent(code, f"{path}: SQLite cannot hold a value: {error}") from error


def primary_code(error: sqlite3.Error) -> int:
    """SQLite's primary result code; 0 where Python's module made the error itself."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & _PRIMARY


def _translated(error: sqlite3.Error, path: Path, code: str) -> ReportbusError:
    """The error with SQLite's message, which names tables and columns, never values."""
    if getattr(error, "sqlite_errorcode", 0) in _DAMAGED:
        return Permanent(code, f"{path}: the file or its log is damaged: {error}")
    match primary_code(error):
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            fault = "another program holds its lock for too long; end that program's transaction"
            return Transient("TemporaryFailure", f"{path}: {fault}")
        case sqlite3.SQLITE_FULL:
            return Transient("ServiceUnavailable", f"{path}: the disk is full")
        case sqlite3.SQLITE_IOERR | sqlite3.SQLITE_NOMEM | sqlite3.SQLITE_PROTOCOL:
            return Transient("ServiceUnavailable", f"{path}: {error}")
        case sqlite3.SQLITE_ERROR | sqlite3.SQLITE_CONSTRAINT:
            return Permanent(f"{code}_SCHEMA", f"{path}: its tables and what was asked do not fit: {error}")
        case _:
            return Permanent(code, f"{path}: {error}")


def _of_the_system(error: OSError, path: Path, code: str) -> ReportbusError:
    text = f"{path}: {error.strerror}"
    return Transient("ServiceUnavailable", text) if error.errno in _PASSING else Permanent(code, text)
