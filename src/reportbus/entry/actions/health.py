"""Looking at every part that is configured without changing anything."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reportbus.adapters.clock import SystemClock
from reportbus.core.errors import Refused, ReportbusError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from reportbus.config import Settings
    from reportbus.config.destinations import DestinationSettings
    from reportbus.ports import Destination, Engine, Verdict

    Check = tuple[str, bool, str]

_LATER: Final = "not there yet; made at the first use"


def checks(settings: Settings) -> Iterator[Check]:
    """Each part with whether it is well, and a sentence that says so or says what to mend."""
    yield "configuration", True, f"{len(settings.effective)} settings from {settings.config}"
    for hint in settings.hints:
        yield "configuration", True, hint
    yield "home", *_folder(settings.home)
    yield "worktable", *_look(settings.worktable.path, lambda: _worktable(settings))
    yield "bus", *_look(settings.bus.path, lambda: _bus(settings))
    yield "ledger", *_told(lambda: _ledger(settings))
    yield "staging", *_folder(settings.staging.root)
    yield from _engines(settings)
    yield from _destinations(settings)


@contextmanager
def engines_of(settings: Settings) -> Iterator[Mapping[str, Engine]]:
    """The engines, without any other part. Raises Refused where a report's definition is no good."""
    from reportbus.wiring.catalogue import secrets
    from reportbus.wiring.engines import engines

    with ExitStack() as opened:
        made = engines(settings, secrets(settings, SystemClock()))
        for engine in made.values():
            opened.callback(engine.close)
        yield made


def _engines(settings: Settings) -> Iterator[Check]:
    try:
        with engines_of(settings) as engines:
            for name, engine in engines.items():
                yield f"engine {name}", *_verdict(engine.test)
    except Refused as refusal:
        for problem in refusal.problems:
            yield "engines", False, str(problem)


def _destinations(settings: Settings) -> Iterator[Check]:
    for name, target in settings.destinations.items():
        if not target.enabled:
            continue
        folder = _folder_of(target)
        if folder is not None and folder.is_relative_to(settings.home) and not folder.exists():
            yield f"destination {name}", True, f"{folder} is {_LATER}"
            continue
        with _destination(settings, name) as destination:
            if destination is not None:
                yield f"destination {name}", *_verdict(destination.test)


@contextmanager
def _destination(settings: Settings, name: str) -> Iterator[Destination | None]:
    """The destination alone: making all of them would make the folders of others."""
    from reportbus.wiring.catalogue import destinations

    alone = replace(settings, destinations={name: settings.destinations[name]})
    made = destinations(alone, SystemClock()).get(name)
    try:
        yield made
    finally:
        if made is not None:
            made.close()


def _folder_of(target: DestinationSettings) -> Path | None:
    from reportbus.config.destinations import EmailSettings, NasSettings

    match target:
        case NasSettings():
            return target.root
        case EmailSettings():
            return target.maildir
        case _:
            return None


def _worktable(settings: Settings) -> str:
    from reportbus.adapters.worktable.sqlite import SqliteWorktable

    clock = SystemClock()
    worktable = SqliteWorktable(settings.worktable.path)
    try:
        waiting = worktable.fetch(1, published_before=clock.now())
    finally:
        worktable.close()
    return f"{settings.worktable.path} answers" + ("; requests wait in it" if waiting else "")


def _bus(settings: Settings) -> str:
    from reportbus.adapters.bus.sqlite import SqliteBus

    bus = SqliteBus(settings.bus.path, SystemClock())
    try:
        depth = bus.depth(settings.bus.topic, "reportbus")
    finally:
        bus.close()
    return f"{settings.bus.path} answers; {depth} messages wait"


def _ledger(settings: Settings) -> tuple[bool, str]:
    from reportbus.adapters.ledger.database import Database
    from reportbus.adapters.ledger.revision import REVISION, current

    database = Database(settings.ledger.url, SystemClock(), pool=1)
    file = database.url.database if database.dialect.name == "sqlite" else None
    try:
        if file is not None and not Path(file).exists():
            return True, f"{file} is {_LATER}"
        have, want = current(database), REVISION
    finally:
        database.close()
    if have != want:
        return False, f"its schema is {have or 'empty'}, this version's is {want}; run: reportbus db upgrade"
    return True, f"it answers; its schema is {have}"


def _folder(path: Path) -> tuple[bool, str]:
    if not path.exists():
        return True, f"{path} is {_LATER}"
    if not os.access(path, os.W_OK | os.X_OK):
        return False, f"{path} cannot be written to by this user"
    return True, f"{path} can be written to"


def _look(path: Path, look: Callable[[], str]) -> tuple[bool, str]:
    """A file that is not there is made later; one that is there is looked at."""
    return _told(lambda: (True, look() if path.exists() else f"{path} is {_LATER}"))


def _verdict(test: Callable[[], Verdict]) -> tuple[bool, str]:
    def told() -> tuple[bool, str]:
        verdict = test()
        return verdict.ok, verdict.text

    return _told(told)


def _told(look: Callable[[], tuple[bool, str]]) -> tuple[bool, str]:
    """What was found; an error is a finding, too."""
    try:
        return look()
    except ReportbusError as error:
        return False, str(error)
