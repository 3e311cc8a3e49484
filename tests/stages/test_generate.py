from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from reportbus.adapters.clock import ManualClock
from reportbus.adapters.staging.folder import FolderStaging
from reportbus.core.errors import Permanent, Transient
from reportbus.core.events import Failed, Generated, HandedBack, Kind
from reportbus.core.model import Artifact
from reportbus.core.redact import Redactor
from reportbus.ports import Produced, Verdict
from reportbus.stages.generate import ADOPTED, Generate
from stages.orders import generate_task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from reportbus.core.errors import Problem
    from reportbus.core.jobs import Task
    from reportbus.core.model import JsonValue
    from reportbus.ports import StagedWriter, Work

TABLE = b"id,amount\n1,2.50\n"
SECRET = "hunter2-hunter2"


class ScriptedEngine:
    """Makes what `make` makes, and keeps what it was asked for."""

    def __init__(self, make: Callable[[Work, StagedWriter], Produced | None]) -> None:
        self.asked: list[Work] = []
        self._make = make

    def check(self, report_name: str, parameters: Mapping[str, JsonValue], format_: str) -> Sequence[Problem]:
        return ()

    def generate(self, work: Work, sink: StagedWriter) -> Produced:
        self.asked.append(work)
        return self._make(work, sink) or Produced()

    def test(self) -> Verdict:
        return Verdict(ok=True, text="scripted")

    def close(self) -> None:
        pass


def writing(data: bytes = TABLE, produced: Produced | None = None) -> ScriptedEngine:
    def make(_: Work, sink: StagedWriter) -> Produced | None:
        sink.write(data)
        return produced

    return ScriptedEngine(make)


def failing(error: Exception) -> ScriptedEngine:
    def make(_: Work, sink: StagedWriter) -> Produced:
        sink.write(TABLE)
        raise error

    return ScriptedEngine(make)


@pytest.fixture
def staging(tmp_path: Path) -> Iterator[FolderStaging]:
    folder = FolderStaging(tmp_path / "staging")
    yield folder
    folder.close()


class Bench:
    """The stage under test and what stands around it."""

    def __init__(self, staging: FolderStaging, root: Path) -> None:
        self.staging = staging
        self.root = root
        self.clock = ManualClock()
        self.redactor = Redactor()
        self.cancelled: set[str] = set()
        self.saved: list[tuple[Task, Mapping[str, JsonValue]]] = []

    def stage(self, engine: ScriptedEngine, **changed: object) -> Generate:
        options: dict[str, object] = {
            "engines": {"PYTHON": engine},
            "staging": self.staging,
            "clock": self.clock,
            "redactor": self.redactor,
            "timeouts": {"engine:SSRS": 5.0},
            "default_timeout": 60.0,
            "output_limit": 1 << 20,
            "save_checkpoint": lambda task, data: self.saved.append((task, data)),
            "cancelled": lambda task: task.request.request_id in self.cancelled,
        }
        return Generate(**(options | changed))  # type: ignore[arg-type]

    def temporary_files(self) -> list[Path]:
        return list((self.root / "tmp").iterdir())


@pytest.fixture
def bench(staging: FolderStaging, tmp_path: Path) -> Bench:
    return Bench(staging, tmp_path / "staging")


def test_a_report_is_made_and_staged(bench: Bench) -> None:
    task = generate_task()
    (event,) = bench.stage(writing(TABLE, Produced(rows=1, note="warm"))).run([task])
    key = "reports/R-1/1/1/sales.csv"
    expected = Artifact(key, "sales.csv", "CSV", len(TABLE), hashlib.sha256(TABLE).hexdigest(), rows=1)
    assert event.task is task
    assert event.answer == Generated((expected,), "warm")
    with bench.staging.open(key) as staged:
        assert staged.read() == TABLE


def test_a_slice_is_published_in_one_call(bench: Bench) -> None:
    class Counting(FolderStaging):
        published: tuple[int, ...] = ()

        def publish(self, writers: Sequence[StagedWriter]) -> Sequence[object]:  # type: ignore[override]
            self.published += (len(writers),)
            return super().publish(writers)

    staging = Counting(bench.root)
    events = bench.stage(writing(), staging=staging).run([generate_task(number) for number in (1, 2, 3)])
    assert [type(event.answer) for event in events] == [Generated] * 3
    assert staging.published == (3,)
    staging.close()


