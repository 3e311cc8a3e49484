"""Looking at every part that is configured without changing anything."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from reportbus.adapters.clock import SystemClock
from reportbus.core.errors import ReportbusError
from reportbus.wiring import looks
from reportbus.wiring.looks import LATER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from reportbus.config import Settings
    from reportbus.config.destinations import ChannelSettings, DestinationSettings
    from reportbus.core.redact import Redactor
    from reportbus.ports import Engine, Verdict

    Check = tuple[str, bool | None, str]


class _Tested(Protocol):
    """A destination or channel."""

    def test(self) -> Verdict:
        """Whether it works, and what to mend where it does not."""

    def close(self) -> None:
        """Let go of connections."""


def checks(settings: Settings, redactor: Redactor) -> Iterator[Check]:
    """Each part with whether it is well, and a sentence that says so or says what to mend.

    None stands for what there is no adapter for. `redactor` gets to know the secrets that are read.
    """
    yield "configuration", True, f"{len(settings.effective)} settings from {settings.config}"
    for hint in settings.hints:
        yield "configuration", True, hint
    yield "home", *_folder(settings.home)
    yield "worktable", *_told(lambda: looks.worktable(settings))
    yield "bus", *_told(lambda: looks.bus(settings))
    yield "ledger", *_told(lambda: looks.ledger(settings))
    yield "staging", *_folder(settings.staging.root)
    yield from _engines(settings, redactor)
    yield from _places(settings)


def without_adapter(settings: Settings) -> Iterator[tuple[str, str]]:
    """The engines that are configured and enabled and cannot be used, each with what that means."""
    from reportbus.config.problems import NO_ADAPTER

    for name, engine in settings.engines.items():
        if engine.enabled and not engine.adapter:
            yield name, f"{NO_ADAPTER}; requests for {name} are refused (VAL_ENGINE_DISABLED)"


@contextmanager
def engines_of(settings: Settings, redactor: Redactor) -> Iterator[Mapping[str, Engine]]:
    """The engines, without any other part.

    Raises ConfigurationRefused where a report's definition is no good.
    """
    from reportbus.wiring.engines import engines
    from reportbus.wiring.secrecy import secrets

    with ExitStack() as opened:
        made = engines(settings, secrets(settings, SystemClock(), redactor))
        for engine in made.values():
            opened.callback(engine.close)
        yield made


def _engines(settings: Settings, redactor: Redactor) -> Iterator[Check]:
    from reportbus.wiring.reports import problems

    wrong = problems(settings, sql=True)
    for problem in wrong:
        yield "engines", False, str(problem)
    if not wrong:
        with engines_of(settings, redactor) as engines:
            for name, engine in engines.items():
                yield f"engine {name}", *_verdict(engine.test)
    for name, text in without_adapter(settings):
        yield f"engine {name}", None, text


def _places(settings: Settings) -> Iterator[Check]:
    """Destinations and channels. Each is made alone: making all of them would make the folders of others."""
    from reportbus.wiring.catalogue import channels, destinations

    for name, target in settings.destinations.items():
        alone = replace(settings, destinations={name: target})
        made = partial(destinations, alone, SystemClock())
        yield from _place(f"destination {name}", target, settings.home, made)
    for name, channel in settings.channels.items():
        alone = replace(settings, channels={name: channel})
        yield from _place(f"channel {name}", channel, settings.home, partial(channels, alone, sys.stderr))


def _place(
    what: str,
    place: DestinationSettings | ChannelSettings,
    home: Path,
    make: Callable[[], Mapping[str, _Tested]],
) -> Iterator[Check]:
    folder = _folder_of(place)
    if place.enabled and folder is not None and folder.is_relative_to(home) and not folder.exists():
        yield what, True, f"{folder} is {LATER}"
        return
    try:
        found = make()
    except ReportbusError as error:
        yield what, False, str(error)
        return
    for made in found.values():
        try:
            yield what, *_verdict(made.test)
        finally:
            made.close()


def _folder_of(place: DestinationSettings | ChannelSettings) -> Path | None:
    from reportbus.config.destinations import EmailSettings, MaildirChannel, NasSettings

    match place:
        case NasSettings():
            return place.root
        case EmailSettings() | MaildirChannel():
            return place.maildir
        case _:
            return None


def _folder(path: Path) -> tuple[bool, str]:
    if not path.exists():
        return True, f"{path} is {LATER}"
    if not os.access(path, os.W_OK | os.X_OK):
        return False, f"{path} cannot be written to by this user"
    return True, f"{path} can be written to"


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
