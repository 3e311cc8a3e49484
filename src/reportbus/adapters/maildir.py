"""A Maildir that takes each mail once: what the Maildir destination and channel have in common."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import re
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reportbus.adapters.durable_files import FileSyncs, rename_new, write_whole
from reportbus.adapters.folder_errors import folder_error
from reportbus.adapters.folder_probe import probe
from reportbus.core.errors import ReportbusError, Transient
from reportbus.ports import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from reportbus.adapters.durable_files import Failpoint, FileSync, SyncMaker

_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL
_PRIVATE: Final = 0o700
_PLAIN_ID: Final = re.compile(r"(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._-]{0,99}(?<!\.)")
_STALE_AFTER: Final = 36 * 3600.0  # seconds, the custom for Maildirs
_SETTLED_NS: Final = 2_000_000_000  # a folder's time may stand still for as long while its content changes


def mail_name(kind: str, id_: str) -> str:
    """A name that follows from the mail's id alone, fit for a file and for the left side of a Message-ID."""
    if not _PLAIN_ID.fullmatch(id_):
        id_ = hashlib.sha256(id_.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{kind}-{id_}"


class Maildir:
    """The Maildir at `folder`, made where it is missing. Safe to use from several threads.

    A mail is known by its file name, which a mail reader keeps when it moves the mail from `new` to `cur`.
    One that somebody deleted, or moved elsewhere, is not known any more.
    """

    def __init__(self, folder: str | Path, *, sync: SyncMaker, failpoint: Failpoint) -> None:
        self.path = os.fspath(folder)
        self._failpoint = failpoint
        self._syncs = FileSyncs(sync)
        self._token = secrets.token_hex(4)
        self._numbers = itertools.count(1)
        self._made = False
        self._read: tuple[int, frozenset[str]] = (-1, frozenset())

    def put(self, mails: Sequence[tuple[str, Callable[[], bytes]]]) -> list[bool | ReportbusError]:
        """Store each mail under its name, all durable when this returns; True for one that was there already.

        A mail is composed only where it is not; what its function raises is the answer for this mail alone.
        """
        try:
            with self._opened() as root:
                posting = _Posting(root, self._syncs.of(root), self.path)
                known = self._known(root, {name for name, _ in mails})
                for number, (name, compose) in enumerate(mails):
                    if name in known:
                        posting.answers[number] = True
                    else:
                        posting.write(number, name, self._temporary(name), compose)
                self._failpoint("written")
                posting.sync_files()
                self._failpoint("synced")
                posting.rename()
                self._failpoint("renamed")
                posting.sync_names()
                self._failpoint("settled")
        except OSError as error:
            return [folder_error(error, f"opening the Maildir {self.path}")] * len(mails)
        return [posting.answers[number] for number in range(len(mails))]

    def test(self) -> Verdict:
        """Whether `put` could store a mail; nothing is made or changed."""
        place = Path(self.path, "tmp")
        while not os.path.lexists(place):  # it would be made, below the nearest folder there is
            place = place.parent
        try:
            folder = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
            try:
                probe(folder, f"check~{self._token}")
            finally:
                os.close(folder)
        except OSError as error:
            return Verdict.refusing(folder_error(error, f"writing to the Maildir {self.path}"))
        return Verdict(ok=True, text=f"the Maildir {self.path} takes mails")

    def close(self) -> None:
        """Let go of the folder."""
        self._syncs.close()

    def _temporary(self, name: str) -> str:
        return f"tmp/{name}~{self._token}{next(self._numbers):x}"

    @contextlib.contextmanager
    def _opened(self) -> Iterator[int]:
        if not self._made:
            for name in ("tmp", "new", "cur"):
                Path(self.path, name).mkdir(_PRIVATE, parents=True, exist_ok=True)
            self._made = True
        root = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield root
        finally:
            os.close(root)

    def _known(self, root: int, names: set[str]) -> set[str]:
        """Those of the names that stand in `new`, or in `cur` with a reader's flags behind them."""
        _clear(root, names)
        known = {name for name in names if _exists(root, f"new/{name}")}
        if len(known) < len(names):  # after `new`: a mail moves from there to `cur`, never back
            known |= self._in_cur(root).intersection(names)
        return known

    def _in_cur(self, root: int) -> frozenset[str]:
        changed = os.stat("cur", dir_fd=root).st_mtime_ns
        if changed != self._read[0]:
            with _listed(root, "cur") as entries:
                names = frozenset(entry.name.partition(":")[0] for entry in entries)
            fresh = time.time_ns() - changed < _SETTLED_NS
            self._read = (-1 if fresh else changed, names)
        return self._read[1]


class _Posting:
    """One call of `Maildir.put`: its mails on their way, by their position."""

    def __init__(self, root: int, sync: FileSync, path: str) -> None:
        self._root = root
        self._sync = sync
        self._mark = sync.mark()
        self._path = path
        self._temporaries: dict[int, tuple[str, str]] = {}
        self.answers: dict[int, bool | ReportbusError] = {}

    def write(self, number: int, name: str, temporary: str, compose: Callable[[], bytes]) -> None:
        try:
            content = compose()
            fd = os.open(temporary, _NEW_FILE, 0o600, dir_fd=self._root)
            self._temporaries[number] = temporary, f"new/{name}"
            try:
                write_whole(fd, content)
            finally:
                os.close(fd)
        except ReportbusError as error:
            self._fail(number, error)
        except OSError as error:
            self._fail(number, folder_error(error, f"writing a mail to {self._path}"))

    def sync_files(self) -> None:
        self._settle(list(self._temporaries), [temporary for temporary, _ in self._temporaries.values()])

    def rename(self) -> None:
        for number, (temporary, final) in list(self._temporaries.items()):
            try:
                rename_new((self._root, temporary), (self._root, final))
                self.answers[number] = False
            except FileExistsError:  # another attempt was quicker
                self._discard(number)
                self.answers[number] = True
            except FileNotFoundError:
                self._fail(number, Transient("TemporaryFailure", f"another attempt cleared {temporary} away"))
            except OSError as error:
                self._fail(number, folder_error(error, f"moving a mail to {self._path}/new"))

    def sync_names(self) -> None:
        stored = [number for number, answer in self.answers.items() if isinstance(answer, bool)]
        self._settle(stored, ["new", "cur", "."])

    def _settle(self, numbers: list[int], places: list[str]) -> None:
        if not numbers:
            return
        try:
            self._sync.sync(self._mark, [(self._root, place) for place in places])
        except OSError as error:
            for number in numbers:
                self._fail(number, folder_error(error, f"syncing {self._path}"))

    def _fail(self, number: int, error: ReportbusError) -> None:
        self._discard(number)
        self.answers[number] = error

    def _discard(self, number: int) -> None:
        if number in self._temporaries:
            with contextlib.suppress(OSError):  # gone, or left to the sweep
                os.unlink(self._temporaries.pop(number)[0], dir_fd=self._root)


def _clear(root: int, names: set[str]) -> None:
    """Remove what broken-off attempts left in `tmp`: those at these mails, and any that is old."""
    oldest = time.time() - _STALE_AFTER
    with _listed(root, "tmp") as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                if entry.name.rpartition("~")[0] in names or entry.stat().st_mtime < oldest:
                    os.unlink(f"tmp/{entry.name}", dir_fd=root)


def _exists(root: int, path: str) -> bool:
    try:
        os.stat(path, dir_fd=root, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


@contextlib.contextmanager
def _listed(root: int, folder: str) -> Iterator[Iterator[os.DirEntry[str]]]:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY, dir_fd=root)
    try:
        with os.scandir(fd) as entries:
            yield entries
    finally:
        os.close(fd)
