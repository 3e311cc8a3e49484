"""The definition of a data export, as a file `config/reports/<name>.yaml` holds it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from reportbus.adapters.engines.python.declared import read_parameter
from reportbus.adapters.engines.python.fields import Fields, hint
from reportbus.adapters.engines.python.statement import Statement
from reportbus.adapters.engines.python.styles import (
    AGGREGATES,
    ChartStyle,
    ColumnStyle,
    read_chart,
    read_column,
)
from reportbus.core.text import quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from reportbus.adapters.engines.python.fields import DefinitionFile
    from reportbus.adapters.engines.python.parameters import Parameter
    from reportbus.core.model import JsonValue

FORMATS: Final = ("CSV", "XLSX", "PARQUET", "JSONL", "HTML", "PDF")
"""The formats an export can have."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/ -]{0,254}")
_PARAMETER_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)
_LONGEST_SQL: Final = 100_000
_MOST_PARAMETERS: Final = 100
_MOST_ROWS: Final = 10**12


@dataclass(frozen=True, slots=True)
class ReportDefinition:
    """One data export.

    `landscape` is None where the width of the table decides, `max_rows` None for no limit. `formula_guard` is
    whether text that a spreadsheet would take for a formula is defused.
    """

    name: str
    title: str
    statement: Statement
    connection: str
    description: str = ""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    formats: tuple[str, ...] = FORMATS
    columns: Mapping[str, ColumnStyle] = field(default_factory=dict)
    totals: Mapping[str, str] = field(default_factory=dict)
    chart: ChartStyle | None = None
    landscape: bool | None = None
    formula_guard: bool = True
    max_rows: int | None = None

    @classmethod
    def parse(
        cls,
        mapping: Mapping[str, JsonValue],
        file: DefinitionFile,
        *,
        connections: Collection[str] | None = None,
    ) -> ReportDefinition:
        """The definition in a decoded file. Raises Refused with every problem.

        `connections` are the names it may use; without them any will do.
        """
        fields = Fields(dict(mapping), file)
        name = fields.text("name", required=True, longest=255)
        if name and not _NAME.fullmatch(name):
            fields.note(
                "CFG_RANGE", "has to be letters, digits, blanks and . _ / -, beginning with one", "name"
            )
        statement = Statement.parse(fields.text("sql", required=True, longest=_LONGEST_SQL))
        parameters = _parameters(fields, statement)
        definition = cls(
            name=name,
            title=fields.text("title", name, longest=200),
            statement=statement,
            connection=_connection(fields, connections),
            description=fields.text("description"),
            parameters=parameters,
            formats=_formats(fields),
            columns={
                column: read_column(fields.within(f"columns.{column}", style))
                for column, style in fields.items("columns").items()
            },
            totals=_totals(fields),
            chart=read_chart(fields.within("chart", chart))
            if (chart := fields.raw("chart")) is not None
            else None,
            landscape=None if fields.raw("landscape") is None else fields.flag("landscape", default=False),
            formula_guard=fields.flag("formula_guard", default=True),
            max_rows=fields.integer("max_rows", 0, least=1, most=_MOST_ROWS) or None,
        )
        fields.done()
        fields.refuse()
        return definition


def _connection(fields: Fields, known: Collection[str] | None) -> str:
    name = fields.text("connection", required=True, longest=64)
    if name and known is not None and name not in known:
        fields.note("CFG_CHOICE", f"no connection {quoted(name)}; {hint(name, known)}", "connection")
    return name


def _parameters(fields: Fields, statement: Statement) -> dict[str, Parameter]:
    declared = fields.items("parameters")
    if len(declared) > _MOST_PARAMETERS:
        fields.note("CFG_LIMIT", f"has {len(declared)} parameters; at most {_MOST_PARAMETERS}", "parameters")
    for name in declared:
        if not _PARAMETER_NAME.fullmatch(name):
            fields.note("CFG_RANGE", "a parameter's name is letters, digits and _", f"parameters.{name}")
        elif name not in statement.names:
            fields.note("CFG_REPORT_SQL", f"the SQL does not use ${name}", f"parameters.{name}")
    for name in sorted(statement.names - set(declared)):
        fields.note("CFG_REPORT_SQL", f"${name} is no declared parameter; {hint(name, declared)}", "sql")
    return {
        name: read_parameter(name, fields.within(f"parameters.{name}", keys))
        for name, keys in declared.items()
    }


def _formats(fields: Fields) -> tuple[str, ...]:
    wanted = fields.texts("formats")
    for name in wanted:
        if name not in FORMATS:
            fields.note("CFG_CHOICE", f"no format {name[:40]!r}; {hint(name.upper(), FORMATS)}", "formats")
    return wanted or FORMATS


def _totals(fields: Fields) -> dict[str, str]:
    totals = fields.within("totals", dict(fields.items("totals")))
    found = {column: totals.choice(column, AGGREGATES, required=True) for column in fields.items("totals")}
    totals.done()
    return found
