"""Engines, each adapter by the type its settings have."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from reportbus.config.engines import PythonSettings
from reportbus.config.problems import ConfigurationRefused
from reportbus.wiring.connections import connection_settings
from reportbus.wiring.reports import definitions

if TYPE_CHECKING:
    from reportbus.adapters.engines.python.producer import Producer, Resource
    from reportbus.config.settings import Settings
    from reportbus.ports import Engine, Secrets
    from reportbus.wiring.reports import Definitions


def engines(settings: Settings, secrets: Secrets) -> dict[str, Engine]:
    """The enabled engines there is an adapter for, by report type.

    Raises ConfigurationRefused with every problem of their report definitions.
    """
    defined = {
        name: (engine, definitions(settings, name, engine))
        for name, engine in settings.engines.items()
        if engine.enabled and isinstance(engine, PythonSettings)
    }
    problems = [problem for _, found in defined.values() for problem in found.problems]
    if problems:
        raise ConfigurationRefused(problems, settings)
    return {name: _python(engine, found, secrets) for name, (engine, found) in defined.items()}


def _python(engine: PythonSettings, defined: Definitions, secrets: Secrets) -> Engine:
    from reportbus.adapters.engines.python.engine import PythonEngine
    from reportbus.adapters.engines.python.exports import Connection, exports
    from reportbus.adapters.engines.python.sandbox import Sandbox
    from reportbus.adapters.engines.python.scripts import ScriptReport

    rules = engine.scripts
    connections = {
        name: Connection(connection_settings(connection), secrets)
        for name, connection in engine.connections.items()
    }
    sandbox = Sandbox(
        rules.scratch, isolation=rules.isolation, interpreter=str(rules.interpreter or sys.executable)
    )
    catalogue: dict[str, Producer] = {
        **{script.name: ScriptReport(script, sandbox) for script in defined.scripts},
        **exports(defined.exports, connections),
    }
    resources: list[Resource] = [*connections.values()]
    if defined.scripts:
        resources.append(sandbox)
    return PythonEngine(catalogue, resources)
