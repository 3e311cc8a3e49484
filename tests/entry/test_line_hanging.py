"""A line whose engine hangs for ever, in something that knows no timeout."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from contracts.ledger_samples import submission
from reportbus.adapters.clock import ManualClock
from reportbus.config import load
from reportbus.ports import Produced, Verdict
from reportbus.wiring import line
from reportbus.wiring.parts import Parts
from reportbus.wiring.policies import timeouts
from waiting import LIMIT_SECONDS, until

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pytest

    from entry.command_line import CommandLine
    from reportbus.core.errors import Problem
    from reportbus.core.model import JsonValue
    from reportbus.ports import Engine, StagedWriter, Work


class Hanging:
    """An engine that does not come back until it is let go, whatever it is told."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.let_go = threading.Event()
        self.work: Work | None = None

    def check(self, report_name: str, parameters: Mapping[str, JsonValue], format_: str) -> Sequence[Problem]:
        return ()

    def generate(self, work: Work, sink: StagedWriter) -> Produced:
        self.work = work
        self.begun.set()
        self.let_go.wait(LIMIT_SECONDS)
        return Produced()

    def test(self) -> Verdict:
        return Verdict(ok=True, text="ready")

    def close(self) -> None:
        """Nothing is held."""


class HangingParts(Parts):
    """The parts of a line whose one engine hangs."""

    @cached_property
    def engines(self) -> Mapping[str, Engine]:
        return {"PYTHON": Hanging()}


def test_a_line_whose_threads_hang_ends_by_itself_and_their_jobs_are_for_others(
    shell: CommandLine, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock(datetime.now(UTC))
    settings = load({**shell.variables, "REPORTBUS_WORKER__THREADS": "1"}, shell.folder)
    ended: list[bool] = []
    with HangingParts(settings, clock) as parts:
        engine = parts.engines["PYTHON"]
        assert isinstance(engine, Hanging)
        parts.ledger.intake.accept([submission("R-1")])
        thread = threading.Thread(
            target=lambda: ended.append(line.run(line.loops(parts, ("generator",)), threading.Event()))
        )
        thread.start()
        assert engine.begun.wait(LIMIT_SECONDS)
        assert engine.work is not None
        assert not engine.work.cancelled()
        clock.advance(2 * timeouts(settings)["engine:PYTHON"] + 60)
        thread.join(LIMIT_SECONDS)
        states = [(job.state, job.worker) for job in parts.ledger.records.jobs("R-1")]

        assert [False] == ended
        assert engine.work.cancelled()
        assert [("READY", "")] == states
        assert line.at_work()
        engine.let_go.set()
        until(lambda: not line.at_work())
    died = [record for record in caplog.records if "died" in record.message]

    assert "SYS_HANGING" in str([record.exc_info for record in died])
