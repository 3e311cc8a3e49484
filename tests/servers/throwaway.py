"""What every throw-away server needs: whom to run as, a folder, a port, a keeper that ends it in any case."""

from __future__ import annotations

import contextlib
import os
import pwd
import select
import socket
import stat
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from servers import keeper
from servers.parts import PartMissing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

STOP_SECONDS = keeper.GRACE_SECONDS + 5
LOOK_SECONDS = 0.01


class SwitchUser(TypedDict):
    """The keywords of `subprocess` that run a program as another user."""

    user: int | None
    group: int | None
    extra_groups: list[int] | None


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom a server runs as. Without numbers: as the caller."""

    uid: int = -1
    gid: int = -1

    @classmethod
    def unprivileged(cls, *names: str) -> Owner:
        """The caller or, where that is root, the first of the users `names` that exists."""
        if os.geteuid() != 0:
            return cls()
        for name in names:
            with contextlib.suppress(KeyError):
                entry = pwd.getpwnam(name)
                return cls(entry.pw_uid, entry.pw_gid)
        msg = f"it must not run as root, and none of these users exists: {', '.join(names)}"
        raise PartMissing(msg)

    def switch(self) -> SwitchUser:
        """The keywords for `subprocess.run` and `Popen`."""
        if self.uid < 0:
            return {"user": None, "group": None, "extra_groups": None}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def may_enter(self, folder: Path) -> bool:
        """Whether the folder and all its parents let the owner pass."""
        places = (folder.resolve(), *folder.resolve().parents)
        return self.uid < 0 or all(place.stat().st_mode & stat.S_IXOTH for place in places)

    def folder(self, purpose: str) -> Path:
        """A new folder for temporary files, which only the owner (and root) can read."""
        for parent in (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")):
            if self.may_enter(parent):
                folder = Path(tempfile.mkdtemp(prefix=f"reportbus-{purpose}-", dir=parent))
                os.chown(folder, self.uid, self.gid)
                return folder
        msg = f"user {self.uid} may enter none of the folders for temporary files"
        raise PartMissing(msg)


def free_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago; somebody else may be quicker."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class KeptServer:
    """A server that ends, and whose folder goes, with `close` or with this process, however that ends."""

    def __init__(self, command: Sequence[str | Path], folder: Path, owner: Owner) -> None:
        self.log = folder / "server.log"
        self._keeping = subprocess.Popen(
            [sys.executable, keeper.__file__, folder, str(owner.uid), str(owner.gid), self.log, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,  # a buffer would hide from `select` what it has read already
            start_new_session=True,  # Ctrl-C is for the test run; the server ends after it
        )
        assert self._keeping.stdin is not None
        assert self._keeping.stdout is not None
        self._input, self._output = self._keeping.stdin, self._keeping.stdout
        self.pid = int(self._output.readline() or 0)

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait for `ready`. Raises `PartMissing` with the log's end if the server ends or the time does."""
        deadline = time.monotonic() + seconds
        while not ready():
            ended, _, _ = select.select([self._output], [], [], LOOK_SECONDS)
            if ended or time.monotonic() > deadline:
                msg = f"it {'ended' if ended else f'was not ready within {seconds} s'}: {self.log_end()}"
                raise PartMissing(msg)

    def wait_for_end(self, seconds: float) -> None:
        """Wait until the server has ended, by itself or by a signal; its folder stays until `close`."""
        ended, _, _ = select.select([self._output], [], [], seconds)
        if not ended:
            msg = f"it did not end within {seconds} s: {self.log_end()}"
            raise TimeoutError(msg)

    def log_end(self) -> str:
        """The last lines of what the server said."""
        return self.log.read_text(errors="replace")[-1000:].strip()

    def close(self) -> None:
        """Stop the server and remove its folder. A second call does nothing."""
        self._input.close()
        self._keeping.wait(STOP_SECONDS)
        self._output.close()
