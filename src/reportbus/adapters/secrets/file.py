"""Secrets in files: secret `acme/sftp` is the JSON object in `acme/sftp.json` below the folder.

A file that others than its owner may read is refused, as SSH refuses a private key.
"""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING, Final

from reportbus.adapters.secrets.cache import SecretCache
from reportbus.adapters.secrets.secret import Secret, malformed, not_found, parse
from reportbus.core.errors import Permanent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reportbus.core.redact import Redactor
    from reportbus.ports import Clock

MAX_BYTES: Final = 65_536

_NAME: Final = re.compile(r"(?:[A-Za-z0-9_+=@-][A-Za-z0-9_+=.@-]*/)*[A-Za-z0-9_+=@-][A-Za-z0-9_+=.@-]*")
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class FileSecrets:
    """The secrets in the JSON files below `folder`."""

    def __init__(self, folder: Path, clock: Clock, redactor: Redactor) -> None:
        self._folder = folder
        self._cache = SecretCache(self._read, clock, redactor)

    def get(self, name: str) -> Mapping[str, str]:
        return self._cache.get(name)

    def refresh(self, name: str) -> Mapping[str, str]:
        return self._cache.refresh(name)

    def _read(self, name: str) -> Secret:
        if not _NAME.fullmatch(name):
            raise not_found(name, "a name is made of letters, digits and _ + = . @ - in parts divided by /")
        path = self._folder / f"{name}.json"
        try:
            content = _content(path, name)
        except (FileNotFoundError, NotADirectoryError):
            raise not_found(name, f"no file {path}") from None
        except OSError as error:
            raise malformed(name, f"cannot be read from {path}: {error.strerror}") from error
        return parse(name, content)


def _content(path: Path, name: str) -> bytes:
    """The file's bytes, once what was opened is found to be a file of the owner's alone."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe must not make us wait
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise malformed(name, f"is no file at {path}")
        if found.st_mode & _OTHERS:
            mode = stat.S_IMODE(found.st_mode)
            raise Permanent(
                "SEC_SECRET_EXPOSED", f"secret {name!r}: {path} has mode {mode:04o}; run chmod 600 on it"
            )
        if found.st_size > MAX_BYTES:
            raise malformed(name, f"in {path} is larger than {MAX_BYTES:,} bytes")
        return os.read(handle, MAX_BYTES)
    finally:
        os.close(handle)
