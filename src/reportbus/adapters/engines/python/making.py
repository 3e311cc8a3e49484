"""The making of one export: run its query, write its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reportbus.adapters.engines.python.columns import columns_of, declared_types
from reportbus.adapters.engines.python.formats import writer
from reportbus.adapters.engines.python.formats.text import shortened
from reportbus.adapters.engines.python.report import Report
from reportbus.adapters.engines.python.sources.source import Query
from reportbus.adapters.engines.python.watch import Watch
from reportbus.ports import Produced

if TYPE_CHECKING:
    from reportbus.adapters.engines.python.definition import ReportDefinition
    from reportbus.adapters.engines.python.parameters import Given
    from reportbus.adapters.engines.python.sources.source import Source
    from reportbus.ports import StagedWriter, Work

_MOST_SHOWN: Final = 10  # items of a list
_LONGEST_SHOWN: Final = 200  # characters of a value


def make(definition: ReportDefinition, source: Source, work: Work, sink: StagedWriter) -> Produced:
    """Make one report whose parameters are known to be good."""
    request = work.request
    values = {
        name: parameter.given(request.parameters, request.requested_at)
        for name, parameter in definition.parameters.items()
    }
    query = Query(definition.statement, values, declared_types(definition.columns))
    with Watch(work) as watch, source.run(query, watch) as stream:
        report = Report(
            definition=definition,
            parameters=tuple((name, shown(value)) for name, value in values.items()),
            requested_at=request.requested_at,
            columns=columns_of(stream.schema, definition.columns),
            source=stream.batches,
            watch=watch,
        )
        writer(request.format)(report, sink)
    return Produced(rows=report.rows, note="; ".join(report.notes))


def shown(value: Given) -> str:
    """A parameter's value as a reader of the report is shown it: what is long, by its beginning."""
    match value:
        case None | ():
            return "not given"
        case tuple() if len(value) > _MOST_SHOWN + 1:
            items = ", ".join(map(shown, value[:_MOST_SHOWN]))
            return f"{items} … and {len(value) - _MOST_SHOWN:,} more"
        case tuple():
            return ", ".join(map(shown, value))
        case bool():
            return "yes" if value else "no"
        case _:
            return shortened(str(value), _LONGEST_SHOWN)
