"""The first process of the script's namespaces: it makes the script's view, starts it and sees it end."""

from __future__ import annotations

import json
import os
import resource
import select
import signal
from typing import TYPE_CHECKING, NoReturn

from reportbus.adapters.engines.python.launcher import kernel
from reportbus.adapters.engines.python.launcher.order import NAMESPACES
from reportbus.adapters.engines.python.launcher.script import become_script
from reportbus.adapters.engines.python.launcher.view import WORK, enter_view

if TYPE_CHECKING:
    from reportbus.adapters.engines.python.launcher.order import Order
    from reportbus.adapters.engines.python.launcher.script import Streams


def run_first(order: Order, streams: Streams, told: int, uid: int | None) -> NoReturn:
    """Run the script to its end and write how it ended to the pipe `told`, whose reader is the launcher."""
    try:
        kernel.die_with_parent(signal.SIGKILL)
        _let_go_of_worker()
        _leave_without_launcher(told)
        work = f"{order.folder}/work"
        temporary = f"{work}/tmp"
        if order.isolation == NAMESPACES:
            kernel.unshare(kernel.NEW_MOUNTS | kernel.NEW_IPC | (0 if order.network else kernel.NEW_NETWORK))
            enter_view(f"{order.folder}/root", work, order.readable)
            work, temporary = WORK, "/tmp"
        script = os.fork()
        if script == 0:
            become_script(order, streams, work, temporary, uid)
        for stream in streams:
            os.close(stream)
        status = _wait_for(script)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        _tell(told, {"how": "exited", "status": status, "cpu": used.ru_utime + used.ru_stime})
    except BaseException as error:  # noqa: BLE001 - a forked process: whatever happens, it ends here
        _tell(told, {"how": "refused", "text": f"{type(error).__name__}: {error}"})
    os._exit(0)


def _let_go_of_worker() -> None:
    """The pipes to the worker are the launcher's alone, so that their end tells of the launcher's end."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nothing, stream)
    os.close(nothing)


def _leave_without_launcher(told: int) -> None:
    """End where the launcher went before the kernel was asked to watch it: its pipe then has no reader."""
    pipe = select.poll()
    pipe.register(told, 0)
    if pipe.poll(0):
        os._exit(1)


def _wait_for(script: int) -> int:
    """The script's wait status; orphans that come to this process are reaped meanwhile."""
    while True:
        pid, status = os.wait()
        if pid == script:
            return status


def _tell(told: int, answer: dict[str, str | int | float]) -> None:
    os.write(told, json.dumps(answer).encode() + b"\n")