def test_one_bad_report_does_not_spoil_its_neighbours(bench: Bench) -> None:
    def make(work: Work, sink: StagedWriter) -> None:
        if work.request.request_id == "R-2":
            raise Transient("ServiceUnavailable", "down for now", retry_after=9)
        sink.write(b"" if work.request.request_id == "R-3" else TABLE)

    events = bench.stage(ScriptedEngine(make)).run([generate_task(number) for number in (1, 2, 3, 4)])
    assert [event.task.request.request_id for event in events] == ["R-1", "R-2", "R-3", "R-4"]
    first, second, third, fourth = [event.answer for event in events]
    assert isinstance(first, Generated)
    assert second == Failed(Kind.TRANSIENT, "ServiceUnavailable", "down for now", retry_after=9)
    assert isinstance(third, Failed)
    assert third.code == "ENG_EMPTY_OUTPUT"
    assert isinstance(fourth, Generated)
    assert bench.temporary_files() == []


def test_what_is_no_report_is_not_staged(bench: Bench) -> None:
    (event,) = bench.stage(writing(b"<!DOCTYPE html><html><title>Sign in</title></html>")).run(
        [generate_task()]
    )
    assert isinstance(event.answer, Failed)
    assert (event.answer.kind, event.answer.code) == (Kind.PERMANENT, "ENG_BAD_OUTPUT")
    assert bench.staging.find("reports/R-1/1/1/sales.csv") is None


def test_an_empty_file_is_good_where_the_engine_counted_no_rows(bench: Bench) -> None:
    (event,) = bench.stage(writing(b"", Produced(rows=0))).run([generate_task()])
    assert isinstance(event.answer, Generated)
    assert event.answer.artifacts[0].size == 0


def test_a_report_beyond_the_limit_is_refused(bench: Bench) -> None:
    (event,) = bench.stage(writing(), output_limit=3).run([generate_task()])
    assert isinstance(event.answer, Failed)
    assert event.answer.code == "ENG_OUTPUT_TOO_LARGE"


@pytest.mark.parametrize("again", [{"attempt": 2}, {"losses": 1}])
def test_a_report_that_is_staged_already_is_not_asked_for_again(bench: Bench, again: dict[str, int]) -> None:
    (first,) = bench.stage(writing(TABLE, Produced(rows=1))).run([generate_task()])
    engine = writing(b"other bytes")
    (event,) = bench.stage(engine).run(
        [generate_task(attempt=again.get("attempt", 1), losses=again.get("losses", 0))]
    )
    assert engine.asked == []
    assert isinstance(event.answer, Generated)
    assert isinstance(first.answer, Generated)
    assert event.answer.note == ADOPTED
    assert event.answer.artifacts[0].sha256 == first.answer.artifacts[0].sha256


def test_a_repeat_asks_the_engine_where_nothing_is_staged(bench: Bench) -> None:
    engine = writing()
    (event,) = bench.stage(engine).run([generate_task(losses=1, checkpoint={"job": "E-7"})])
    assert isinstance(event.answer, Generated)
    assert engine.asked[0].checkpoint == {"job": "E-7"}


def test_the_engine_can_save_a_checkpoint(bench: Bench) -> None:
    def make(work: Work, sink: StagedWriter) -> None:
        work.save({"job": "E-7"})
        sink.write(TABLE)

    task = generate_task()
    bench.stage(ScriptedEngine(make)).run([task])
    assert bench.saved == [(task, {"job": "E-7"})]


@pytest.mark.parametrize(
    ("report_type", "expires_in", "seconds"),
    [("PYTHON", 3600, 60.0), ("SSRS", 3600, 5.0), ("PYTHON", 20, 20.0)],
)
def test_the_deadline_is_the_lanes_or_the_runs_whichever_comes_first(
    bench: Bench, report_type: str, expires_in: int, seconds: float
) -> None:
    engine = writing()
    expires_at = bench.clock.now() + timedelta(seconds=expires_in)
    bench.stage(engine, engines={report_type: engine}).run(
        [generate_task(report_type=report_type, expires_at=expires_at)]
    )
    assert engine.asked[0].deadline.remaining() == pytest.approx(seconds)


