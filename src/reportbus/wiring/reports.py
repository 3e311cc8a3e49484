"""The definitions of the Python engine's reports, read and judged before any is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reportbus.config.engines import PythonSettings
from reportbus.config.problems import ConfigurationRefused
from reportbus.core.errors import Permanent, PlacedProblem, Refused
from reportbus.core.where import Where
from reportbus.wiring.connections import connection_settings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from reportbus.adapters.engines.python.definition import ReportDefinition
    from reportbus.adapters.engines.python.script_definition import ScriptDefinition
    from reportbus.config.reports import ReportFile
    from reportbus.config.settings import Settings


@dataclass(slots=True)
class Definitions:
    """What one engine's files define, and what is wrong with them."""

    exports: list[ReportDefinition] = field(default_factory=list)
    scripts: list[ScriptDefinition] = field(default_factory=list)
    problems: list[PlacedProblem] = field(default_factory=list)


def definitions(
    settings: Settings, name: str, engine: PythonSettings, unread: Collection[str] = ()
) -> Definitions:
    """The definitions of the Python engine `name`; what is `unread` of the configuration is not missed."""
    found = Definitions()
    connections = _connections(name, engine, unread)
    files = settings.reports.get(name, ())
    for file in files:
        try:
            _read(file, engine, connections, found)
        except Refused as refusal:
            found.problems += [each for each in refusal.problems if isinstance(each, PlacedProblem)]
    found.problems += _named_twice(files)
    return found


def complete(refusal: ConfigurationRefused, *, sql: bool = False) -> ConfigurationRefused:
    """The refusal of a configuration with the problems of its reports as well, one for each line."""
    if refusal.settings is None:
        return refusal
    told = {(each.where.source, each.where.line) for each in refusal.problems if each.where}
    further = [
        each
        for each in problems(refusal.settings, refusal.unread, sql=sql)
        if each.where is None or (each.where.source, each.where.line) not in told
    ]
    return ConfigurationRefused((*refusal.problems, *further), refusal.settings, refusal.unread)


def problems(settings: Settings, unread: Collection[str] = (), *, sql: bool = False) -> list[PlacedProblem]:
    """Everything wrong with the definitions; with `sql` also with their SQL, which loads a parser."""
    found: list[PlacedProblem] = []
    for name, engine in settings.engines.items():
        if engine.enabled and isinstance(engine, PythonSettings):
            found += definitions(settings, name, engine, unread).problems
            if sql:
                found += _about_sql(engine, settings.reports.get(name, ()))
    return found


def _read(
    file: ReportFile, engine: PythonSettings, connections: Collection[str] | None, found: Definitions
) -> None:
    from reportbus.adapters.engines.python.definition import ReportDefinition
    from reportbus.adapters.engines.python.fields import DefinitionFile
    from reportbus.adapters.engines.python.script_definition import ScriptDefinition

    known = DefinitionFile(file.where, file.lines)
    if "script" in file.values:
        rules = engine.scripts
        script = ScriptDefinition.parse(
            file.values, known, folder=rules.folder, hash_required=rules.sha256_required
        )
        found.scripts.append(script)
    else:
        found.exports.append(ReportDefinition.parse(file.values, known, connections=connections))


def _connections(name: str, engine: PythonSettings, unread: Collection[str]) -> Collection[str] | None:
    """The names of the engine's connections, also of those that could not be read; None if nobody knows."""
    path = f"engines.{name.lower()}.connections"
    if any(path == each or path.startswith(f"{each}.") for each in unread):
        return None
    below = f"{path}."
    broken = sorted(each.removeprefix(below) for each in unread if each.startswith(below))
    options_of = tuple(f"{each}." for each in (*engine.connections, *broken))
    return [*engine.connections, *(each for each in broken if not each.startswith(options_of))]


def _named_twice(files: Collection[ReportFile]) -> Iterator[PlacedProblem]:
    first: dict[str, Where] = {}
    for file in files:
        name, where = file.values.get("name"), Where(file.where, file.lines.get("name", 0))
        if not isinstance(name, str):
            continue
        if name in first:
            fault = f"two reports have the name {name!r}, the other one in {first[name]}"
            yield PlacedProblem("CFG_INCONSISTENT", fault, "name", where)
        first.setdefault(name, where)


def _about_sql(engine: PythonSettings, files: Collection[ReportFile]) -> Iterator[PlacedProblem]:
    from reportbus.adapters.engines.python.sources import judge
    from reportbus.adapters.engines.python.statement import Statement

    for file in files:
        sql, name = file.values.get("sql"), file.values.get("connection")
        connection = engine.connections.get(name) if isinstance(name, str) else None
        if connection is None or not isinstance(sql, str):
            continue
        try:
            judge(connection_settings(connection), Statement.parse(sql))
        except Permanent as error:
            yield PlacedProblem(error.code, error.text, "sql", Where(file.where, file.lines.get("sql", 0)))
