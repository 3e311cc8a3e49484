"""Temporary files: their names, and how those are found again that an ended attempt left behind."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import re
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from reportbus.adapters.destinations.folder_tree import OpenFolder

LOOKING_SHARE: Final = 1000
"""A folder is looked through again once this many times as long has passed as it took the last time."""

LOOKING_SECONDS: Final = 60.0
REPEAT_SECONDS: Final = 1.0
"""And not before so many seconds have passed; sooner where an earlier attempt is known to have broken off."""

_SAFE_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,100}")
_KNOWN_FOLDERS: Final = 1_000


class TemporaryNames:
    """Names like `.reportbus-<delivery id>-rb<token>.part`, with `prefix` and `suffix` at their ends.

    The token is new for each attempt: one that was thought dead and wakes up again can neither write into
    another's file nor rename it.
    """

    def __init__(self, prefix: str, suffix: str) -> None:
        self._prefix = prefix
        self._suffix = suffix
        self._process = secrets.token_hex(4)
        self._numbers = itertools.count()
        self._any = re.compile(rf"{re.escape(prefix)}(.+)-rb[0-9a-f]{{9,}}{re.escape(suffix)}")

    def new(self, delivery_id: str) -> str:
        """A name no other attempt has."""
        token = f"{self._process}{next(self._numbers):x}"
        return f"{self._prefix}{_safe(delivery_id)}-rb{token}{self._suffix}"

    def owner(self, name: str) -> str | None:
        """Whose temporary file this is, in the form the name has; None for any other file."""
        found = self._any.fullmatch(name)
        return found[1] if found else None


@dataclass(slots=True)
class _Looked:
    at: float
    again: float
    found: dict[str, list[str]]


class Leftovers:
    """Removes temporary files of ended attempts: a delivery's own as soon as it is made again, others by age.

    `stale_after` in seconds; no attempt may take longer.
    """

    def __init__(self, names: TemporaryNames, stale_after: float) -> None:
        self._names = names
        self._stale_after = stale_after
        self._looked: dict[tuple[int, int], _Looked] = {}

    def clear(self, folder: OpenFolder, delivery_id: str, *, broken_off: bool) -> None:
        """Remove what earlier attempts at this delivery left in the folder."""
        place = (folder.device, folder.inode)
        looked = self._looked.get(place)
        now = time.monotonic()
        if looked is None or now >= looked.again or (broken_off and now >= looked.at + REPEAT_SECONDS):
            if len(self._looked) >= _KNOWN_FOLDERS:
                self._looked.clear()
            looked = self._looked[place] = self._look(folder)
        for name in looked.found.pop(_safe(delivery_id), ()):
            _remove(folder, name)

    def _look(self, folder: OpenFolder) -> _Looked:
        began = time.monotonic()
        found: dict[str, list[str]] = {}
        with contextlib.suppress(OSError):  # a folder that may be written but not read keeps its leftovers
            self._search(folder, found)
        now = time.monotonic()
        return _Looked(now, now + max((now - began) * LOOKING_SHARE, LOOKING_SECONDS), found)

    def _search(self, folder: OpenFolder, found: dict[str, list[str]]) -> None:
        """Remove the stale ones, and put the others into `found` under their owners."""
        oldest = time.time() - self._stale_after
        fd = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=folder.fd)
        try:
            with os.scandir(fd) as entries:
                for entry in entries:
                    owner = self._names.owner(entry.name)
                    if owner is None:
                        continue
                    if entry.stat(follow_symlinks=False).st_mtime < oldest:
                        _remove(folder, entry.name)
                    else:
                        found.setdefault(owner, []).append(entry.name)
        finally:
            os.close(fd)


def _remove(folder: OpenFolder, name: str) -> None:
    with contextlib.suppress(OSError):  # gone already, or not ours to remove: it does no harm
        os.unlink(name, dir_fd=folder.fd)


def _safe(delivery_id: str) -> str:
    if _SAFE_ID.fullmatch(delivery_id):
        return delivery_id
    return hashlib.sha256(delivery_id.encode("utf-8", "surrogatepass")).hexdigest()[:40]
