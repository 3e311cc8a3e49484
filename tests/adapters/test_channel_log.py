from __future__ import annotations

import io
import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from contracts.channel import FAILED, ChannelContract, notice, receipt
from reportbus.adapters.channels.log import LogChannel
from reportbus.core.errors import Transient
from reportbus.core.model import Outcome, Receipt, Status

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def channel(stream: io.StringIO) -> LogChannel:
    return LogChannel(stream)


@pytest.fixture
def told(stream: io.StringIO) -> Callable[[], list[str]]:
    return lambda: stream.getvalue().splitlines()


class TestLogChannel(ChannelContract):
    pass


def test_a_notice_is_one_line_of_json(channel: LogChannel, stream: io.StringIO) -> None:
    channel.send([notice(outcome=FAILED)])
    assert stream.getvalue().count("\n") == 1
    assert json.loads(stream.getvalue()) == {
        "event": "request.ended",
        "notice_id": "R-1-1-0",
        "at": "2026-01-01T12:03:00+00:00",
        "request_id": "R-1",
        "report_type": "PYTHON",
        "report_name": "Monthly sales",
        "status": "FAILED",
        "code": "DST_PERMISSION",
        "text": FAILED.text,
        "delivered": [1, 2],
        "missing": [3],
        "files": [{"name": "sales.csv", "format": "CSV", "size": 10_240}],
        "to": ["ops@example.com", "ada@example.com"],
        "possible_duplicate": False,
    }


@pytest.mark.parametrize("text", ['line\nbreak "quoted"', "half \ud800 pair", "\u2028", "\x00"])
def test_any_text_stays_on_one_line_of_plain_ascii(
    channel: LogChannel, stream: io.StringIO, text: str
) -> None:
    channel.send([notice(outcome=Outcome(Status.FAILED, "SYS_INTERNAL", text))])
    (line,) = stream.getvalue().splitlines()
    assert line.isascii()
    assert json.loads(line)["text"] == text


class SlowStream(io.StringIO):
    """A stream that takes one half of a text, lets others run, and takes the rest."""

    def write(self, text: str, /) -> int:
        half = len(text) // 2
        super().write(text[:half])
        threading.Event().wait(0.005)
        super().write(text[half:])
        return len(text)


def test_lines_of_several_threads_do_not_mix() -> None:
    stream = SlowStream()
    channel = LogChannel(stream)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: channel.send([notice(number)] * 5), range(1, 21)))
    ids = [json.loads(line)["request_id"] for line in stream.getvalue().splitlines()]
    assert len(ids) == 100
    assert set(ids) == {f"R-{number}" for number in range(1, 21)}


def test_a_stream_that_is_closed_is_told_for_each_notice(channel: LogChannel, stream: io.StringIO) -> None:
    stream.close()
    attempts = channel.send([notice(1), notice(2)])
    assert [type(attempt) for attempt in attempts] == [Transient, Transient]


def test_closing_the_channel_leaves_the_stream_to_its_owner(channel: LogChannel, stream: io.StringIO) -> None:
    channel.close()
    receipt(channel.send([notice()])[0])
    assert not stream.closed


def test_a_test_tells_of_a_stream_that_is_closed(channel: LogChannel, stream: io.StringIO) -> None:
    stream.close()
    assert not channel.test().ok


def test_notices_that_nobody_reads_are_tried_again_and_those_written_are_not() -> None:
    """What was written in part is on a line of its own."""
    reading, writing = os.pipe()
    text = "x" * 10_000
    with os.fdopen(reading) as reader, os.fdopen(writing, "w") as stream:
        channel = LogChannel(stream, patience=0)
        notices = [
            notice(number, outcome=Outcome(Status.FAILED, "DST_ROOT_MISSING", text)) for number in range(9)
        ]
        attempts = channel.send(notices)
        sent = sum(isinstance(attempt, Receipt) for attempt in attempts)
        assert 0 < sent < len(notices)
        assert [Transient] * (len(notices) - sent) == [type(attempt) for attempt in attempts[sent:]]
        lines = [reader.readline() for _ in range(sent)]
        channel.send(notices[sent:])
        torn = reader.readline()
        lines += [reader.readline() for _ in notices[sent:]]
    assert [f"R-{number}" for number in range(9)] == [json.loads(line)["request_id"] for line in lines]
    assert not torn or not torn.endswith("}\n")
