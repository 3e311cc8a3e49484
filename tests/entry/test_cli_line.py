"""The line as a process, driven by commands: from a request to its file, to a stop by signal."""

from __future__ import annotations

import csv
import json
import signal
import time
from base64 import b64encode
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from entry.command_line import CommandLine

SUBMIT = (
    "request",
    "submit",
    "--type",
    "PYTHON",
    "--name",
    "one",
    "--format",
    "CSV",
    "--file-name",
    "one.csv",
)
SLOW = """
name: slow
connection: local
sql: select count(*) as n from range(1000000000) as a, range(1000000000) as b
"""
_SECONDS = 20


@contextmanager
def running(shell: CommandLine, *words: str) -> Iterator[subprocess.Popen[str]]:
    """The roles, from their announcement on; what still runs at the end is killed."""
    process = shell.start(*words)
    try:
        assert process.stdout is not None
        while "Stop: Ctrl-C" not in (said := process.stdout.readline()):
            assert said, shell.finish(process)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=_SECONDS)


def rows_of(path: Path) -> list[list[str]]:
    """What a CSV file holds."""
    return list(csv.reader(path.read_text().splitlines()))


def stop(shell: CommandLine, process: subprocess.Popen[str], number: int = signal.SIGTERM) -> str:
    """End the process by a signal; what it logged."""
    process.send_signal(number)
    code, _, logged = shell.finish(process)
    assert code == 0, logged
    return logged


def test_a_request_goes_all_the_way_and_everything_about_it_can_be_asked(shell: CommandLine) -> None:
    with running(shell, "up") as line:
        request_id = shell.text(*SUBMIT, "--target", "delivered/in/finance").strip()
        followed = shell.text("request", "watch", request_id, "--timeout", str(_SECONDS))
        assert followed.splitlines()[-1].endswith("COMPLETED    1 of 1 delivered")
        assert rows_of(shell.home / "delivered/in/finance/one.csv") == [["a"], ["1"]]
        shown = shell.json("request", "show", request_id)
        assert shown["deliveries"][0]["location"].endswith("in/finance/one.csv")
        assert shown["errors"] == shown["jobs"] == []
        why = shell.json("request", "why", request_id)
        told = [each["what"] for each in why["moments"]]
        assert told[:4] == ["PENDING", "generate", "staged", "deliver"]
        assert told[-1] == "COMPLETED"
        assert (
            shell.json("request", "list", "--status", "COMPLETED")["requests"][0]["request_id"] == request_id
        )
        assert shell.json("audit", "verify") == {"ok": True, "requests": 1, "broken": []}
        logged = stop(shell, line)
    assert all(json.loads(said)["level"] in {"INFO", "WARNING"} for said in logged.splitlines())


OFF = """
destinations:
  delivered: {type: NAS, root: /srv/off, enabled: false}
  mail: {type: EMAIL, maildir: mail}
"""


@pytest.mark.parametrize(
    ("words", "places"),
    [
        (("up",), ["home", "worktable", "bus", "ledger", "staging", "mail"]),
        (("run", "poller"), ["home", "worktable", "bus"]),
        (("run", "generator", "notifier"), ["home", "worktable", "ledger", "staging", "bus"]),
    ],
)
def test_what_runs_names_the_places_that_it_uses_and_no_others(
    shell: CommandLine, words: tuple[str, ...], places: list[str]
) -> None:
    shell.write("destinations.yaml", OFF)
    process = shell.start(*words)
    assert process.stdout is not None
    said: list[str] = []
    while not said or "Stop: Ctrl-C" not in said[-1]:
        said.append(process.stdout.readline())
        assert said[-1], shell.finish(process)
    stop(shell, process)
    assert sorted(line.split()[0] for line in said[1:-1]) == sorted(places)


@pytest.mark.parametrize("words", [("up",), ("run", "generator"), ("run", "orchestrator")])
def test_nothing_is_said_to_run_on_a_ledger_of_another_version(
    shell: CommandLine, postgres_url: str, words: tuple[str, ...]
) -> None:
    shell.variables["REPORTBUS_LEDGER__URL"] = postgres_url
    code, said, told = shell.finish(shell.start(*words))
    assert (code, said) == (1, "")
    assert told.startswith("SYS_SCHEMA: ")


def test_submitting_can_wait_for_the_end(shell: CommandLine) -> None:
    with running(shell, "up") as line:
        document = shell.json(*SUBMIT, "--target", "none", "--wait", "--timeout", str(_SECONDS))
        assert [each["status"] for each in document["requests"]] == ["COMPLETED"]
        stop(shell, line, signal.SIGINT)


