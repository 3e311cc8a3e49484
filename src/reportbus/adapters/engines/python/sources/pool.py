"""Connections kept between queries."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class _Closable(Protocol):
    def close(self) -> object: ...


T = TypeVar("T", bound=_Closable)


class Pool(Generic[T]):
    """Open connections that nobody uses right now, the last used on top; `size` of them at most are kept.

    A connection is lent to one thread at a time. One whose block raised is closed, since nobody knows its
    state.
    """

    def __init__(self, connect: Callable[[], T], size: int) -> None:
        self._connect = connect
        self._size = size
        self._idle: list[T] = []
        self._lock = threading.Lock()

    @contextmanager
    def lent(self) -> Iterator[T]:
        """A connection for the block: a kept one, else a new one."""
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = self._connect()
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        with self._lock:
            if len(self._idle) < self._size:
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close the connections that are not in use, and keep none from now on."""
        with self._lock:
            self._size = 0
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
