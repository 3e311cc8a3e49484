"""Data exports: the half of the Python engine that makes reports from queries."""

from __future__ import annotations

import threading
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Protocol

from reportbus.adapters.engines.python.asking import asking_faults
from reportbus.adapters.engines.python.sources import source_of
from reportbus.core.errors import Refused, ReportbusError
from reportbus.ports import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reportbus.adapters.engines.python.definition import ReportDefinition
    from reportbus.adapters.engines.python.settings import ConnectionSettings
    from reportbus.adapters.engines.python.sources.source import Source
    from reportbus.core.errors import Problem
    from reportbus.core.model import JsonValue
    from reportbus.ports import Produced, Secrets, StagedWriter, Work


class Connection:
    """One configured connection. Its database's library is loaded when it is first used."""

    def __init__(self, settings: ConnectionSettings, secrets: Secrets | None = None) -> None:
        self._settings = settings
        self._secrets = secrets
        self._lock = threading.Lock()
        self._source: Source | None = None

    def source(self) -> Source:
        """The source behind it, always the same."""
        with self._lock:
            if self._source is None:
                self._source = source_of(self._settings, self._secrets)
            return self._source

    def test(self) -> Verdict:
        """Fills `Resource`."""
        try:
            return self.source().test()
        except ReportbusError as error:
            return Verdict.refusing(error)

    def close(self) -> None:
        """Fills `Resource`."""
        with self._lock:
            if self._source is not None:
                self._source.close()


class ExportReport:
    """One data export of the catalogue: fills `Producer`."""

    def __init__(self, definition: ReportDefinition, connection: Connection) -> None:
        self._definition = definition
        self._connection = connection

    def check(self, parameters: Mapping[str, JsonValue], format_: str) -> Sequence[Problem]:
        """Fills `Producer`."""
        return asking_faults(self._definition, parameters, format_)

    def produce(self, work: Work, sink: StagedWriter) -> Produced:
        """Fills `Producer`."""
        problems = self.check(work.request.parameters, work.request.format)
        if problems:
            raise Refused(problems)
        make: Make = resolve_name("reportbus.adapters.engines.python.making:make")
        return make(self._definition, self._connection.source(), work, sink)


class Make(Protocol):
    """What `making` does, which is loaded with the first report since it brings Arrow along."""

    def __call__(
        self, definition: ReportDefinition, source: Source, work: Work, sink: StagedWriter
    ) -> Produced:
        """Make one report whose parameters are known to be good."""


def exports(
    definitions: Iterable[ReportDefinition], connections: Mapping[str, Connection]
) -> dict[str, ExportReport]:
    """The exports by name.

    Each definition names one of the connections, and no other one's name.
    """
    return {
        definition.name: ExportReport(definition, connections[definition.connection])
        for definition in definitions
    }
