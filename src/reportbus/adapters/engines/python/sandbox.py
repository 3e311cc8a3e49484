"""A place to run scripts: each in a process of its own, with a private folder, limits, and an end.

Three degrees of isolation, of which the strongest that works here is taken:

`namespaces`  own user, processes and view of the file system (read-only but for its folder), and no network
              unless the script declares it. Needs Linux 5.12, and root or the right to make user namespaces.
`user`        own user, but the machine's file system, processes and network. Needs root.
`limits`      the worker's own user: limits on time, memory and files, no more. For trusted scripts only.
"""

from __future__ import annotations

import logging
import os
import select
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import reportbus
from reportbus.adapters.engines.python.launcher.order import (
    LIMITS,
    NAMESPACES,
    USER,
    Ending,
    Limits,
    Order,
    read_ending,
    write_order,
)
from reportbus.adapters.engines.python.room import SCRIPT, Room
from reportbus.core.errors import Permanent, ReportbusError, Transient
from reportbus.core.text import one_line
from reportbus.ports import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_LOG: Final = logging.getLogger(__name__)

AUTOMATIC: Final = "auto"

DESCRIPTIONS: Final = {
    NAMESPACES: "scripts run in namespaces of their own",
    USER: "scripts run each as a user of its own, but see all files and the network: trusted scripts only",
    LIMITS: "scripts run as the worker's own user, with limits and no more: trusted scripts only",
}

_LAUNCH: Final = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from reportbus.adapters.engines.python.launcher.main import main; main()"
)
_PACKAGES: Final = str(Path(reportbus.__file__).parents[1])
_LOOK_SECONDS: Final = 0.2
_END_SECONDS: Final = 20.0
_LONGEST_ANSWER: Final = 1 << 20
_PROBE_LIMITS: Final = Limits(20.0, 20, 1 << 30, 16, 1 << 20, 1 << 20, 100)


@dataclass(frozen=True, slots=True)
class Run:
    """One script to run: its source, its standard input, what it may use and see."""

    source: bytes
    stdin: bytes
    limits: Limits
    environment: Mapping[str, str] = field(default_factory=dict)
    readable: tuple[str, ...] = ()
    network: bool = False