def test_a_mended_destination_gets_what_was_missing_and_nothing_else_is_made(shell: CommandLine) -> None:
    root, here = shell.folder / "acme", shell.folder / "here"
    here.mkdir()
    places = f"{{acme: {{type: NAS, root: {root}}}, here: {{type: NAS, root: {here}}}}}"
    shell.write("destinations.yaml", f"destinations: {places}\n")
    with running(shell, "up") as line:
        request_id = shell.text(*SUBMIT, "--target", "acme", "--target", "here/out").strip()
        assert "1 of 2 delivered" in shell.text(
            "request", "watch", request_id, "--timeout", str(_SECONDS), code=1
        )
        first = (here / "out/one.csv").stat()
        why = shell.json("request", "why", request_id)
        assert [each["code"] for each in why["reasons"]] == ["DST_ROOT_MISSING"]
        assert [each["request_id"] for each in shell.json("dead-letter", "list")["requests"]] == [request_id]
        shell.run("destination", "test", "acme", code=1)
        root.mkdir()
        shell.run("destination", "test", "acme")
        assert shell.json("request", "retry", request_id)["retried"][0]["staged"] is True
        shell.run("request", "watch", request_id, "--timeout", str(_SECONDS))
        assert rows_of(root / "one.csv") == [["a"], ["1"]]
        assert (here / "out/one.csv").stat().st_mtime_ns == first.st_mtime_ns
        told = [
            each["what"] for each in shell.json("request", "why", request_id)["moments"] if each["run"] == 2
        ]
        assert told == ["retry", "deliver", "deliver", "COMPLETED"]
        assert shell.json("audit", "verify")["ok"] is True
        stop(shell, line)


def test_roles_may_run_apart(shell: CommandLine) -> None:
    with (
        running(shell, "run", "poller", "orchestrator") as intake,
        running(shell, "run", "generator", "distributor", "notifier") as work,
    ):
        shell.run(*SUBMIT, "--target", "delivered", "--wait", "--timeout", str(_SECONDS))
        stop(shell, intake)
        stop(shell, work)


@pytest.fixture
def held(shell: CommandLine) -> Iterator[subprocess.Popen[str]]:
    """A line whose generator is at a report that takes for ever; its grace is a second."""
    shell.write("reports/slow.yaml", SLOW)
    shell.variables["REPORTBUS_STOP__GRACE_SECONDS"] = "1"
    with running(shell, "up") as line:
        shell.run(
            "request", "submit", "--type", "PYTHON", "--name", "slow", "--format", "CSV", "--target", "none",
            "--id", "R-1",
        )  # fmt: skip
        watching = shell.start("request", "watch", "R-1", "--timeout", str(_SECONDS))
        assert watching.stdout is not None
        while "IN_PROGRESS" not in (said := watching.stdout.readline()):
            assert said, shell.finish(watching)
        watching.kill()
        watching.communicate(timeout=_SECONDS)
        yield line


def test_a_stop_hands_back_what_does_not_end_within_the_grace(
    shell: CommandLine, held: subprocess.Popen[str]
) -> None:
    asked = time.monotonic()
    stop(shell, held)
    assert time.monotonic() - asked < 10
    (job,) = shell.json("request", "show", "R-1")["jobs"]
    assert (job["state"], job["attempt"]) == ("READY", 1)


def test_a_second_signal_ends_the_process_at_once(shell: CommandLine) -> None:
    shell.write("reports/slow.yaml", SLOW)
    with running(shell, "up") as line:
        shell.run(
            "request", "submit", "--type", "PYTHON", "--name", "slow", "--format", "CSV", "--target", "none",
            "--id", "R-1",
        )  # fmt: skip
        line.send_signal(signal.SIGTERM)
        line.send_signal(signal.SIGINT)
        assert line.wait(timeout=5) in {128 + signal.SIGINT, 128 + signal.SIGTERM}


CANARY = "CANARY-s3cr3t/7f3a+é"


def test_a_secret_gets_nowhere_though_an_engine_tells_it(shell: CommandLine) -> None:
    """The script knows it by itself; the platform has it from a variable."""
    shell.variables["REPORTBUS_SECRET_API"] = json.dumps({"user": "ann", "key": CANARY})
    shell.variables["REPORTBUS_TELEMETRY__LOG_LEVEL"] = "DEBUG"
    letters = ", ".join(str(ord(letter)) for letter in CANARY)
    spellings = "s, quote(s), quote(s, safe=''), dumps(s), repr(s), b64encode(b'ann:' + s.encode()).decode()"
    shell.write(
        "scripts/leaky.py",
        "import sys\nfrom base64 import b64encode\nfrom json import dumps\nfrom urllib.parse import quote\n"
        f"s = ''.join(map(chr, [{letters}]))\nsys.exit(' and '.join([{spellings}]))\n",
    )
    shell.write("reports/leaky.yaml", "name: leaky\nscript: leaky.py\nformats: [CSV]\n")
    asked = (
        "request",
        "submit",
        "--type",
        "PYTHON",
        "--name",
        "leaky",
        "--format",
        "CSV",
        "--target",
        "none",
    )
    with running(shell, "up") as line:
        request_id = shell.json(*asked, "--wait", "--timeout", str(_SECONDS), code=1)["requests"][0][
            "request_id"
        ]
        told = [shell.text(*words) for words in (("request", "show", request_id), ("audit", "export"))]
        told += [shell.text("request", "why", request_id), shell.text("dead-letter", "show", request_id)]
        told.append(stop(shell, line))
    assert "*** and ***" in told[0]
    kept = [path.read_bytes() for path in shell.home.rglob("*") if path.is_file()]
    for form in (CANARY, quote(CANARY), quote(CANARY, safe=""), json.dumps(CANARY)[1:-1], repr(CANARY)[1:-1]):
        assert not any(form in text for text in told)
        assert not any(form.encode() in content for content in kept)
    assert not any(b64encode(CANARY.encode()).decode()[:16] in text for text in told)
