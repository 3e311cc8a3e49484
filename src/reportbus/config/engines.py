"""The engines: `config/engines.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from reportbus.config.addresses import Endpoint, SecretName
from reportbus.config.connections import CONNECTIONS, ConnectionSettings
from reportbus.config.kinds import Choice, Location, Switch, Text
from reportbus.config.numbers import Integer, Number
from reportbus.config.options import Entries, Written, entries, option, section
from reportbus.config.problems import NO_ADAPTER

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """What all engines have. `name` is the report type, in capitals; `type` says which engine makes it.

    `adapter` is whether this version can reach engines of the type.
    """

    adapter: ClassVar[bool] = False
    name: str
    type: str
    enabled: bool = option(Switch(), "Whether requests of this report type are taken.", default=True)
    timeout_seconds: float = option(
        Number(1, 86_400, "seconds"), "How long one attempt at a report may take.", default=300.0
    )
    retry_count: int | None = option(
        Integer(0, 20, "retries"),
        "Retries after a passing fault, in place of retry.max_retries.",
        default=None,
    )
    max_concurrency: int | None = option(
        Integer(1, 1_000, "reports"),
        "How many reports may be made at once, over all workers; no limit when left open.",
        default=None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ObieeSettings(EngineSettings):
    """Oracle BI Publisher."""

    endpoint: str = option(Endpoint(), "The server's address, up to and with /xmlpserver.")
    auth_type: str = option(Choice(("basic",)), "How to log in.", default="basic")
    credentials_secret: str | None = option(
        SecretName(), "The secret with `username` and `password`.", default=None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerBiSettings(EngineSettings):
    """Power BI."""

    tenant_id: str = option(Text(), "The Entra tenant.")
    client_id: str = option(Text(), "The application that logs in.")
    workspace_id: str = option(Text(), "The workspace that holds the reports.")
    auth_type: str = option(Choice(("service_principal",)), "How to log in.", default="service_principal")
    credentials_secret: str | None = option(
        SecretName(), "The secret with the application's `client_secret`.", default=None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MidasSettings(EngineSettings):
    """MIDAs."""

    endpoint: str = option(Endpoint(), "The API's address, with its version.")
    auth_type: str = option(Choice(("api_key",)), "How to log in.", default="api_key")
    api_key_secret: str | None = option(SecretName(), "The secret with the `api_key`.", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SsrsSettings(EngineSettings):
    """SQL Server Reporting Services."""

    endpoint: str = option(Endpoint(), "The server's address, up to and with /ReportServer.")
    auth_type: str = option(Choice(("ntlm", "basic")), "How to log in.", default="ntlm")
    credentials_secret: str | None = option(
        SecretName(), "The secret with `username`, `password` and, for NTLM, `domain`.", default=None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptsSettings:
    """Reports that registered Python files make."""

    folder: Path = option(
        Location(in_config=True),
        "The folder with the scripts.",
        default=Written("${REPORTBUS_CONFIG}/scripts"),
    )
    sha256_required: bool = option(
        Switch(),
        "Whether a definition has to name its script's SHA-256, so that only reviewed ones run.",
        default=False,
    )
    isolation: str = option(
        Choice(("auto", "namespaces", "user", "limits")),
        "How far a script is kept apart from the machine; auto takes the furthest that works here.",
        default="auto",
    )
    scratch: Path = option(
        Location(), "Where scripts have their private folders.", default=Written("${REPORTBUS_HOME}/scratch")
    )
    interpreter: Path | None = option(
        Location(), "The Python that runs them; without one, the platform's own.", default=None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonSettings(EngineSettings):
    """The Python engine: reports from a query and from registered scripts."""

    adapter: ClassVar[bool] = True
    reports: Path = option(
        Location(in_config=True),
        "The folder with the reports' definitions, one a file.",
        default=Written("${REPORTBUS_CONFIG}/reports"),
    )
    connections: Mapping[str, ConnectionSettings] = entries(CONNECTIONS, ConnectionSettings)
    scripts: ScriptsSettings = section(ScriptsSettings)


ENGINES: Final = Entries(
    what="engine",
    types={
        "obiee": ObieeSettings,
        "powerbi": PowerBiSettings,
        "midas": MidasSettings,
        "ssrs": SsrsSettings,
        "python": PythonSettings,
    },
    common=EngineSettings,
    default={"python": {}},
    named_by_type=True,
    capitals=True,
)


def absence(name: str, engines: Mapping[str, EngineSettings]) -> str:
    """Why no engine makes reports of the type `name`, as the end of a sentence about it."""
    engine = engines.get(name)
    cls = ENGINES.types.get(name.lower()) if engine is None else type(engine)
    if cls is not None and issubclass(cls, EngineSettings) and not cls.adapter:
        return NO_ADAPTER
    return "is not configured" if engine is None else "is switched off"
