"""The script's view of the file system: system programs and libraries, its own folder, nothing else.

Made for the first process of new namespaces, by mounts that only its namespace sees; they are gone with it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from reportbus.adapters.engines.python.launcher import kernel

if TYPE_CHECKING:
    from collections.abc import Iterable

WORK: Final = "/run/script"
"""Where the script's own folder is in its view."""

_SYSTEM: Final = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store")
_SETTINGS: Final = (
    "alternatives", "ca-certificates", "ca-certificates.conf", "fonts", "gai.conf", "group", "host.conf",
    "hosts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "mime.types", "nsswitch.conf",
    "passwd", "pki", "protocols", "resolv.conf", "services", "ssl", "timezone",
)  # fmt: skip
_DEVICES: Final = ("full", "null", "random", "urandom", "zero")
_READ_ONLY: Final = kernel.ATTRIBUTE_READ_ONLY | kernel.ATTRIBUTE_NO_SUID | kernel.ATTRIBUTE_NO_DEVICES


def enter_view(root: str, work: str, readable: Iterable[str]) -> None:
    """Make the view on the empty folder `root` and enter it. OSError where the kernel does not allow it."""
    kernel.mount("none", "/", flags=kernel.RECURSIVE | kernel.PRIVATE)
    kernel.mount("tmpfs", root, "tmpfs", kernel.NO_SUID | kernel.NO_DEVICES, "size=1m,mode=755")
    for source, target in ((work, WORK), (f"{work}/tmp", "/tmp"), (f"{work}/tmp", "/var/tmp")):
        _show_own(source, root + target)
    settings = (f"/etc/{name}" for name in _SETTINGS)
    for path in _outermost([*_SYSTEM, *settings, *readable]):
        _show(root, path)
    _show_devices(root)
    os.mkdir(f"{root}/proc")
    with suppress(PermissionError):  # inside some containers; few programs need it
        kernel.mount("proc", f"{root}/proc", "proc", kernel.NO_SUID | kernel.NO_DEVICES | kernel.NO_EXECUTION)
    kernel.change_root(root)
    kernel.restrict("/", _READ_ONLY, below=False)


def _show_own(source: str, target: str) -> None:
    os.makedirs(target)
    kernel.mount(source, target, flags=kernel.BIND)
    kernel.restrict(target, kernel.ATTRIBUTE_NO_SUID | kernel.ATTRIBUTE_NO_DEVICES, below=False)


def _outermost(paths: Iterable[str]) -> list[str]:
    """The paths that exist and do not lie inside another one."""
    outermost: list[str] = []
    for path in sorted({os.path.normpath(path) for path in paths}):
        inside = any(path.startswith(f"{other}/") for other in outermost if not os.path.islink(other))
        if os.path.lexists(path) and not inside:
            outermost.append(path)
    return outermost


def _show(root: str, path: str) -> None:
    """Let the file or folder be seen under its own name; nothing below it can be changed."""
    target = root + path
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.islink(path) and os.path.dirname(path) == "/":  # /lib is a link to usr/lib, and the like
        os.symlink(os.readlink(path), target)
        return
    if os.path.isdir(path):
        os.mkdir(target)
    elif os.path.exists(path):
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o444))
    else:
        return
    kernel.mount(path, target, flags=kernel.BIND | kernel.RECURSIVE)
    kernel.restrict(target, _READ_ONLY, below=True)


def _show_devices(root: str) -> None:
    os.makedirs(f"{root}/dev/shm")
    for name in _DEVICES:
        os.close(os.open(f"{root}/dev/{name}", os.O_CREAT | os.O_WRONLY, 0o666))
        kernel.mount(f"/dev/{name}", f"{root}/dev/{name}", flags=kernel.BIND)
    kernel.mount(
        "tmpfs", f"{root}/dev/shm", "tmpfs", kernel.NO_SUID | kernel.NO_DEVICES, "size=64m,mode=1777"
    )
    os.symlink("/proc/self/fd", f"{root}/dev/fd")
