"""Whether files can be made in a folder, found out without leaving anything in it."""

from __future__ import annotations

import errno
import os
from typing import Final

_NO_UNNAMED_FILES: Final = frozenset({errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL})


def probe(folder: int, name: str) -> None:
    """Raise OSError where no file can be made in the open folder; the folder is left as it was.

    The file that is tried has no name; on a filesystem without such files (NFS) it is `name` for a moment.
    """
    try:
        os.close(os.open(".", os.O_TMPFILE | os.O_WRONLY, 0o600, dir_fd=folder))
    except OSError as error:
        if error.errno not in _NO_UNNAMED_FILES:
            raise
        os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=folder))
        os.unlink(name, dir_fd=folder)
