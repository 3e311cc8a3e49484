from __future__ import annotations

import csv
import json
import os
import pty
import re
import signal
import sqlite3
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from openpyxl import load_workbook
from pyarrow import parquet
from pypdf import PdfReader

from entry.demo_runs import FEW, Folder, Played, copy_of, played_once, with_data_of
from reportbus.core.model import TERMINAL, Status

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

ENDEAVOR = 18_460
"""Flights of the airline 9E."""

MANY = "100"
"""Requests of a demo that takes long enough to be stopped between its first end and its last."""


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Played:
    """A short demo, played once; tests only look at it."""
    worker = getattr(request.config, "workerinput", {"workerid": "master"})["workerid"]
    return played_once(tmp_path_factory, worker)


def statuses(folder: Folder) -> dict[str, str]:
    """What the worktable says of each request."""
    with closing(sqlite3.connect(folder.home / "worktable.db")) as connection:
        return dict(connection.execute("SELECT REQUEST_ID, STATUS FROM REPORT_REQUESTS").fetchall())


def under_way(folder: Folder) -> subprocess.Popen[str]:
    """A demo of many requests, the first of which have ended."""
    process = folder.start(requests=MANY)
    assert process.stdout is not None
    assert any(" taken in, " in line for line in process.stdout)
    while not TERMINAL & set(statuses(folder).values()):
        assert process.poll() is None
    return process


def test_all_reports_are_delivered_but_the_one_that_was_refused(played: Played) -> None:
    found = statuses(played.folder)
    assert int(FEW) == len(found)
    assert [found.pop("demo-1-005")] == ["FAILED"]
    assert {"COMPLETED"} == set(found.values())


def test_its_output_is_plain_text_where_nobody_sits_at_a_terminal(played: Played) -> None:
    assert not re.search(r"[^\n -~]", played.output)


def test_it_tells_why_one_was_refused_and_why_one_failed(played: Played) -> None:
    for sentence in (
        "VAL_PARAM_UNKNOWN: PARAMETERS: no parameter 'from'; did you mean 'from_day'?",
        "VAL_PARAM_TYPE: PARAMETERS.to_day: parameter 'to_day' has to be a day of the calendar",
        f"DST_ROOT_MISSING: the destination's folder {played.folder.home}/partner does not exist",
        "Create it or mount it, or correct `root` in the destinations' configuration; then retry",
    ):
        assert sentence in played.output


def test_the_retry_makes_the_missing_delivery_and_no_more(played: Played) -> None:
    with played.folder.parts() as parts:
        attempts = [
            str(row.details["lane"])
            for row in parts.ledger.records.audit("demo-1-003")
            if "lane" in row.details and row.details.get("run") == 2
        ]
        deliveries = {each.destination: each.run for each in parts.ledger.records.deliveries("demo-1-003")}
    assert ["channel:EMAIL", "target:partner"] == sorted(attempts)
    assert {"delivered": 1, "partner": 2, "mail": 1} == deliveries
    assert re.search(r"^ +2 +0 +1 +1 +COMPLETED$", played.output, re.MULTILINE)


def test_the_files_hold_what_was_asked_for(played: Played) -> None:
    delivered = played.folder.home / "delivered"
    assert ENDEAVOR == parquet.read_metadata(delivered / "warehouse/parquet/flights_9E.parquet").num_rows
    with (delivered / "planning/routes/routes_EWR.csv").open(newline="") as file:
        routes = list(csv.DictReader(file))
    assert [("EWR\u2013ORD", "6100")] == [(row["Route"], row["Flights"]) for row in routes[:1]]
    with (delivered / "warehouse/jsonl/flights_AS.jsonl").open() as file:
        assert {"AS"} == {json.loads(line)["carrier"] for line in file}
    book = load_workbook(delivered / "stations/EWR/departures_2013-02-08.xlsx", read_only=True)
    assert ("Planned", "Flight") == next(book.active.iter_rows(values_only=True))[:2]
    book.close()
    maps = (delivered / "website/maps/route_map_all.html").read_text()
    assert "105 destinations, 336,776 flights" in maps
    text = "".join(
        page.extract_text()
        for page in PdfReader(played.folder.home / "partner/incoming/delays_AA_2013.pdf").pages
    )
    assert "Delays by month" in text
    assert "32,729" in text


