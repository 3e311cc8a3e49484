"""From a process of the launcher's to the script: limits, another user, its own environment, a program."""

from __future__ import annotations

import os
import resource
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

from reportbus.adapters.engines.python.launcher import kernel
from reportbus.adapters.engines.python.launcher.order import LIMITS
from reportbus.adapters.engines.python.launcher.users import tasks_of

if TYPE_CHECKING:
    from reportbus.adapters.engines.python.launcher.order import Order

_OPEN_FILES: Final = 1_024
_IGNORED_BY_PYTHON: Final = (signal.SIGPIPE, signal.SIGXFSZ)


class Streams(NamedTuple):
    """Descriptors of the script's standard input, output and error."""

    stdin: int
    stdout: int
    stderr: int


def become_script(order: Order, streams: Streams, work: str, temporary: str, uid: int | None) -> NoReturn:
    """Replace this process by the script, as user `uid` unless that is None. OSError where that fails."""
    parent = os.getppid()
    os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    _limit(order)
    with suppress(OSError):  # where memory runs out, the kernel ends this process first
        fd = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
        os.write(fd, b"1000")
        os.close(fd)
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    kernel.never_gain_rights()
    kernel.die_with_parent(signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    for number in _IGNORED_BY_PYTHON:
        signal.signal(number, signal.SIG_DFL)
    os.umask(0o077)
    os.chdir(work)
    environment = order.environment | {"HOME": work, "TMPDIR": temporary}
    os.execve(order.command[0], order.command, environment)  # noqa: S606 - that is what this is for


def _limit(order: Order) -> None:
    limits = order.limits
    processes = limits.processes + (tasks_of(os.getuid()) if order.isolation == LIMITS else 0)
    wanted = {
        resource.RLIMIT_CPU: (limits.cpu_seconds, limits.cpu_seconds + 1),
        resource.RLIMIT_AS: (limits.memory, limits.memory),
        resource.RLIMIT_FSIZE: (limits.file_size + 1, limits.file_size + 1),  # one byte more tells
        resource.RLIMIT_NPROC: (processes, processes),
        resource.RLIMIT_NOFILE: (_OPEN_FILES, _OPEN_FILES),
        resource.RLIMIT_CORE: (0, 0),
    }
    for which, pair in wanted.items():
        _, most = resource.getrlimit(which)
        soft, hard = pair if most == resource.RLIM_INFINITY else (min(value, most) for value in pair)
        resource.setrlimit(which, (soft, hard))
