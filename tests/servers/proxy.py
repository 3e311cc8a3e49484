"""A TCP proxy between a client and a PostgreSQL that cuts, delays or swallows what passes, as a network may.

It runs in threads of the test's process: one that accepts, and two for each connection. It knows of the
protocol only how a COMMIT looks on its way to the server.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from enum import Enum
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

LOCALHOST: Final = "127.0.0.1"
LIMIT_SECONDS: Final = 20.0

_COMMIT: Final = b"Q\x00\x00\x00\x0bCOMMIT\x00"
_CHUNK: Final = 1 << 16
_RESET: Final = b"\x01\x00\x00\x00\x00\x00\x00\x00"  # struct linger: a close is a reset, as of a dead host


class Cut(Enum):
    """Where a connection is broken that says COMMIT."""

    BEFORE = "before the server has heard it"
    AFTER = "after the server has done it, before the client hears of it"


class Proxy:
    """A proxy for the server at `port`; a `with` block closes it and all connections."""

    def __init__(self, port: int) -> None:
        self._server = port
        self._listener = socket.create_server((LOCALHOST, 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self.accepted = 0
        self.cut = 0
        self._orders: list[Cut | None] = []
        self._open = threading.Event()
        self._open.set()
        self._delay = 0.0
        self._refusing = False
        self._lock = threading.Lock()
        self._pairs: set[_Pair] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A thread in accept() keeps the listener alive: shutdown wakes it, close alone does not.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.heal()
        self.break_all()

    def url(self, url: str) -> str:
        """The address `url` of a database, by way of this proxy."""
        parts = urlsplit(url)
        return urlunsplit(parts._replace(netloc=f"{parts.username}:{parts.password}@{LOCALHOST}:{self.port}"))

    # -- what happens to the network

    def cut_next(self, *cuts: Cut | None) -> None:
        """Break the connections that say the next COMMITs, in this order; None lets one pass."""
        with self._lock:
            self._orders.extend(cuts)

    def forgive(self) -> None:
        """Cut no COMMIT any more."""
        with self._lock:
            self._orders.clear()

    def break_all(self) -> None:
        """Break every connection there is."""
        with self._lock:
            pairs = list(self._pairs)
        for pair in pairs:
            pair.close()

    def swallow(self) -> None:
        """From now on nothing passes, and nobody is told, until `heal`."""
        self._open.clear()

    def delay(self, seconds: float) -> None:
        """Each piece of data takes so much longer, in both directions."""
        self._delay = seconds

    def refuse(self) -> None:
        """Take no more connections, until `heal`."""
        self._refusing = True

    def heal(self) -> None:
        """Let everything pass at once again, also what was held back."""
        self._delay = 0.0
        self._refusing = False
        self._open.set()

    # -- inside

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            if self._refusing:
                client.close()
                continue
            try:
                server = socket.create_connection((LOCALHOST, self._server), LIMIT_SECONDS)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            pair = _Pair(self, client, server)
            with self._lock:
                self._pairs.add(pair)
            pair.start()

    def passes(self) -> None:
        """Hold a piece of data back as long as the network does."""
        self._open.wait()
        if self._delay:
            threading.Event().wait(self._delay)

    def order(self) -> Cut | None:
        """What to do with the connection that says COMMIT now."""
        with self._lock:
            order = self._orders.pop(0) if self._orders else None
            self.cut += order is not None
            return order

    def forget(self, pair: _Pair) -> None:
        """This connection is closed."""
        with self._lock:
            self._pairs.discard(pair)


class _Pair:
    """A client's connection and the one to the server that stands for it."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._answer_is_lost = False
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def start(self) -> None:
        """Begin to pass data on."""
        for run in (self._to_server, self._to_client):
            threading.Thread(target=self._guarded, args=(run,), daemon=True).start()

    def close(self) -> None:
        """Break both connections."""
        for end in (self._client, self._server):
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                end.shutdown(socket.SHUT_RDWR)
        for end in (self._client, self._server):
            end.close()
        self._proxy.forget(self)

    def _guarded(self, run: Callable[[], None]) -> None:
        with contextlib.suppress(OSError):
            run()
        self.close()

    def _to_server(self) -> None:
        while data := self._client.recv(_CHUNK):
            self._proxy.passes()
            order = self._proxy.order() if _COMMIT in data else None
            if order is Cut.BEFORE:
                return
            self._answer_is_lost = order is Cut.AFTER
            self._server.sendall(data)

    def _to_client(self) -> None:
        while data := self._server.recv(_CHUNK):
            self._proxy.passes()
            if self._answer_is_lost:
                return
            self._client.sendall(data)
