"""The adapters that the settings ask for, each made when it is first needed and closed with all others."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Final, Self

from reportbus.adapters.clock import SystemClock
from reportbus.core.created_event import RECORDS, Created, created_to_text
from reportbus.core.text import one_line
from reportbus.ports import Message
from reportbus.wiring.secrecy import redactor_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from reportbus.adapters.bus.sqlite import SqliteBus
    from reportbus.adapters.ledger.sql import SqlLedger
    from reportbus.adapters.staging.folder import FolderStaging
    from reportbus.adapters.worktable.sqlite import SqliteWorktable
    from reportbus.config.settings import Settings
    from reportbus.ports import (
        Channel,
        Clock,
        Destination,
        Engine,
        Records,
        Secrets,
        StagedObject,
        WorktableRows,
    )

STAGED_TOPIC: Final = "reports-staged"
"""The stream of staging's object-created events."""

GROUP: Final = "reportbus"
"""The consumer group that the line's members are of, on every stream."""

_KEY_WIDTH: Final = 100


class Parts:
    """What the line is made of; a `with` block closes what was made in it, the last one first.

    Opening a part that is not configured rightly raises its own error. With the first part that needs it
    `home` is made where it is missing, and so are folders of destinations inside of it. `records` and
    `worktable_rows` are for looking, and make nothing.
    """

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self.redactor = redactor_of(settings)
        self._opened = ExitStack()
        self._records: Records | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    def make_home(self) -> None:
        """Make the folder of what is embedded, where it is missing."""
        self.settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)

    @cached_property
    def worktable(self) -> SqliteWorktable:
        """The table people put requests into."""
        from reportbus.adapters.worktable.sqlite import SqliteWorktable

        self.make_home()
        worktable = SqliteWorktable(self.settings.worktable.path)
        self._opened.callback(worktable.close)
        return worktable

    @property
    def worktable_rows(self) -> WorktableRows:
        """The worktable, for looking: an empty one where it was not made yet."""
        from reportbus.adapters.worktable.absent import NoWorktable
        from reportbus.adapters.worktable.sqlite_look import waiting

        path = self.settings.worktable.path
        made = "worktable" in vars(self) or (path.exists() and waiting(path, self.clock.now()) is not None)
        return self.worktable if made else NoWorktable()

    @cached_property
    def bus(self) -> SqliteBus:
        """The message bus."""
        from reportbus.adapters.bus.sqlite import SqliteBus

        self.make_home()
        bus = SqliteBus(self.settings.bus.path, self.clock)
        self._opened.callback(bus.close)
        return bus

    @cached_property
    def ledger(self) -> SqlLedger:
        """The ledger; an embedded one is made, and brought to this version's schema."""
        from reportbus.adapters.ledger.sql import SqlLedger
        from reportbus.wiring.policies import policies

        if self.settings.ledger.url.startswith("sqlite"):
            self.make_home()
            self._prepare_embedded_ledger()
        ledger = SqlLedger(
            self.settings.ledger.url,
            self.clock,
            policies=policies(self.settings),
            lease_seconds=self.settings.worker.lease_seconds,
            deadline_seconds=self.settings.intake.request_deadline_seconds,
            wakeups=self.settings.wakeups,
        )
        self._opened.callback(ledger.close)
        return ledger

    @property
    def records(self) -> Records:
        """The ledger, for looking: an empty one where it was not made yet."""
        from reportbus.adapters.ledger.absent import NoRecords
        from reportbus.adapters.ledger.look import looked_at
        from reportbus.adapters.ledger.records import SqlRecords

        if self._records is None:
            database = looked_at(self.settings.ledger.url, self.clock)
            if database is None:
                return NoRecords()
            self._opened.callback(database.close)
            self._records = SqlRecords(database)
        return self._records

    @property
    def has_ledger(self) -> bool:
        """Whether the ledger is there already: the line makes an embedded one when it starts."""
        from reportbus.adapters.ledger.absent import NoRecords

        return not isinstance(self.records, NoRecords)

    @cached_property
    def staging(self) -> FolderStaging:
        """Where finished reports wait; what it stages is told on the bus."""
        from reportbus.adapters.staging.folder import FolderStaging

        self.make_home()
        staging = FolderStaging(self.settings.staging.root, created=self._tell_created)
        self._opened.callback(staging.close)
        return staging

    @cached_property
    def secrets(self) -> Secrets:
        """Named secrets: those of variables before those of files."""
        from reportbus.wiring.secrecy import secrets

        return secrets(self.settings, self.clock, self.redactor)

    @cached_property
    def engines(self) -> Mapping[str, Engine]:
        """The enabled engines that this version has adapters for, by report type."""
        from reportbus.wiring.engines import engines

        made = engines(self.settings, self.secrets)
        for engine in made.values():
            self._opened.callback(engine.close)
        return made

    @cached_property
    def destinations(self) -> Mapping[str, Destination]:
        """The enabled destinations, by name."""
        from reportbus.wiring.catalogue import destinations

        self.make_home()
        made = destinations(self.settings, self.clock)
        for destination in made.values():
            self._opened.callback(destination.close)
        return made

    @cached_property
    def channels(self) -> Mapping[str, Channel]:
        """The enabled channels, by name."""
        from reportbus.wiring.catalogue import channels

        self.make_home()
        made = channels(self.settings, sys.stderr)
        for channel in made.values():
            self._opened.callback(channel.close)
        return made

    def _prepare_embedded_ledger(self) -> None:
        from reportbus.adapters.ledger.database import Database
        from reportbus.adapters.ledger.lasting import opening
        from reportbus.adapters.ledger.revision import REVISION, current

        database = Database(self.settings.ledger.url, self.clock, pool=1)
        try:
            with opening():
                have = current(database)
            if have != REVISION:
                from reportbus.adapters.ledger import schema

                schema.upgrade(database)
        finally:
            database.close()

    def _tell_created(self, objects: Sequence[StagedObject]) -> None:
        events = [Created(item.key, item.size, item.sha256) for item in objects]
        groups = [events[first : first + RECORDS] for first in range(0, len(events), RECORDS)]
        self.bus.publish(
            STAGED_TOPIC,
            [Message(one_line(group[0].key, _KEY_WIDTH), created_to_text(group)) for group in groups],
        )
