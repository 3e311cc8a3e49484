"""Knowing at once that a worker is gone: a lock that the operating system or the server lets go of with it.

PostgreSQL: a session advisory lock under the worker's number; the server drops it with the connection. SQLite
(one host): a lock on a file beside the database; the kernel drops it with the process. A lease that lapses is
the backstop for a worker that hangs but lives.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import SQLAlchemyError

from reportbus.adapters.lock_files import is_left, locked, remove
from reportbus.core.errors import Transient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reportbus.adapters.ledger.database import Database

ADVISORY_CLASS: Final = 0x7265_7062
"""The first half of the advisory locks' keys, so that they meet nobody else's."""


class Liveness(Protocol):
    """Signs of life."""

    def hold(self, worker: int) -> None:
        """Show that this worker lives, as long as this process does and until `drop`."""

    def drop(self, worker: int) -> None:
        """Stop showing it."""

    def close(self) -> None:
        """Drop all that are held."""

    def holding(self, worker: int) -> bool:
        """Whether this process still shows it; false once the server dropped the connection that did."""

    def gone(self, worker: int, connection: Connection) -> bool:
        """Whether that worker's sign is missing. Never true of a worker that holds it."""


class FileLocks:
    """A lock on `<folder>/<worker>.lock`; an open file's lock ends with its process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[int, int] = {}

    def hold(self, worker: int) -> None:
        path = self._path(worker)
        with _our_errors(path):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._remove_left()
            handle = locked(path)
        if handle is None:
            raise Transient("TemporaryFailure", f"{path} was taken for one that is left over, and removed")
        self._held[worker] = handle

    def drop(self, worker: int) -> None:
        handle = self._held.pop(worker, None)
        if handle is not None:
            remove(self._path(worker))
            os.close(handle)

    def close(self) -> None:
        for worker in list(self._held):
            self.drop(worker)

    def holding(self, worker: int) -> bool:
        return worker in self._held

    def gone(self, worker: int, connection: Connection) -> bool:
        path = self._path(worker)
        with _our_errors(path):
            return is_left(path)

    def _remove_left(self) -> None:
        """Remove the files of processes that ended between their retirement and the removal."""
        for path in self._folder.glob("*.lock"):
            is_left(path)

    def _path(self, worker: int) -> Path:
        return self._folder / f"{worker}.lock"


@contextmanager
def _our_errors(path: Path) -> Iterator[None]:
    """Whatever the system says of a lock file may pass: the disk has room again, or may be written again."""
    try:
        yield
    except OSError as error:
        text = f"the worker's lock file {path}: {error.strerror}"
        raise Transient("ServiceUnavailable", text) from error


class AdvisoryLocks:
    """A session advisory lock on a connection of the worker's own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._held: dict[int, Connection] = {}

    def hold(self, worker: int) -> None:
        connection = self._database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(select(func.pg_advisory_lock(ADVISORY_CLASS, worker)))
        self._held[worker] = connection

    def drop(self, worker: int) -> None:
        connection = self._held.pop(worker, None)
        if connection is not None:
            connection.invalidate()
            connection.close()

    def close(self) -> None:
        for worker in list(self._held):
            self.drop(worker)

    def holding(self, worker: int) -> bool:
        connection = self._held.get(worker)
        if connection is None:
            return False
        try:
            connection.execute(select(1))
        except SQLAlchemyError:
            return False
        return True

    def gone(self, worker: int, connection: Connection) -> bool:
        return bool(
            connection.execute(select(func.pg_try_advisory_xact_lock(ADVISORY_CLASS, worker))).scalar_one()
        )
