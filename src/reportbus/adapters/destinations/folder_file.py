"""One file on its way into a folder: copied under a temporary name, verified, renamed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reportbus.adapters.destinations.folder_order import mark, marked
from reportbus.adapters.durable_files import rename_new, write_whole
from reportbus.adapters.folder_errors import folder_error
from reportbus.core.errors import Permanent, Transient

if TYPE_CHECKING:
    from datetime import datetime

    from reportbus.adapters.destinations.folder_tree import OpenFolder
    from reportbus.adapters.durable_files import FileSync
    from reportbus.core.model import Artifact
    from reportbus.ports import Delivery

_CHUNK: Final = 1 << 18  # larger ones cost more: their memory is asked of the system each time
_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
_EXISTING: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe in the way must not hang us


@dataclass(slots=True)
class FolderFile:
    """An artifact and its final `name` in `folder`; before that it is `temporary` in `workshop`.

    `repeated` is set where it stood there before, `superseded` where a newer request's file stands there.
    """

    artifact: Artifact
    requested_at: datetime
    folder: OpenFolder
    name: str
    workshop: OpenFolder
    sync: FileSync
    temporary: str = ""
    repeated: bool = False
    superseded: bool = False

    @property
    def path(self) -> str:
        """Where it stands in the end."""
        return f"{self.folder.path}/{self.name}"

    def stands(self) -> bool:
        """Whether the right bytes stand under the final name, and not as those of an older request.

        Raises Permanent SEC_SYMLINK, DST_NAME_TAKEN where no file stands there.
        """
        try:
            fd = os.open(self.name, _EXISTING, dir_fd=self.folder.fd)
        except (FileNotFoundError, PermissionError):  # what may not be read may still be replaced
            return False
        except OSError as error:
            raise folder_error(error, f"looking at {self.path}") from error
        try:
            about = os.fstat(fd)
            if not stat.S_ISREG(about.st_mode):
                raise Permanent("DST_NAME_TAKEN", f"{self.path} is a folder or a device, not a file")
            same = about.st_size == self.artifact.size and self._holds_the_bytes(fd)
        except OSError as error:
            raise folder_error(error, f"reading {self.path}") from error
        finally:
            os.close(fd)
        at = marked(self.folder, self.name) if same else None
        return same and (at is None or at >= self.requested_at)

    def copy(self, delivery: Delivery, temporary: str) -> None:
        """Copy the staged bytes into the temporary file; STG_MISMATCH where they are others."""
        try:
            fd = os.open(temporary, _NEW_FILE, 0o666, dir_fd=self.workshop.fd)
            self.temporary = temporary
            try:
                found = self._pour(delivery, fd)
                mark(fd, self.requested_at)
            finally:
                os.close(fd)
        except OSError as error:
            raise folder_error(error, f"copying {self.artifact.key} to {self.path}") from error
        if found != (self.artifact.size, self.artifact.sha256):
            raise Permanent(
                "STG_MISMATCH", f"the staged bytes of {self.artifact.key} are not the recorded ones"
            )

    def verify(self, *, read_back: bool) -> None:
        """Compare the temporary file with what was recorded, by its bytes or only by its size."""
        try:
            fd = os.open(self.temporary, _EXISTING, dir_fd=self.workshop.fd)
            try:
                same = os.fstat(fd).st_size == self.artifact.size
                same = same and (not read_back or self._holds_the_bytes(fd))
            finally:
                os.close(fd)
        except FileNotFoundError:
            raise self._gone() from None
        except OSError as error:
            raise folder_error(error, f"reading back {self.path}") from error
        if not same:
            raise Transient(
                "TemporaryFailure", f"{self.path} does not read back as it was written (DST_VERIFY)"
            )

    def rename(self, *, replace: bool) -> None:
        """Give it its final name, at once and whole; without `replace`, DST_EXISTS where that is taken.

        The file of a newer request is not replaced: this one is superseded.
        """
        if replace and (at := marked(self.folder, self.name)) and at > self.requested_at:
            self.discard()
            self.superseded = True
            return
        try:
            if replace:
                os.rename(self.temporary, self.name, src_dir_fd=self.workshop.fd, dst_dir_fd=self.folder.fd)
            else:
                rename_new((self.workshop.fd, self.temporary), (self.folder.fd, self.name))
            self.temporary = ""
        except FileExistsError as error:
            self._recognise(Permanent("DST_EXISTS", f"{self.path} exists already, with other content"), error)
        except FileNotFoundError as error:
            self._recognise(self._gone(), error)
        except OSError as error:
            raise folder_error(error, f"renaming a temporary file to {self.path}") from error

    def discard(self) -> None:
        """Remove the temporary file; one that cannot be removed now is a leftover."""
        if self.temporary:
            with contextlib.suppress(OSError):
                os.unlink(self.temporary, dir_fd=self.workshop.fd)
            self.temporary = ""

    def _pour(self, delivery: Delivery, fd: int) -> tuple[int, str]:
        """Copy all bytes, or one more than there should be; their number and hash."""
        content = hashlib.sha256()
        size = 0
        with delivery.open(self.artifact) as source:
            while size <= self.artifact.size:
                if delivery.deadline.passed():
                    raise Transient("ConnectionTimeout", f"out of time after {size:,} bytes of {self.path}")
                chunk = source.read(min(_CHUNK, self.artifact.size - size + 1))
                if not chunk:
                    break
                content.update(chunk)
                write_whole(fd, chunk)
                size += len(chunk)
        return size, content.hexdigest()

    def _holds_the_bytes(self, fd: int) -> bool:
        """Whether the file, whose size is right, has the right bytes."""
        content = hashlib.sha256()
        left = self.artifact.size
        while left and (chunk := os.read(fd, min(_CHUNK, left))):
            content.update(chunk)
            left -= len(chunk)
        return content.hexdigest() == self.artifact.sha256

    def _recognise(self, refusal: Permanent | Transient, error: OSError) -> None:
        if not self.stands():
            raise refusal from error
        self.discard()
        self.repeated = True

    def _gone(self) -> Transient:
        return Transient(
            "TemporaryFailure", f"the temporary file of {self.path} was taken away before its rename"
        )
