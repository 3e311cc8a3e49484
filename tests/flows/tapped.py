"""The parts of the line with a hook at every point of `flows.points`: shells around the real adapters."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Self, cast

from flows.commits import Operation, lose_replies, tap
from flows.ready_engine import ReadyEngine
from reportbus.adapters.channels.maildir import MaildirChannel
from reportbus.adapters.destinations.folder import FolderDestination
from reportbus.core.events import HandedBack
from reportbus.wiring.parts import STAGED_TOPIC, Parts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from reportbus.adapters.bus.sqlite import SqliteBus
    from reportbus.adapters.ledger.sql import SqlLedger
    from reportbus.adapters.staging.folder import FolderStaging
    from reportbus.adapters.worktable.sqlite import SqliteWorktable
    from reportbus.config.settings import Settings
    from reportbus.core.events import Event
    from reportbus.core.jobs import Stage, Task
    from reportbus.core.model import Artifact
    from reportbus.ports import (
        Attempt,
        Batch,
        Channel,
        Consumer,
        Delivery,
        Destination,
        Engine,
        Message,
        Notice,
        Pending,
        StagedObject,
        WorktableRow,
        WriteBack,
    )

    Hook = Callable[[str], None]

ENGINE_LOG: Final = "engine.log"


class Shell:
    """What is not tapped goes to the real thing."""

    def __init__(self, inner: object, hit: Hook) -> None:
        self._inner: Any = inner
        self._hit = hit

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the real thing has
        return getattr(self._inner, name)


class TappedWorktable(Shell):
    """The worktable of a poller and of a notifier."""

    def fetch(self, limit: int, *, again: int, published_before: datetime) -> Sequence[WorktableRow]:
        rows: Sequence[WorktableRow] = self._inner.fetch(
            limit, again=again, published_before=published_before
        )
        if rows:
            self._hit("poll: rows fetched")
        return rows

    def stamp(self, refs: Sequence[str], at: datetime) -> None:
        self._inner.stamp(refs, at)
        self._hit("poll: rows stamped")

    def write_back(self, changes: Sequence[WriteBack]) -> int:
        self._hit("write back: changes read")
        changed: int = self._inner.write_back(changes)
        self._hit("write back: rows written")
        return changed


class TappedBus(Shell):
    """The bus, with members that are tapped as well."""

    def publish(self, topic: str, messages: Sequence[Message]) -> None:
        self._inner.publish(topic, messages)
        self._hit("staging: files told" if topic == STAGED_TOPIC else "poll: rows published")

    def subscribe(self, topic: str, group: str) -> Consumer:
        consumer = self._inner.subscribe(topic, group)
        points = ("staged: events taken", "staged: events committed")
        if topic != STAGED_TOPIC:
            points = ("accept: messages taken", "accept: messages committed")
        return cast("Consumer", TappedConsumer(consumer, self._hit, *points))


class TappedConsumer(Shell):
    """A member of a group."""

    def __init__(self, inner: object, hit: Hook, taken: str, committed: str) -> None:
        super().__init__(inner, hit)
        self._taken = taken
        self._committed = committed

    def poll(self, limit: int, timeout: float) -> Batch:
        batch: Batch = self._inner.poll(limit, timeout)
        if batch.messages:
            self._hit(self._taken)
        return batch

    def commit(self, batch: Batch) -> None:
        self._inner.commit(batch)
        self._hit(self._committed)


class NamedOperations(Shell):
    """A face of the ledger that says which operation a commit belongs to."""

    def __init__(self, inner: object, hit: Hook, operation: Operation) -> None:
        super().__init__(inner, hit)
        self._operation = operation


class TappedLedger(NamedOperations):
    """The ledger."""

    @property
    def intake(self) -> TappedIntake:
        return TappedIntake(self._inner.intake, self._hit, self._operation)

    @property
    def operations(self) -> TappedOperations:
        return TappedOperations(self._inner.operations, self._hit, self._operation)

    def worker(self, name: str = "") -> TappedWork:
        with self._operation.of("enroll"):
            return TappedWork(self._inner.worker(name), self._hit, self._operation)


class TappedIntake(NamedOperations):
    """Taking in."""

    def accept(self, submissions: Sequence[Any]) -> Any:  # noqa: ANN401 - handed through
        with self._operation.of("accept"):
            return self._inner.accept(submissions)


class TappedOperations(NamedOperations):
    """For the pumps."""

    def sweep(self) -> Any:  # noqa: ANN401 - handed through
        with self._operation.of("sweep"):
            return self._inner.sweep()

    def written(self, changes: Sequence[Pending]) -> None:
        with self._operation.of("written"):
            self._inner.written(changes)


class TappedWork(NamedOperations):
    """One worker's hands."""

    def claim(self, capacity: Mapping[Stage, int], limits: Mapping[str, int]) -> Sequence[Task]:
        with self._operation.of("claim"):
            return cast("Sequence[Task]", self._inner.claim(capacity, limits))

    def record(self, events: Sequence[Event], capacity: Mapping[Stage, int]) -> Sequence[Task]:
        names = {
            "hand back" if isinstance(each.answer, HandedBack) else f"record {each.task.job.stage}"
            for each in events
        }
        with self._operation.of(*names):
            return cast("Sequence[Task]", self._inner.record(events, capacity))

    def checkpoint(self, task: Task, data: Any) -> bool:  # noqa: ANN401 - handed through
        with self._operation.of("checkpoint"):
            return bool(self._inner.checkpoint(task, data))

    def renew(self) -> Any:  # noqa: ANN401 - handed through
        with self._operation.of("renew"):
            return self._inner.renew()

    def close(self) -> None:
        with self._operation.of("retire"):
            self._inner.close()


