"""The bytes of configuration files, made text."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING, Final

from reportbus.config.problems import unfit
from reportbus.core.where import Where

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES: Final = 1_048_576

UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
"""The characters that have no place in a text file."""

_MARKS: Final = {
    b"\xef\xbb\xbf": "begins with a byte order mark; save it as UTF-8 without one",
    b"\xff\xfe": "is UTF-16; save it as UTF-8",
    b"\xfe\xff": "is UTF-16; save it as UTF-8",
}


def read_text(path: Path, name: str, code: str) -> str:
    """The text of the file, which messages call `name`.

    Raises Unfit: CFG_FILE where it cannot be read, CFG_LIMIT where it is too large, `code` where it is not
    text.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise unfit("CFG_FILE", "is not a file", Where(name))
        if status.st_size > MAX_BYTES:
            raise unfit("CFG_LIMIT", _too_large(status.st_size), Where(name))
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise unfit("CFG_FILE", f"cannot be read: {error.strerror}", Where(name)) from None
    return decoded(data, name, code)


def is_folder(path: Path) -> bool:
    """Whether there is a folder that can be looked into."""
    try:
        return path.is_dir() and os.access(path, os.R_OK | os.X_OK)
    except OSError:
        return False


def decoded(data: bytes, name: str, code: str) -> str:
    """The text that `data` holds; raises Unfit as `read_text` does."""
    if len(data) > MAX_BYTES:
        raise unfit("CFG_LIMIT", _too_large(len(data)), Where(name))
    for mark, fault in _MARKS.items():
        if data.startswith(mark):
            raise unfit(code, fault, Where(name, 1))
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise unfit(code, "is not UTF-8", Where(name, line)) from None
    found = UNPRINTABLE.search(text)
    if found:
        line = text.count("\n", 0, found.start()) + 1
        raise unfit(code, f"holds the character U+{ord(found[0]):04X}", Where(name, line))
    return text


def _too_large(size: int) -> str:
    return f"has {size} bytes; at most {MAX_BYTES} are allowed"
