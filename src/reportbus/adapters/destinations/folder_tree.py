"""The folders of a destination, opened so that no path and no symbolic link leads out of its root."""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from reportbus.adapters.folder_errors import folder_error
from reportbus.core.errors import Permanent, Transient
from reportbus.core.text import quoted

if TYPE_CHECKING:
    from types import TracebackType

_FOLDER: Final = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class OpenFolder:
    """An open folder: its descriptor, its path as messages show it, its filesystem and its number there."""

    fd: int
    path: str
    device: int
    inode: int


class FolderTree:
    """The folders below `root`, each opened once; nothing of it outlives the `with` block.

    Raises Permanent DST_ROOT_MISSING where the root does not exist, and with `mounted` Transient
    ServiceUnavailable where nothing is mounted there. With `mkdirs` missing folders are made; `made_in` holds
    the folders in which that happened, as paths below the root.
    """

    def __init__(self, root: str, *, mkdirs: bool, mounted: bool) -> None:
        self._mkdirs = mkdirs
        self._open: dict[str, OpenFolder] = {}
        self.made_in: set[str] = set()
        try:
            self._open[""] = self.root = _described(_root(root), root)
            bare = mounted and os.stat("..", dir_fd=self.root.fd).st_dev == self.root.device
        except OSError as error:
            self.close()
            raise folder_error(error, f"opening {root}") from error
        if bare:
            self.close()
            raise Transient("ServiceUnavailable", f"nothing is mounted at {root}")

    def folder(self, path: str) -> OpenFolder:
        """The folder at `path` below the root.

        Raises Permanent SEC_PATH, SEC_SYMLINK, DST_NO_FOLDER, DST_PERMISSION.
        """
        known = self._open.get(path)
        if known is None:
            names = path.split("/")
            if not all(map(is_plain_name, names)):
                raise Permanent(
                    "SEC_PATH", f"{quoted(path)} is not a path of plain folder names below the root"
                )
            place = f"{self.root.path}/{path}"
            try:
                known = self._open[path] = _described(self._walk(names), place)
            except OSError as error:
                raise folder_error(error, f"opening {place}") from error
        return known

    def close(self) -> None:
        """Close all folders."""
        while self._open:
            os.close(self._open.popitem()[1].fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _walk(self, names: list[str]) -> int:
        fd = os.dup(self.root.fd)
        for depth, name in enumerate(names):
            try:
                inner = self._step(fd, name, names[:depth])
            except OSError as error:
                raise folder_error(
                    error, f"opening {'/'.join([self.root.path, *names[: depth + 1]])}"
                ) from error
            finally:
                os.close(fd)
            fd = inner
        return fd

    def _step(self, fd: int, name: str, above: list[str]) -> int:
        try:
            return os.open(name, _FOLDER, dir_fd=fd)
        except FileNotFoundError:
            if not self._mkdirs:
                raise
        except NotADirectoryError as error:
            raise _not_a_folder(name, "/".join([self.root.path, *above, name]), fd) from error
        with contextlib.suppress(FileExistsError):  # somebody else was quicker
            os.mkdir(name, dir_fd=fd)
            self.made_in.add("/".join(above) or ".")
        return os.open(name, _FOLDER, dir_fd=fd)


def is_plain_name(name: str) -> bool:
    """Whether `name` can only mean an entry of the folder it is looked for in."""
    return name not in {"", ".", ".."} and "/" not in name and "\0" not in name


def _root(path: str) -> int:
    try:
        return os.open(path, _FOLDER)
    except FileNotFoundError as error:
        raise Permanent("DST_ROOT_MISSING", f"the destination's folder {path} does not exist") from error
    except NotADirectoryError as error:
        raise _not_a_folder(path, path) from error


def _described(fd: int, path: str) -> OpenFolder:
    """The open folder with its descriptor, which is closed where nothing can be told of it."""
    try:
        about = os.fstat(fd)
    except OSError:
        os.close(fd)
        raise
    return OpenFolder(fd, path, about.st_dev, about.st_ino)


def _not_a_folder(name: str, path: str, dir_fd: int | None = None) -> Permanent:
    about = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
    if stat.S_ISLNK(about.st_mode):
        return Permanent("SEC_SYMLINK", f"{path} is a symbolic link, which is never followed")
    return Permanent("DST_NO_FOLDER", f"{path} is a file, not a folder")
