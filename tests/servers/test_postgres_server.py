from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from servers.parts import STRICT_VARIABLE, PartMissing, leave_out
from servers.postgres import in_the_wheel, start_postgres
from servers.throwaway import KeptServer, Owner

if TYPE_CHECKING:
    from servers.postgres import PostgresServer

TESTS = Path(__file__).parents[1]


def connect(url: str) -> psycopg.Connection:
    return psycopg.connect(url.replace("postgresql+psycopg", "postgresql"), autocommit=True)


def test_a_test_gets_an_empty_database_on_a_server_that_makes_commits_durable(postgres_url: str) -> None:
    with connect(postgres_url) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
        assert tables == (0,)
        settings = "SELECT current_setting('fsync'), current_setting('synchronous_commit')"
        assert connection.execute(settings).fetchone() == ("on", "on")


def test_a_database_is_gone_when_its_test_is_over(postgres_server: PostgresServer) -> None:
    with postgres_server.database() as url, connect(url) as connection:
        connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        connect(url)


def test_a_template_is_built_once_and_copied_often(postgres_server: PostgresServer) -> None:
    built = []

    def build(url: str) -> None:
        built.append(url)
        with connect(url) as connection:
            connection.execute("CREATE TABLE thing (id int)")

    for _ in range(2):
        name = postgres_server.template("things", build)
        with postgres_server.database(template=name) as url, connect(url) as connection:
            connection.execute("INSERT INTO thing VALUES (1)")
            assert connection.execute("SELECT count(*) FROM thing").fetchone() == (1,)
    assert len(built) == 1


def test_a_server_ends_and_its_folder_goes_when_the_test_run_is_killed(tmp_path: Path) -> None:
    """The run's output is closed by its last process, which is the keeper: its end is waited for."""
    folder = tmp_path / "server"
    folder.mkdir()
    run = subprocess.Popen(
        [sys.executable, "-c", _RUN_WITH_A_SERVER, folder],
        env={"PYTHONPATH": str(TESTS)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert run.stdout is not None
    server = int(run.stdout.readline())
    os.kill(server, 0)
    run.kill()
    run.communicate(timeout=30)
    with pytest.raises(ProcessLookupError):
        os.kill(server, 0)
    assert not folder.exists()


_RUN_WITH_A_SERVER = """
import signal, sys
from pathlib import Path
from servers.throwaway import KeptServer, Owner
print(KeptServer(["sleep", "60"], Path(sys.argv[1]), Owner()).pid, flush=True)
signal.pause()
"""


def test_a_server_that_dies_at_its_start_is_missing_with_the_last_words_of_its_log(tmp_path: Path) -> None:
    server = KeptServer(["sh", "-c", "echo no room left; exit 3"], tmp_path, Owner())
    with pytest.raises(PartMissing, match="it ended: no room left"):
        server.wait_until(lambda: False, seconds=10)
    server.close()


def test_postgresql_that_cannot_start_is_missing_with_the_reason(tmp_path: Path) -> None:
    broken = tmp_path / "bin" / "initdb"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\necho out of order >&2; exit 1\n")
    broken.chmod(0o755)
    with pytest.raises(PartMissing, match=r"PostgreSQL: .*out of order"):
        start_postgres(broken.parent)


def test_the_programs_that_come_as_a_wheel_work_too() -> None:
    (binaries,) = in_the_wheel()
    server = start_postgres(binaries)
    with server.database() as url, connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    server.close()


@pytest.mark.parametrize(("strict", "outcome"), [("1", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_a_missing_part_is_a_skip_at_home_and_a_failure_in_a_strict_run(
    strict: str, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(STRICT_VARIABLE, strict)
    with pytest.raises(outcome, match="no such server here"):
        leave_out(PartMissing("no such server here"))
