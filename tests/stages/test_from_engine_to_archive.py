"""The three working stages one after the other, over the embedded staging, destination and channel."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reportbus.adapters.channels.maildir import MaildirChannel
from reportbus.adapters.clock import ManualClock
from reportbus.adapters.destinations.folder import FolderDestination, FolderOptions
from reportbus.adapters.staging.folder import FolderStaging
from reportbus.core.events import Delivered, Generated, Notified
from reportbus.core.redact import Redactor
from reportbus.ports import Produced, Verdict
from reportbus.stages.deliver import Deliver
from reportbus.stages.generate import ADOPTED, Generate
from reportbus.stages.notify import Notify
from stages.orders import deliver_task, generate_task, notify_task

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from reportbus.core.errors import Problem
    from reportbus.core.jobs import Task
    from reportbus.core.model import JsonValue, Target
    from reportbus.ports import StagedWriter, Work

NUMBERS = range(1, 21)


def table(number: int) -> bytes:
    return f"id,amount\n{number},2.50\n".encode()


class Tables:
    """Makes a table with the request's number in it, once."""

    def __init__(self) -> None:
        self.made = 0

    def check(self, report_name: str, parameters: Mapping[str, JsonValue], format_: str) -> Sequence[Problem]:
        return ()

    def generate(self, work: Work, sink: StagedWriter) -> Produced:
        self.made += 1
        sink.write(table(int(work.request.request_id.removeprefix("R-"))))
        return Produced(rows=1)

    def test(self) -> Verdict:
        return Verdict(ok=True, text="tables")

    def close(self) -> None:
        pass


class Line:
    """The stages over embedded parts below one folder."""

    def __init__(self, root: Path) -> None:
        self.archive = root / "archive"
        self.archive.mkdir()
        self.mail = root / "mail"
        self.engine = Tables()
        self.staging = FolderStaging(root / "staging")
        self.destination = FolderDestination(FolderOptions(str(self.archive), mkdirs=True))
        self.channel = MaildirChannel(str(self.mail), "reports@example.com")
        clock, redactor = ManualClock(), Redactor()
        self.generate = Generate(
            engines={"PYTHON": self.engine},
            staging=self.staging,
            clock=clock,
            redactor=redactor,
            timeouts={},
            default_timeout=60,
            output_limit=1 << 20,
            save_checkpoint=lambda _task, _data: None,
            cancelled=lambda _: False,
        )
        self.deliver = Deliver(
            destinations={"archive": self.destination},
            staging=self.staging,
            clock=clock,
            redactor=redactor,
            timeouts={},
            default_timeout=60,
            cancelled=lambda _: False,
        )
        self.notify = Notify(
            channels={"EMAIL": self.channel}, clock=clock, redactor=redactor, cancelled=lambda _: False
        )

    def close(self) -> None:
        self.destination.close()
        self.channel.close()
        self.staging.close()


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    line = Line(tmp_path)
    yield line
    line.close()


def targets(number: int) -> tuple[Target, ...]:
    (target,) = generate_task(number).request.targets
    return (replace(target, file_name=f"sales-{number}.csv"),)


def delivering(line: Line, *, losses: int = 0) -> list[Task]:
    """The deliver tasks of what the engine made."""
    generated = line.generate.run([generate_task(number, losses=losses) for number in NUMBERS])
    tasks = []
    for number, event in zip(NUMBERS, generated, strict=True):
        assert isinstance(event.answer, Generated)
        tasks.append(deliver_task(number, event.answer.artifacts, targets=targets(number), losses=losses))
    return tasks


def test_reports_come_to_the_archive_whole_and_are_announced(line: Line) -> None:
    delivered = [event.answer for event in line.deliver.run(delivering(line))]
    for number, answer in zip(NUMBERS, delivered, strict=True):
        assert isinstance(answer, Delivered)
        assert answer.receipt.sha256 == hashlib.sha256(table(number)).hexdigest()
        assert (line.archive / "in" / f"sales-{number}.csv").read_bytes() == table(number)
    notified = line.notify.run([notify_task(number) for number in NUMBERS])
    assert all(isinstance(event.answer, Notified) for event in notified)
    assert len(list((line.mail / "new").iterdir())) == len(NUMBERS)


def test_what_a_lost_worker_had_done_is_recognised_and_not_done_again(line: Line) -> None:
    line.deliver.run(delivering(line))
    tasks = delivering(line, losses=1)
    assert line.engine.made == len(NUMBERS)
    for event in line.deliver.run(tasks):
        assert isinstance(event.answer, Delivered)
        assert event.answer.receipt.repeated
    assert len(list((line.archive / "in").iterdir())) == len(NUMBERS)
    again = line.generate.run([generate_task(1, losses=1)])[0].answer
    assert isinstance(again, Generated)
    assert again.note == ADOPTED
