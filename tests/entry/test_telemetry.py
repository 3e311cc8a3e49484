from __future__ import annotations

import json
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from reportbus import telemetry
from reportbus.core.errors import Transient
from reportbus.core.jobs import Job, Stage, about
from reportbus.core.redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

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