def test_nothing_half_made_is_left(played: Played) -> None:
    names = [path.name for path in played.folder.home.rglob("*")]
    assert not [
        name for name in names if name.endswith((".part", ".new", ".away")) or name.startswith(".loading")
    ]


def test_the_commands_it_names_at_the_end_work_as_they_stand(played: Played) -> None:
    *_, export, listing, why, audit = played.output.splitlines()
    assert export.startswith("export REPORTBUS_HOME=")
    for command, expected in ((listing, "demo-1-003"), (why, "Run 2"), (audit, "request_id,sequence,")):
        done = subprocess.run(
            ["sh", "-c", f"{export}\n{command}"],
            cwd=played.folder.path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert expected in done.stdout


def test_what_it_says_is_worth_looking_at_is_there(played: Played) -> None:
    named = re.findall(r"^(reportbus-data/\S+\.(?:html|pdf))$", played.output, re.MULTILINE)
    assert [True, True] == [(played.folder.path / name).is_file() for name in named]


def test_a_second_demo_works_says_that_there_was_one_and_asks_under_new_ids(
    played: Played, tmp_path: Path
) -> None:
    folder = copy_of(played, tmp_path)
    code, output = folder.play()
    assert (0, True) == (code, "1 demo, whose requests stay on record\n" in output), output
    assert {"demo-1", "demo-2"} == {request_id[:6] for request_id in statuses(folder)}


def test_a_request_that_fails_and_should_not_is_named_and_the_demo_ends_with_1(
    played: Played, tmp_path: Path
) -> None:
    folder = copy_of(played, tmp_path)
    in_the_way = folder.home / "delivered/website/maps/route_map_all.html"
    in_the_way.unlink()
    in_the_way.mkdir()
    code, output = folder.play()
    assert 1 == code, output
    named = output.partition("Not as it should be:")[2]
    assert re.search(r"^demo-2-\d+ +route_map +0 of 1 delivered, DST_NAME_TAKEN: ", named, re.MULTILINE)


def test_at_a_terminal_there_are_bars(played: Played, tmp_path: Path) -> None:
    folder = with_data_of(played, tmp_path)
    ours, theirs = pty.openpty()
    with folder.start({"TERM": "xterm"}, stdout=theirs) as process:
        os.close(theirs)
        shown = _read_all(ours)
    assert 0 == process.returncode, shown
    assert "13 of 13 2 FAILED" in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_demo_that_is_stopped_on_its_way_is_finished_by_the_next_one(
    played: Played, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    folder = with_data_of(played, tmp_path)
    with under_way(folder) as process:
        process.send_signal(number)
        rest, _ = process.communicate(timeout=30)
    assert code == process.returncode, rest
    open_ = [status for status in statuses(folder).values() if status not in TERMINAL]
    assert open_
    assert (number == signal.SIGKILL) == any(folder.home.glob("*.away"))
    again, output = folder.play()
    assert 0 == again, output
    assert "1 demo, whose requests stay on record; " in output
    found = statuses(folder)
    assert int(MANY) + int(FEW) == len(found)
    assert {Status.COMPLETED, Status.FAILED} == set(found.values())
    assert not list(folder.home.rglob("*.away"))


def test_a_demo_that_is_stopped_while_it_prepares_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    """It is loading its data then."""
    folder = Folder(tmp_path)
    with folder.start() as process:
        assert process.stdout is not None
        assert any(line.startswith("home") for line in process.stdout)
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=30)
    assert 130 == process.returncode, rest
    assert "Stopped." in rest
    code, output = folder.play()
    assert 0 == code, output


def _read_all(terminal: int) -> str:
    """Everything that is written to a terminal until the last writer is gone."""
    shown = b""
    while True:
        try:
            data = os.read(terminal, 1 << 16)
        except OSError:  # what Linux says then
            data = b""
        if not data:
            os.close(terminal)
            return shown.decode()
        shown += data
