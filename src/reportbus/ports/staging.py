"""Where finished reports wait for their deliveries."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from types import TracebackType
    from typing import BinaryIO

    from reportbus.core.errors import ReportbusError


class StagedWriter(Protocol):
    """Where an engine writes a report: hashed and counted as the bytes go by, invisible until published.

    Not for several threads. Leaving the `with` block without `Staging.publish` discards it.
    """

    key: str

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        """Take bytes; Permanent ENG_OUTPUT_TOO_LARGE beyond the size limit."""

    @property
    def size(self) -> int:
        """Bytes so far."""

    @property
    def head(self) -> bytes:
        """The first bytes, up to 1,024."""

    @property
    def tail(self) -> bytes:
        """The last bytes, up to 1,024."""

    def __enter__(self) -> Self:
        """Start."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Discard what was not published."""


class StagedObject(NamedTuple):
    """A whole file on staging: `size` in bytes, `sha256` in hexadecimal."""

    key: str
    size: int
    sha256: str


class Staging(Protocol):
    """Where finished reports wait for their deliveries.

    An object is whole or absent; a key never changes content.
    """

    def writer(self, key: str, *, limit: int) -> StagedWriter:
        """A writer for `key` that takes at most `limit` bytes."""

    def publish(self, writers: Sequence[StagedWriter]) -> Sequence[StagedObject | ReportbusError]:
        """Make the files durable, all together, then visible under their keys; emit their created events.

        Publishing the same content under its key again succeeds and changes nothing; other content under a
        key that exists is Permanent STG_MISMATCH.
        """

    def find(self, key: str) -> StagedObject | None:
        """The object under `key`, its hash computed from the bytes that stand there.

        None where there is none; Permanent STG_MISMATCH where what stands there is no file.
        """

    def open(self, key: str) -> BinaryIO:
        """The object's bytes. Permanent STG_MISSING where there is none, STG_MISMATCH where it is no file."""

    def sweep(self, *, before: datetime) -> int:
        """Remove objects and left-over temporary files older than `before`; how many."""

    def close(self) -> None:
        """Let go of the store."""
