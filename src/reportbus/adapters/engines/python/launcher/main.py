"""The launcher itself: it starts the first process and watches until everything has ended."""

from __future__ import annotations

import json
import os
import select
import sys
import time
from contextlib import suppress
from typing import Final

from reportbus.adapters.engines.python.launcher import kernel
from reportbus.adapters.engines.python.launcher.capture import Capture
from reportbus.adapters.engines.python.launcher.first import run_first
from reportbus.adapters.engines.python.launcher.order import (
    LIMITS,
    NAMESPACES,
    Ending,
    Order,
    read_order,
    write_ending,
)
from reportbus.adapters.engines.python.launcher.processes import end_all, reap
from reportbus.adapters.engines.python.launcher.script import Streams
from reportbus.adapters.engines.python.launcher.usage import too_much
from reportbus.adapters.engines.python.launcher.users import enter_new_users, own_user

_LIFELINE: Final = 0
_ANSWER: Final = 1
_CHUNK: Final = 1 << 16
_TICK_SECONDS: Final = 0.25


def main() -> None:
    """Run the order on standard input; its ending goes to standard output.

    Where the worker closes standard input, or is gone, the script is ended, its folder removed, nothing said.
    """
    worker = os.getppid()
    order = read_order(_read_line())
    os.set_inheritable(order.lock, False)  # noqa: FBT003 - it takes no keyword
    kernel.adopt_orphans()
    try:
        uid = own_user(order.folder) if os.geteuid() == 0 and order.isolation != LIMITS else None
        ending = Watch(order, uid, worker).run()
    except OSError as error:
        ending = Ending("refused", text=str(error))
    if ending is None:
        import shutil  # noqa: PLC0415 - rarely needed, and slow to import

        shutil.rmtree(order.folder, ignore_errors=True)
    else:
        os.write(_ANSWER, write_ending(ending))


def _read_line() -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        data = os.read(_LIFELINE, _CHUNK)
        if not data:
            sys.exit(1)
        line += data
    return line


class Watch:
    """One script, from its start until nothing of it is left. `uid` is its own user, if it has one."""

    def __init__(self, order: Order, uid: int | None, worker: int) -> None:
        self._order = order
        self._uid = uid
        self._worker = worker
        self._poll = select.poll()
        self._captures: dict[int, Capture] = {}

    def run(self) -> Ending | None:
        """Start the script and see it to its end; None where the worker wants it no more."""
        deadline = time.monotonic() + self._order.limits.wall_seconds
        told, stdout, stderr = self._start()
        try:
            how = self._until_end(told, deadline)
        finally:
            # The first process of a namespace takes all the others with it.
            all_gone = end_all(None if self._order.isolation == NAMESPACES else self._uid)
        if how == "gone":
            return None
        for stream in (stdout, stderr):
            self._read(stream)
        answer = {"how": how} if how else _answer(told)
        answer |= {"stdout": self._captures[stdout].text(), "stderr": self._captures[stderr].text()}
        return Ending(**answer | ({} if all_gone else {"how": "lost"}))

    def _start(self) -> tuple[int, int, int]:
        """The ends to read from: of the first process's answer, of the script's output and of its errors."""
        order = self._order
        told, telling = os.pipe()
        stdout, printing = os.pipe()
        stderr, complaining = os.pipe()
        streams = Streams(os.open(f"{order.folder}/input", os.O_RDONLY), printing, complaining)
        if order.isolation == NAMESPACES:
            if os.geteuid() != 0:
                enter_new_users()
            kernel.unshare(kernel.NEW_PIDS)
        if os.fork() == 0:
            for fd in (told, stdout, stderr):
                os.close(fd)
            run_first(order, streams, telling, self._uid)
        for fd in (telling, *streams):
            os.close(fd)
        for stream in (stdout, stderr):
            os.set_blocking(stream, False)
            self._captures[stream] = Capture()
        for fd in (_LIFELINE, told, stdout, stderr):
            self._poll.register(fd, select.POLLIN)
        return told, stdout, stderr

    def _until_end(self, told: int, deadline: float) -> str:
        """Why the script has to end; "" where it ended by itself."""
        limits = self._order.limits
        next_look = time.monotonic() + _TICK_SECONDS
        while (now := time.monotonic()) < deadline:
            pause = max(0.0, min(next_look, deadline) - now)
            ready = {fd for fd, _ in self._poll.poll(pause * 1000)}
            if told in ready:
                return ""
            if (_LIFELINE in ready and not os.read(_LIFELINE, 1)) or os.getppid() != self._worker:
                return "gone"
            for stream in ready & self._captures.keys():
                self._read(stream)
            if time.monotonic() >= next_look:
                reap()
                if how := too_much(f"{self._order.folder}/work", size=limits.disk, files=limits.files):
                    return how
                next_look = time.monotonic() + _TICK_SECONDS
        return "timeout"

    def _read(self, stream: int) -> None:
        """Take what stands in a pipe, at most a few chunks; what is closed is not looked at again."""
        for _ in range(16):
            try:
                data = os.read(stream, _CHUNK)
            except BlockingIOError:
                return
            if not data:
                with suppress(KeyError):  # it was closed before
                    self._poll.unregister(stream)
                return
            self._captures[stream].feed(data)


def _answer(told: int) -> dict[str, str | int | float]:
    data = b""
    while chunk := os.read(told, _CHUNK):
        data += chunk
    return json.loads(data.partition(b"\n")[0]) if data else {"how": "lost"}
