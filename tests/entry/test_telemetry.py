from __future__ import annotations

import json
import logging
import os
import re
from contextlib import contextmanager, redirect_stderr, suppress
from typing import TYPE_CHECKING, Any

import pytest

from reportbus import telemetry
from reportbus.core.errors import Transient
from reportbus.core.jobs import Job, Stage, about
from reportbus.core.redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LOG = logging.getLogger("reportbus.somewhere")
SECRET = "kX7-very-secret"


@contextmanager
def logging_as(format_: str, level: str = "INFO") -> Iterator[None]:
    """The log set up for a while, and then as it was."""
    root = logging.getLogger()
    before = root.level, [*root.handlers], logging.getLogger("reportbus").level
    redactor = Redactor()
    redactor.register(SECRET)
    telemetry.configure(level, format_, redactor)
    try:
        yield
    finally:
        root.setLevel(before[0])
        root.handlers[:] = before[1]
        logging.getLogger("reportbus").setLevel(before[2])


def logged(capsys: pytest.CaptureFixture[str], log: Callable[[], None]) -> dict[str, Any]:
    """The one JSON line that `log` writes."""
    with logging_as("json"):
        log()
    (line,) = capsys.readouterr().err.splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


def test_a_line_says_when_how_bad_where_and_what(capsys: pytest.CaptureFixture[str]) -> None:
    line = logged(capsys, lambda: LOG.warning("poll: %d rows", 3))
    assert line.pop("time").endswith("Z")
    assert line == {"level": "WARNING", "logger": "reportbus.somewhere", "message": "poll: 3 rows"}


def test_a_line_about_a_request_has_its_id(capsys: pytest.CaptureFixture[str]) -> None:
    line = logged(capsys, lambda: LOG.info("staged", extra={"request_id": "R-1"}))
    assert line["request_id"] == "R-1"


def test_a_line_about_a_job_says_which_one_of_which_stage(capsys: pytest.CaptureFixture[str]) -> None:
    job = Job(3, 1, Stage.DELIVER, 2, "target:acme")
    line = logged(capsys, lambda: LOG.warning("attempt 1 failed", extra=about("R-1", job)))
    assert (line["request_id"], line["stage"], line["job"]) == ("R-1", "DELIVER", 3)
    with logging_as("text"):
        LOG.warning("attempt 1 failed", extra=about("R-1", job))
    assert capsys.readouterr().err.endswith("attempt 1 failed [R-1 DELIVER 3]\n")


def test_secrets_are_masked_by_value_and_by_pattern(capsys: pytest.CaptureFixture[str]) -> None:
    line = logged(capsys, lambda: LOG.info("logged in with %s and password=hunter22", SECRET))
    assert line["message"] == "logged in with *** and password=***"


def _raise(error: Exception) -> None:
    try:
        raise error
    except type(error):
        LOG.exception("the poll loop died")


def test_of_a_strange_exception_its_type_and_place_are_told_and_not_its_message(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A message may hold anything, the rows of a report above all."""
    line = logged(capsys, lambda: _raise(ValueError("row 7: ada earns 1,000,000")))
    assert line["code"] == "SYS_INTERNAL"
    assert "ValueError" in line["text"]
    assert "test_telemetry.py" in line["trace"]
    assert "ada earns" not in json.dumps(line)


def test_our_errors_are_told_by_code_and_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    line = logged(capsys, lambda: _raise(Transient("ServiceUnavailable", f"no answer to {SECRET}")))
    assert (line["code"], line["text"]) == ("ServiceUnavailable", "no answer to ***")


def test_text_is_one_line_however_many_a_message_has(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_as("text"):
        LOG.warning("first\nsecond", extra={"request_id": "R-1"})
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(r"WARNING reportbus.somewhere: first\nsecond [R-1]")


def test_a_trace_in_text_follows_indented(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_as("text"):
        _raise(KeyError("x"))
    head, *places = capsys.readouterr().err.splitlines()
    assert "(SYS_INTERNAL: KeyError at " in head
    assert all(place.startswith("    ") for place in places)


def test_below_the_level_nothing_is_logged_and_libraries_only_warn(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with logging_as("json", level="WARNING"):
        LOG.info("busy")
    with logging_as("json"):
        logging.getLogger("alembic.runtime").info("Context impl SQLiteImpl.")
        logging.getLogger("alembic.runtime").warning("odd")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["message"] == "odd"


def test_setting_it_up_again_does_not_double_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_as("json"), logging_as("json"):
        LOG.info("once")
    assert len(capsys.readouterr().err.splitlines()) == 1


class Pipe:
    """A standard error that somebody reads when told to."""

    def __init__(self) -> None:
        self._end, writing = os.pipe()
        os.set_blocking(self._end, False)
        self.stream = os.fdopen(writing, "w", encoding="utf-8")

    def read(self) -> str:
        """All that is there."""
        text = b""
        with suppress(BlockingIOError):
            while data := os.read(self._end, 1 << 16):
                text += data
        return text.decode()

    def leave(self) -> None:
        """Read nothing any more."""
        if self._end >= 0:
            os.close(self._end)
        self._end = -1


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.leave()
    with suppress(BrokenPipeError):
        pipe.stream.close()


@pytest.mark.parametrize("word", ["line", "Zeile mit Ümläuten \N{SNOWMAN}"])
def test_a_log_that_nobody_reads_holds_up_nobody_and_is_whole_when_it_is_read(pipe: Pipe, word: str) -> None:
    with redirect_stderr(pipe.stream), logging_as("json"):
        for number in range(2_000):
            LOG.info("%s %d", word, number)
        told = ""
        while f"{word} 1999" not in told:
            told += pipe.read()
            LOG.info("%s %d", word, 2_000)
    found = [json.loads(line)["message"] for line in told.splitlines()]
    assert [f"{word} {number}" for number in range(2_000)] == found[:2_000]


def test_of_lines_that_nobody_reads_for_too_long_the_number_is_told(pipe: Pipe) -> None:
    with redirect_stderr(pipe.stream), logging_as("text"):
        for number in range(7_000):
            LOG.info("line %d", number)
        told = ""
        more = 0
        while " again" not in told:
            told += pipe.read()
            LOG.info("again")
            more += 1
    told += pipe.read()
    written = re.findall(r" line \d+$| again$", told, re.MULTILINE)
    (left_out,) = re.findall(r": (\d+) lines were left out here", told)
    assert 7_000 + more - len(written) == int(left_out)
    assert not re.search(" line .* again.* line ", told, re.DOTALL)


def test_the_last_lines_are_written_when_the_log_is_shut(pipe: Pipe) -> None:
    with redirect_stderr(pipe.stream), logging_as("text"):
        for number in range(1_000):
            LOG.info("line %d", number)
        told = pipe.read()
        for handler in logging.getLogger().handlers:
            handler.flush()
    assert "line 999" in told + pipe.read()


def test_a_reader_that_is_gone_is_no_fault(pipe: Pipe) -> None:
    pipe.leave()
    with redirect_stderr(pipe.stream), logging_as("text"):
        LOG.info("nobody hears")


def test_a_log_call_that_is_wrong_says_where_and_harms_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_as("text"):
        for handler in logging.getLogger().handlers[-1:]:
            record = LOG.makeRecord(LOG.name, logging.WARNING, __file__, 7, "%d rows", ("secret",), None)
            handler.handle(record)
    said = capsys.readouterr().err
    assert "TypeError in the log's line at test_telemetry.py:7" in said
    assert "secret" not in said