class Sandbox:
    """Runs scripts below `scratch`, a folder that is made where it is missing. Threads may share it.

    `interpreter` is the Python that runs them; they can import what is installed for it.
    """

    def __init__(
        self, scratch: str | Path, *, isolation: str = AUTOMATIC, interpreter: str = sys.executable
    ) -> None:
        self._scratch = Path(scratch)
        self._wanted = isolation
        self._interpreter = interpreter
        self._lock = threading.Lock()
        self._found = ""

    @contextmanager
    def room(self) -> Iterator[Room]:
        """A private folder for one run; it is removed afterwards."""
        try:
            room = Room(self._scratch)
        except OSError as error:
            text = f"making a folder in {self._scratch}: {error.strerror}"
            raise Transient("TemporaryFailure", text) from error
        try:
            yield room
        finally:
            room.remove()

    def isolation(self) -> str:
        """The degree of isolation, tried out by the first call. Permanent PY_SANDBOX where none works."""
        with self._lock:
            if not self._found:
                self._found = self._find()
                if self._found != NAMESPACES:
                    _LOG.warning(DESCRIPTIONS[self._found])
            return self._found

    def run(self, room: Room, run: Run, look: Callable[[], None]) -> Ending:
        """Run a script in `room`; when this returns or raises, nothing of it is left.

        `look` is called several times a second; what it raises ends the script. Permanent PY_SANDBOX where
        the script could not be started, Transient where that may pass.
        """
        ending = self._run(self.isolation(), room, run, look)
        if ending.how == "refused":
            raise Permanent("PY_SANDBOX", f"the script could not be started: {one_line(ending.text, 500)}")
        return ending

    def test(self) -> Verdict:
        """Whether scripts can be run here, and how well they are isolated."""
        missing = [folder for folder in (self._scratch, *self._scratch.parents) if not folder.exists()]
        try:
            return Verdict(ok=True, text=DESCRIPTIONS[self.isolation()])
        except ReportbusError as error:
            return Verdict(ok=False, text=error.text)
        finally:
            for folder in missing:
                with suppress(OSError):  # not made, or in use by now
                    folder.rmdir()

    def close(self) -> None:
        """Nothing is kept open between runs."""

    def _find(self) -> str:
        if sys.platform != "linux":
            raise Permanent("PY_SANDBOX", f"scripts run on Linux only; this is {sys.platform}")
        strongest = (NAMESPACES, USER) if os.geteuid() == 0 else (NAMESPACES, LIMITS)
        reasons = []
        for isolation in strongest if self._wanted == AUTOMATIC else (self._wanted,):
            with self.room() as room:
                ending = self._run(isolation, room, Run(b"", b"", _PROBE_LIMITS), lambda: None)
            if ending.how == "exited" and ending.status == 0:
                return isolation
            reasons.append(f"{isolation}: {one_line(ending.text or ending.stderr or ending.how, 300)}")
        raise Permanent("PY_SANDBOX", f"scripts cannot be isolated here; {'; '.join(reasons)}")

    def _run(self, isolation: str, room: Room, run: Run, look: Callable[[], None]) -> Ending:
        order = Order(
            isolation=isolation,
            folder=str(room.path),
            command=[self._interpreter, "-I", SCRIPT],
            environment={"LC_ALL": "C.UTF-8", "TZ": "UTC", **run.environment},
            readable=[*_homes(self._interpreter), *run.readable],
            network=run.network,
            lock=room.lock,
            limits=run.limits,
        )
        try:
            room.furnish(run.source, run.stdin)
            launcher = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _LAUNCH, _PACKAGES],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd="/",
                env={},
                start_new_session=True,
                pass_fds=(room.lock,),
            )
        except OSError as error:
            raise Transient("TemporaryFailure", f"starting a script: {error.strerror}") from error
        return _conversation(launcher, order, look)


def _conversation(launcher: subprocess.Popen[bytes], order: Order, look: Callable[[], None]) -> Ending:
    """Give the launcher its order and wait for the ending. However this ends, the launcher has ended."""
    with launcher:
        try:
            if launcher.stdin is None or launcher.stdout is None:
                raise AssertionError
            with suppress(BrokenPipeError):  # it ended already, and what it printed says why
                launcher.stdin.write(write_order(order))
                launcher.stdin.flush()
            return _ending(_answer(launcher.stdout.fileno(), look))
        finally:
            _end(launcher)


def _answer(pipe: int, look: Callable[[], None]) -> bytes:
    answer = b""
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    while len(answer) < _LONGEST_ANSWER:
        look()
        if poll.poll(_LOOK_SECONDS * 1000):
            data = os.read(pipe, 1 << 16)
            if not data:
                break
            answer += data
    return answer


def _ending(answer: bytes) -> Ending:
    if not answer:
        return Ending("lost")
    try:
        return read_ending(answer)
    except (ValueError, TypeError):
        return Ending("refused", text=answer.splitlines()[-1].decode(errors="replace"))


def _end(launcher: subprocess.Popen[bytes]) -> None:
    """Closing its standard input tells the launcher to end everything."""
    if launcher.stdin is not None:
        with suppress(BrokenPipeError):
            launcher.stdin.close()
    try:
        launcher.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        launcher.kill()


def _homes(interpreter: str) -> list[str]:
    """Where an interpreter and what is installed for it lie, and the links on the way to it."""
    links = [Path(interpreter)]
    while links[-1].is_symlink():
        links.append(links[-1].parent / links[-1].readlink())
    homes = {path.parents[1] for path in (links[0], links[0].resolve())} - {Path("/")}
    return [str(path) for path in (*homes, *links)]