def test_an_unknown_engine_is_an_answer_that_names_those_there_are(bench: Bench) -> None:
    (event,) = bench.stage(writing()).run([generate_task(report_type="CRYSTAL")])
    assert event.answer == Failed(
        Kind.PERMANENT, "VAL_ENGINE_DISABLED", "no engine 'CRYSTAL' here; have PYTHON"
    )


def test_a_fault_of_our_own_is_an_answer_with_a_trace_and_without_its_message(bench: Bench) -> None:
    (event,) = bench.stage(failing(ValueError("salary of Ada: 100000"))).run([generate_task()])
    assert isinstance(event.answer, Failed)
    assert (event.answer.kind, event.answer.code) == (Kind.PERMANENT, "SYS_INTERNAL")
    assert event.answer.text.startswith("ValueError at ")
    assert "test_generate.py" in event.answer.trace
    assert "Ada" not in event.answer.trace + event.answer.text
    assert bench.temporary_files() == []


def test_secrets_are_taken_out_of_what_is_told(bench: Bench) -> None:
    bench.redactor.register(SECRET)
    (event,) = bench.stage(failing(Permanent("ENG_REFUSED", f"user x, {SECRET}"))).run([generate_task()])
    assert isinstance(event.answer, Failed)
    assert event.answer.text == "user x, ***"


def test_secrets_are_taken_out_of_what_an_engine_notes(bench: Bench) -> None:
    bench.redactor.register(SECRET)
    (event,) = bench.stage(writing(TABLE, Produced(note=f"asked as x, {SECRET}"))).run([generate_task()])
    assert isinstance(event.answer, Generated)
    assert event.answer.note == "asked as x, ***"


def test_a_task_cancelled_before_it_is_begun_is_handed_back(bench: Bench) -> None:
    engine = writing()
    bench.cancelled.add("R-1")
    events = bench.stage(engine).run([generate_task(1), generate_task(2)])
    assert [type(event.answer) for event in events] == [HandedBack, Generated]
    assert [work.request.request_id for work in engine.asked] == ["R-2"]


def test_a_task_stopped_in_the_middle_is_handed_back(bench: Bench) -> None:
    def make(work: Work, _: StagedWriter) -> None:
        assert not work.cancelled()
        bench.cancelled.add("R-1")
        assert work.cancelled()
        raise Permanent("RUN_CANCELLED", "stopped")

    (event,) = bench.stage(ScriptedEngine(make)).run([generate_task()])
    assert event.answer == HandedBack()


def test_an_engine_that_cancels_by_itself_has_failed(bench: Bench) -> None:
    (event,) = bench.stage(failing(Permanent("RUN_CANCELLED", "stopped"))).run([generate_task()])
    assert event.answer == Failed(Kind.PERMANENT, "RUN_CANCELLED", "stopped")


def test_staging_that_fails_is_the_answer_of_the_whole_slice(bench: Bench) -> None:
    class Full(FolderStaging):
        def publish(self, writers: Sequence[StagedWriter]) -> Sequence[object]:  # type: ignore[override]
            raise Transient("TemporaryFailure", "no space left")

    staging = Full(bench.root)
    events = bench.stage(writing(), staging=staging).run([generate_task(1), generate_task(2)])
    assert [event.answer for event in events] == [
        Failed(Kind.TRANSIENT, "TemporaryFailure", "no space left")
    ] * 2
    assert bench.temporary_files() == []
    staging.close()


def test_one_file_that_cannot_be_published_is_the_answer_of_its_task_alone(bench: Bench) -> None:
    bench.stage(writing(b"id\n2\n")).run([generate_task(2)])
    events = bench.stage(writing()).run([generate_task(1), generate_task(2)])
    assert isinstance(events[0].answer, Generated)
    assert isinstance(events[1].answer, Failed)
    assert events[1].answer.code == "STG_MISMATCH"


def test_each_answer_says_how_long_its_attempt_took(bench: Bench) -> None:
    def make(work: Work, sink: StagedWriter) -> None:
        bench.clock.advance(2 if work.request.request_id == "R-1" else 3)
        sink.write(TABLE)

    events = bench.stage(ScriptedEngine(make)).run([generate_task(1), generate_task(2)])
    assert [event.elapsed for event in events] == [2, 3]


def test_an_empty_slice_has_no_answers(bench: Bench) -> None:
    assert bench.stage(writing()).run([]) == []
