"""Staging in a folder of this machine, or of one that all workers mount.

    <root>/tmp/                                        files that are being written
    <root>/reports/<2 hex>/<request id>~<run>~<job>~<file name>

The two hexadecimal digits are a checksum of the request id: `ls <root>/reports/*/<request id>~*` shows a
request's files. A folder for each part of the key would cost more than twice as much as the file itself.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import itertools
import logging
import os
import secrets
import stat
import zlib
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from reportbus.adapters.durable_files import file_sync, no_failpoint, rename_new
from reportbus.adapters.staging.folder_writer import FolderWriter, staging_error
from reportbus.core.errors import Permanent, ReportbusError, Transient
from reportbus.core.names import parse_staging_key
from reportbus.core.text import quoted
from reportbus.ports import StagedObject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from reportbus.adapters.durable_files import Failpoint, SyncMaker
    from reportbus.ports import StagedWriter

_LOG: Final = logging.getLogger(__name__)
_CHUNK: Final = 1 << 18  # larger ones cost more: their memory is asked of the system each time
_LONGEST_NAME: Final = 255  # bytes, of one name in a folder
_PRIVATE: Final = 0o700
_EXISTING: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe in its place must not hang us


class FolderStaging:
    """Staged files below `root`, which is made where it is missing.

    `created` is called with the objects of each published batch once they are visible and durable. The event
    is a hint: where `created` raises a ReportbusError, the batch stays published and the failure is logged.
    """

    def __init__(
        self,
        root: str | Path,
        *,
        created: Callable[[Sequence[StagedObject]], None] | None = None,
        sync: SyncMaker = file_sync,
        failpoint: Failpoint = no_failpoint,
    ) -> None:
        self._created = created
        self._failpoint = failpoint
        try:
            for name in ("tmp", "reports"):
                Path(root, name).mkdir(_PRIVATE, parents=True, exist_ok=True)
            self._root = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise staging_error(error, f"opening the staging folder {os.fspath(root)}") from error
        self._sync = sync(self._root)
        self._token = secrets.token_hex(4)
        self._numbers = itertools.count(1)

    def writer(self, key: str, *, limit: int) -> FolderWriter:
        return FolderWriter(
            key,
            limit=limit,
            root=self._root,
            path=_path(key),
            temporary=f"tmp/{self._token}-{next(self._numbers)}",
            mark=self._sync.mark(),
        )

    def publish(self, writers: Sequence[StagedWriter]) -> Sequence[StagedObject | ReportbusError]:
        mine = [_own(writer) for writer in writers]
        failed: dict[int, ReportbusError] = {}
        self._each(mine, failed, FolderWriter.finish)
        self._failpoint("written")
        self._sync_all(mine, failed, lambda writer: writer.temporary)
        self._failpoint("synced")
        self._each(mine, failed, self._appear)
        self._failpoint("renamed")
        self._sync_all(mine, failed, lambda writer: writer.path.rpartition("/")[0])
        self._failpoint("settled")
        self._tell([writer.staged() for index, writer in enumerate(mine) if index not in failed])
        return [failed.get(index) or writer.staged() for index, writer in enumerate(mine)]

    def find(self, key: str) -> StagedObject | None:
        content = hashlib.sha256()
        size = 0
        mark = self._sync.mark()
        try:
            with self._opened(key) as file:
                while chunk := file.read(_CHUNK):
                    content.update(chunk)
                    size += len(chunk)
            # Whoever finds it may build on it, also where its publisher died before it was durable.
            self._sync.sync(mark, [(self._root, _path(key)), (self._root, _path(key).rpartition("/")[0])])
        except FileNotFoundError:
            return None
        except OSError as error:
            raise staging_error(error, f"reading {key}") from error
        return StagedObject(key, size, content.hexdigest())

    def open(self, key: str) -> BinaryIO:
        try:
            return self._opened(key)
        except FileNotFoundError as error:
            raise Permanent("STG_MISSING", f"nothing is staged under {key}") from error
        except OSError as error:
            raise staging_error(error, f"opening {key}") from error

    def sweep(self, *, before: datetime) -> int:
        oldest = before.timestamp()
        try:
            return sum(self._sweep(folder, oldest) for folder in self._folders())
        except OSError as error:
            raise staging_error(error, "sweeping the staging folder") from error

    def close(self) -> None:
        if self._root >= 0:
            os.close(self._root)
            self._root = -1

    def _each(
        self,
        writers: list[FolderWriter],
        failed: dict[int, ReportbusError],
        step: Callable[[FolderWriter], None],
    ) -> None:
        for index, writer in enumerate(writers):
            if index not in failed:
                try:
                    step(writer)
                except ReportbusError as error:
                    failed[index] = error

    def _sync_all(
        self,
        writers: list[FolderWriter],
        failed: dict[int, ReportbusError],
        place: Callable[[FolderWriter], str],
    ) -> None:
        going = [index for index in range(len(writers)) if index not in failed]
        if not going:
            return
        places = ((self._root, place(writers[index])) for index in going)
        try:
            self._sync.sync(
                min(writers[index].mark for index in going), chain([(self._root, "reports")], places)
            )
        except OSError as error:
            failed |= dict.fromkeys(going, staging_error(error, "syncing the staging folder"))

    def _appear(self, writer: FolderWriter) -> None:
        try:
            self._rename(writer)
        except FileExistsError:
            self._compare(writer)
        except OSError as error:
            raise staging_error(error, f"publishing {writer.key}") from error
        else:
            writer.renamed()

    def _rename(self, writer: FolderWriter) -> None:
        source, target = (self._root, writer.temporary), (self._root, writer.path)
        try:
            rename_new(source, target)
        except FileNotFoundError:  # the first file of its folder
            with contextlib.suppress(FileExistsError):
                os.mkdir(writer.path.rpartition("/")[0], _PRIVATE, dir_fd=self._root)
            rename_new(source, target)

    def _compare(self, writer: FolderWriter) -> None:
        found, mine = self.find(writer.key), writer.staged()
        if found is None:
            raise Transient("TemporaryFailure", f"{writer.key} was swept while it was published again")
        if found != mine:
            raise Permanent(
                "STG_MISMATCH",
                f"{writer.key} stands there already with other content: {found.size:,} bytes with SHA-256 "
                f"{found.sha256}, not {mine.size:,} bytes with {mine.sha256}",
            )
        writer.discard()

    def _tell(self, objects: list[StagedObject]) -> None:
        if self._created is None or not objects:
            return
        try:
            self._created(objects)
        except ReportbusError as error:
            _LOG.warning("no created event for %d staged files: %s", len(objects), error)

    def _opened(self, key: str) -> BinaryIO:
        """The file of a key; STG_MISMATCH where something else has come to stand there."""
        try:
            fd = os.open(_path(key), _EXISTING, dir_fd=self._root)
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            raise Permanent("STG_MISMATCH", f"a symbolic link stands under {key}, not its file") from error
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise Permanent("STG_MISMATCH", f"a folder or a device stands under {key}, not its file")
        return os.fdopen(fd, "rb", buffering=0)

    def _folders(self) -> list[str]:
        with self._listed("reports") as shards:
            return ["tmp", *(f"reports/{shard.name}" for shard in shards)]

    def _sweep(self, folder: str, oldest: float) -> int:
        removed = 0
        with self._listed(folder) as entries:
            for entry in entries:
                # Another sweep was quicker, or it is a folder, which nobody but a person puts there.
                with contextlib.suppress(FileNotFoundError, IsADirectoryError):
                    if entry.stat(follow_symlinks=False).st_mtime < oldest:
                        os.unlink(f"{folder}/{entry.name}", dir_fd=self._root)
                        removed += 1
        return removed

    @contextlib.contextmanager
    def _listed(self, folder: str) -> Iterator[Iterator[os.DirEntry[str]]]:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY, dir_fd=self._root)
        try:
            with os.scandir(fd) as entries:
                yield entries
        finally:
            os.close(fd)


def _path(key: str) -> str:
    """Where the file of a key lies, below the root."""
    parsed = parse_staging_key(key)
    if parsed is None:
        raise Permanent(
            "SEC_PATH", f"{quoted(key)} is no staging key; they read reports/REQUEST_ID/RUN/JOB/FILE_NAME"
        )
    name = f"{parsed.request_id}~{parsed.run}~{parsed.job}~{parsed.file_name}"
    if len(os.fsencode(name)) > _LONGEST_NAME:
        name = f"{parsed.request_id}~{parsed.run}~{parsed.job}~{hashlib.sha256(key.encode()).hexdigest()}"
    return f"reports/{zlib.crc32(parsed.request_id.encode()) & 0xFF:02x}/{name}"


def _own(writer: StagedWriter) -> FolderWriter:
    if not isinstance(writer, FolderWriter):
        raise TypeError(f"a staging folder publishes its own writers, not {type(writer).__name__}")
    return writer
