"""Keep one server running for as long as somebody holds the other end of standard input.

A program of its own: `python keeper.py ERASE UID GID LOG COMMAND...`. It starts COMMAND (as UID and GID
unless they are -1, its output to LOG) and prints the server's process id, later its exit code. The input ends
when the test run closes the pipe, and also when the test run is killed: the server then gets SIGINT, ten
seconds later SIGKILL, and the folder ERASE is removed. It imports the standard library alone.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

GRACE_SECONDS = 10


def keep(erase: Path, uid: int, gid: int, log: Path, command: list[str]) -> None:
    """Run `command` until standard input ends; then remove `erase`."""
    other_user = uid >= 0
    with log.open("ab") as output:
        server = subprocess.Popen(
            command,
            cwd=erase,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            user=uid if other_user else None,
            group=gid if other_user else None,
            extra_groups=[] if other_user else None,
        )
    ending = threading.Thread(target=_end_with_input, args=(server,))
    ending.start()
    _say(server.pid)
    _say(server.wait())
    ending.join()
    shutil.rmtree(erase, ignore_errors=True)


def _end_with_input(server: subprocess.Popen[bytes]) -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    server.send_signal(signal.SIGINT)
    try:
        server.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()


def _say(number: int) -> None:
    with contextlib.suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), f"{number}\n".encode())


if __name__ == "__main__":
    keep(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]), sys.argv[5:])
