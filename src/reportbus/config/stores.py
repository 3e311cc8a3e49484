"""Where the platform keeps what it works with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reportbus.config.addresses import DatabaseUrl
from reportbus.config.kinds import Location, Text
from reportbus.config.numbers import Integer, Number
from reportbus.config.options import Written, option

if TYPE_CHECKING:
    from pathlib import Path


_GIBIBYTE: Final = 2**30
_TOPIC: Final = r"[A-Za-z0-9._-]{1,249}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorktableSettings:
    """The table people put requests into."""

    path: Path = option(Location(), "The SQLite file.", default=Written("${REPORTBUS_HOME}/worktable.db"))


@dataclass(frozen=True, slots=True, kw_only=True)
class BusSettings:
    """The message bus between poller and orchestrator."""

    path: Path = option(Location(), "The SQLite file.", default=Written("${REPORTBUS_HOME}/bus.db"))
    topic: str = option(
        Text(_TOPIC, "a topic: letters, digits, dots, _ and -"),
        "The stream that requests are published to.",
        default="report-requests",
        variables=("KAFKA_TOPIC",),
    )
    retention_days: float = option(
        Number(0, 3_650, "days", above=True),
        "How long messages are kept that all groups have committed.",
        default=7.0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSettings:
    """The audit and status database."""

    url: str = option(
        DatabaseUrl(("sqlite", "postgresql")),
        "Where the ledger is: a SQLite file, or PostgreSQL.",
        default=Written("sqlite:///${REPORTBUS_HOME}/ledger.db"),
        secret=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StagingSettings:
    """Where finished reports wait for their deliveries."""

    root: Path = option(Location(), "The folder.", default=Written("${REPORTBUS_HOME}/staging"))
    retention_days: float = option(
        Number(0, 3_650, "days", above=True), "How long staged files are kept.", default=7.0
    )
    max_report_bytes: int = option(
        Integer(1, 1_024 * _GIBIBYTE, "bytes"),
        "The largest report that is taken from an engine.",
        default=5 * _GIBIBYTE,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretsSettings:
    """Where secrets are: variables REPORTBUS_SECRET_NAME, and files in a folder."""

    folder: Path = option(
        Location(), "The folder with secrets, one a file.", default=Written("${REPORTBUS_HOME}/secrets")
    )
