"""The private folder of one run of a script.

<scratch>/reportbus-script-XXXX/     locked for as long as worker or launcher live
    input                            the script's standard input
    root/                            where its view of the file system is put together
    work/                            the script's own: script.py, out/ for the report, tmp/
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

from reportbus.adapters.engines.python.scratch import ScratchFolder
from reportbus.core.errors import Permanent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCRIPT: Final = "script.py"
OUTPUT_FOLDER: Final = "out"

_PREFIX: Final = "reportbus-script-"
_CHUNK: Final = 1 << 20


class Room:
    """A folder for one run. A later run sweeps it where neither worker nor launcher lived to remove it."""

    def __init__(self, scratch: Path) -> None:
        scratch.mkdir(0o711, parents=True, exist_ok=True)
        self._folder = ScratchFolder(_PREFIX, scratch)
        self.path = self._folder.path
        self.lock = self._folder.lock
        for name in ("root", "work", f"work/{OUTPUT_FOLDER}", "work/tmp"):
            (self.path / name).mkdir(0o700)

    def furnish(self, source: bytes, stdin: bytes) -> None:
        """Put the script and its standard input where they are looked for."""
        script = self.path / "work" / SCRIPT
        script.write_bytes(source)
        script.chmod(0o444)
        (self.path / "input").write_bytes(stdin)

    def output(self, name: str, limit: int) -> Iterator[bytes]:
        """The bytes of the one file the script was to write. To be read once nothing of the script is left.

        Permanent PY_NO_OUTPUT where there is none, PY_BAD_OUTPUT where it is no plain file, or not alone, and
        PY_OUTPUT_TOO_LARGE beyond `limit` bytes.
        """
        fd = self._open_output(name, limit)
        with os.fdopen(fd, "rb", buffering=0) as file:
            while chunk := file.read(_CHUNK):
                yield chunk

    def output_size(self, name: str) -> int:
        """How large that file is; 0 where there is none."""
        try:
            return (self.path / "work" / OUTPUT_FOLDER / name).lstat().st_size
        except OSError:
            return 0

    def remove(self) -> None:
        """Remove the folder with everything in it. Removing it twice is harmless."""
        self._folder.remove()

    def _open_output(self, name: str, limit: int) -> int:
        opened = [self.lock]
        try:
            for part in ("work", OUTPUT_FOLDER):
                opened.append(os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=opened[-1]))
            _check_alone(opened[-1], name)
            return _open_plain(opened[-1], name, limit)
        except OSError as error:
            text = f"{OUTPUT_FOLDER}/ is no folder that can be read; the script replaced it"
            raise Permanent("PY_BAD_OUTPUT", text) from error
        finally:
            for folder in opened[1:]:
                os.close(folder)


def _check_alone(folder: int, name: str) -> None:
    """The folder has this one entry. No more than two are looked at, however many there are."""
    with os.scandir(folder) as entries:
        first, second = next(entries, None), next(entries, None)
    if first is None:
        raise Permanent("PY_NO_OUTPUT", f"the script ended well and wrote no {OUTPUT_FOLDER}/{name}")
    if second is not None or first.name != name:
        raise Permanent("PY_BAD_OUTPUT", f"{OUTPUT_FOLDER}/ has to hold {name} and nothing else")


def _open_plain(folder: int, name: str, limit: int) -> int:
    where = f"{OUTPUT_FOLDER}/{name}"
    try:
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except OSError as error:
        raise Permanent("PY_BAD_OUTPUT", f"{where} is no plain file that can be read") from error
    found = os.fstat(fd)
    if stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and found.st_size <= limit:
        return fd
    os.close(fd)
    if not stat.S_ISREG(found.st_mode):
        raise Permanent("PY_BAD_OUTPUT", f"{where} is no plain file")
    if found.st_nlink > 1:
        raise Permanent("PY_BAD_OUTPUT", f"{where} has a second name elsewhere")
    raise Permanent("PY_OUTPUT_TOO_LARGE", f"{where} has {found.st_size:,} bytes; allowed are {limit:,}")
