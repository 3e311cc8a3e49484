"""What a failed system call on a folder that takes reports or mails means."""

from __future__ import annotations

import errno
from typing import Final

from reportbus.core.errors import Permanent, ReportbusError, Transient

DISK_SECONDS: Final = 60.0
"""How long to leave a disk alone that takes nothing: somebody has to make room, or to have it mended."""

DISK_TAKES_NOTHING: Final = frozenset({errno.ENOSPC, errno.EROFS})

_TRANSIENT: Final = {
    errno.ENOSPC: ("TemporaryFailure", "the disk is full (DST_NO_SPACE)"),
    errno.EROFS: ("TemporaryFailure", "the filesystem is read-only"),
    **dict.fromkeys(
        (
            errno.ESTALE,
            errno.ETIMEDOUT,
            errno.EHOSTDOWN,
            errno.EHOSTUNREACH,
            errno.ENOTCONN,
            errno.ECONNRESET,
        ),
        ("ServiceUnavailable", "the file server does not answer"),
    ),
    **dict.fromkeys(
        (
            errno.EIO,
            errno.EAGAIN,
            errno.EINTR,
            errno.EBUSY,
            errno.ETXTBSY,
            errno.EMFILE,
            errno.ENFILE,
            errno.ENOMEM,
            errno.ENOLCK,
        ),
        ("TemporaryFailure", ""),
    ),
}

_PERMANENT: Final = {
    errno.EDQUOT: ("DST_QUOTA", "the quota is used up"),
    errno.EFBIG: ("DST_TOO_LARGE", "the file is larger than the filesystem takes"),
    errno.EACCES: ("DST_PERMISSION", "permission denied"),
    errno.EPERM: ("DST_PERMISSION", "not permitted"),
    errno.ENOENT: ("DST_NO_FOLDER", "the folder does not exist"),
    errno.ENOTDIR: ("DST_NO_FOLDER", "a file stands where a folder should"),
    errno.EISDIR: ("DST_NAME_TAKEN", "a folder stands under that name"),
    errno.ELOOP: ("SEC_SYMLINK", "it is a symbolic link, which is never followed"),
    errno.EXDEV: ("DST_CROSS_DEVICE", "the temporary folder lies on another filesystem"),
    errno.ENAMETOOLONG: ("CFG_PATH_TOO_LONG", "the name is longer than the filesystem takes"),
}


def folder_error(error: OSError, doing: str) -> ReportbusError:
    """The error to raise for `error`, met while `doing` (an operation and the path it was about)."""
    code = error.errno or errno.EIO
    if code in _TRANSIENT:
        kind, meaning = _TRANSIENT[code]
        wait = DISK_SECONDS if code in DISK_TAKES_NOTHING else None
        return Transient(kind, f"{doing}: {meaning or error.strerror}", retry_after=wait)
    kind, meaning = _PERMANENT.get(code, ("DST_REFUSED", error.strerror or f"error {code}"))
    return Permanent(kind, f"{doing}: {meaning}")