class TappedDestination(Shell):
    """A destination, and the files on their way to it."""

    def deliver(self, deliveries: Sequence[Delivery]) -> Sequence[Attempt]:
        self._hit("deliver: before the call")
        opened = [replace(delivery, open=self._opener(delivery)) for delivery in deliveries]
        attempts: Sequence[Attempt] = self._inner.deliver(opened)
        self._hit("deliver: after the call")
        return attempts

    def _opener(self, delivery: Delivery) -> Callable[[Artifact], BinaryIO]:
        return lambda artifact: cast(
            "BinaryIO", HalvedFile(delivery.open(artifact), self._hit, artifact.size // 2)
        )


class HalvedFile(Shell):
    """A staged file that is read in two halves, with a point between them."""

    def __init__(self, inner: object, hit: Hook, half: int) -> None:
        super().__init__(inner, hit)
        self._half = half
        self._read = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self._inner.close()

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; the first time no more than half of the file."""
        if self._read == 0 and self._half:
            size = min(size, self._half)
        elif self._read == self._half:
            self._hit("deliver: half of a file")
        data: bytes = self._inner.read(size)
        self._read += len(data)
        return data


class TappedChannel(Shell):
    """A channel."""

    def send(self, notices: Sequence[Notice]) -> Sequence[Attempt]:
        self._hit("notify: before the call")
        attempts: Sequence[Attempt] = self._inner.send(notices)
        self._hit("notify: after the call")
        return attempts


class TappedParts(Parts):
    """The parts that the settings ask for, tapped, with an engine that has its reports at hand.

    The bus is told `told` times of what was staged; `lost_replies` is the share of the ledger's commits whose
    outcome nobody hears of.
    """

    def __init__(self, settings: Settings, hit: Hook, *, told: int = 1, lost_replies: float = 0.0) -> None:
        super().__init__(settings)
        self._hit = hit
        self._told = told
        self._lost_replies = lost_replies

    @cached_property
    def worktable(self) -> SqliteWorktable:
        return cast("SqliteWorktable", TappedWorktable(super().worktable, self._hit))

    @cached_property
    def bus(self) -> SqliteBus:
        return cast("SqliteBus", TappedBus(super().bus, self._hit))

    @cached_property
    def ledger(self) -> SqlLedger:
        operation = Operation()
        tap(
            operation,
            before=lambda name: self._hit(f"{name}: before the commit"),
            after=lambda name: self._hit(f"{name}: after the commit"),
        )
        ledger = super().ledger
        if self._lost_replies:
            lose_replies(self._lost_replies)
        return cast("SqlLedger", TappedLedger(ledger, self._hit, operation))

    @cached_property
    def staging(self) -> FolderStaging:
        staging = super().staging
        staging._failpoint = self._failpoint("staging")
        return staging

    @cached_property
    def engines(self) -> Mapping[str, Engine]:
        engine = ReadyEngine(self.settings.home / ENGINE_LOG, self._hit)
        self._opened.callback(engine.close)
        return {"PYTHON": engine}

    @cached_property
    def destinations(self) -> Mapping[str, Destination]:
        found = super().destinations
        for destination in found.values():
            if isinstance(destination, FolderDestination):
                destination._failpoint = self._failpoint("deliver")
        return {
            name: cast("Destination", TappedDestination(inner, self._hit)) for name, inner in found.items()
        }

    @cached_property
    def channels(self) -> Mapping[str, Channel]:
        found = super().channels
        for channel in found.values():
            if isinstance(channel, MaildirChannel):
                channel._maildir._failpoint = self._failpoint("notify")
        return {name: cast("Channel", TappedChannel(inner, self._hit)) for name, inner in found.items()}

    def _tell_created(self, objects: Sequence[StagedObject]) -> None:
        for _ in range(self._told):
            super()._tell_created(objects)

    def _failpoint(self, station: str) -> Hook:
        return lambda step: self._hit(f"{station}: {step}")
