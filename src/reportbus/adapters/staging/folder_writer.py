"""One file on its way to the staging folder: small ones stay in memory until they are published."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from typing import TYPE_CHECKING, Final, Self

from reportbus.adapters.durable_files import write_whole
from reportbus.adapters.folder_errors import DISK_SECONDS, DISK_TAKES_NOTHING
from reportbus.core.errors import Permanent, ReportbusError, Transient
from reportbus.ports import StagedObject

if TYPE_CHECKING:
    from types import TracebackType

EDGE: Final = 1024
"""Bytes of a file's `head` and `tail`."""

_KEPT_IN_MEMORY: Final = 64 * 1024
_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL
_FOR_GOOD: Final = frozenset({errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.ELOOP, errno.EXDEV})


class FolderWriter:
    """A StagedWriter; `path` and `temporary` lie below the open folder `root`, `mark` is the sync's."""

    def __init__(self, key: str, *, limit: int, root: int, path: str, temporary: str, mark: int) -> None:
        self.key = key
        self.path = path
        self.temporary = temporary
        self.mark = mark
        self._limit = limit
        self._root = root
        self._fd: int | None = None
        self._on_disk = False
        self._closed = False
        self._whole = False
        self._hash = hashlib.sha256()
        self._size = 0
        self._head = b""
        self._tail = b""
        self._pending: list[bytes] = []
        self._pending_size = 0

    @property
    def size(self) -> int:
        return self._size

    @property
    def head(self) -> bytes:
        return (self._head + b"".join(self._pending))[:EDGE]

    @property
    def tail(self) -> bytes:
        return (self._tail + b"".join(self._pending))[-EDGE:]

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        if self._closed:
            raise ValueError(f"{self.key} was published or discarded already")
        octets = data if isinstance(data, bytes) else bytes(data)
        count = len(octets)
        if self._size + count > self._limit:
            raise Permanent(
                "ENG_OUTPUT_TOO_LARGE", f"{self.key} grew beyond {self._limit:,} bytes, the limit"
            )
        if self._pending_size + count > _KEPT_IN_MEMORY:
            self._spill()
        self._pending.append(octets)
        self._pending_size += count
        self._size += count
        return count

    def finish(self) -> None:
        """Bring what is still in memory under the temporary name. Repeating it changes nothing."""
        if self._whole:
            return
        if self._closed:
            raise Transient("TemporaryFailure", f"{self.key} was not written whole")
        self._spill()
        try:
            self._close()
        except OSError as error:
            raise self._write_error(error) from error
        self._whole = True

    def staged(self) -> StagedObject:
        """The object that comes of what was written."""
        return StagedObject(self.key, self._size, self._hash.hexdigest())

    def renamed(self) -> None:
        """Know that the file has its name and is not to be discarded any more."""
        self._on_disk = False

    def discard(self) -> None:
        """Remove the temporary file, if there is one; should that fail, the sweep will."""
        with contextlib.suppress(OSError):
            self._close()
        if self._on_disk:
            self._on_disk = False
            with contextlib.suppress(OSError):
                os.unlink(self.temporary, dir_fd=self._root)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()

    def _spill(self) -> None:
        data = b"".join(self._pending)
        self._pending.clear()
        self._pending_size = 0
        self._hash.update(data)
        self._head += data[: EDGE - len(self._head)]
        self._tail = (self._tail + data[-EDGE:])[-EDGE:]
        try:
            if self._fd is None:
                self._fd = os.open(self.temporary, _NEW_FILE, 0o600, dir_fd=self._root)
                self._on_disk = True
            write_whole(self._fd, data)
        except OSError as error:
            self.discard()
            raise self._write_error(error) from error

    def _close(self) -> None:
        self._closed = True
        if self._fd is not None:
            fd, self._fd = self._fd, None
            os.close(fd)

    def _write_error(self, error: OSError) -> ReportbusError:
        return staging_error(error, f"writing {self.key} ({self._size:,} bytes)")


def staging_error(error: OSError, doing: str) -> ReportbusError:
    """What a failed system call on the staging folder means: SYS_STAGING where a person has to mend it."""
    text = f"{doing}: {error.strerror or 'no answer'}"
    if error.errno in _FOR_GOOD:
        return Permanent("SYS_STAGING", text)
    wait = DISK_SECONDS if error.errno in DISK_TAKES_NOTHING else None
    return Transient("TemporaryFailure", text, retry_after=wait)
