"""Engines and destinations as lists show them: their limits, and where destinations lead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from reportbus.entry.cli.table import Column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reportbus.config import Settings

LIMIT_COLUMNS: Final = (
    Column("TYPE"),
    Column("STATE"),
    Column("TIMEOUT", right=True),
    Column("RETRIES", right=True),
    Column("AT ONCE", right=True),
)


class Limited(Protocol):
    """What engines and destinations have in common."""

    @property
    def type(self) -> str:
        """Which adapter it is."""

    @property
    def enabled(self) -> bool:
        """Whether it is in use."""

    @property
    def adapter(self) -> bool:
        """Whether this version can reach it."""

    @property
    def timeout_seconds(self) -> float:
        """How long an attempt may take."""

    @property
    def retry_count(self) -> int | None:
        """Its own number of retries."""

    @property
    def max_concurrency(self) -> int | None:
        """How much is done at once."""


def limits_of(name: str, limited: Limited, settings: Settings) -> dict[str, object]:
    """Name and limits, as JSON has them."""
    own = limited.retry_count
    return {
        "name": name,
        "type": limited.type,
        "state": _state(limited),
        "timeout_seconds": limited.timeout_seconds,
        "retry_count": settings.retry.max_retries if own is None else own,
        "max_concurrency": limited.max_concurrency,
    }


def cells_of(limits: Mapping[str, object]) -> Sequence[object]:
    """The same as the cells of a table."""
    return [_cell(value) for value in limits.values()]


def places(settings: Settings) -> dict[str, str]:
    """Where each destination leads that has a folder of this machine."""
    from reportbus.config.destinations import EmailSettings, NasSettings

    found = {}
    for name, target in settings.destinations.items():
        match target:
            case NasSettings():
                found[name] = str(target.root)
            case EmailSettings():
                found[name] = str(target.maildir)
    return found


def _state(limited: Limited) -> str:
    if not limited.adapter:
        return "no adapter"
    return "enabled" if limited.enabled else "switched off"


def _cell(value: object) -> object:
    match value:
        case float():
            return f"{value:g} s"
        case None:
            return "no limit"
        case _:
            return value
