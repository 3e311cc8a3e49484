"""The Python engine: a catalogue of reports, each an export or a registered script."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from reportbus.core.errors import Permanent, Problem
from reportbus.core.text import have, quoted
from reportbus.ports import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reportbus.adapters.engines.python.producer import Producer, Resource
    from reportbus.core.model import JsonValue
    from reportbus.ports import Produced, StagedWriter, Work

UNKNOWN: Final = "VAL_REPORT_UNKNOWN"


class PythonEngine:
    """Fills `Engine` from a catalogue of reports by name.

    `resources` are what those reports share: the engine tests them, and closes them with itself.
    """

    def __init__(self, catalogue: Mapping[str, Producer], resources: Iterable[Resource] = ()) -> None:
        self._catalogue = dict(catalogue)
        self._resources = tuple(resources)

    def check(self, report_name: str, parameters: Mapping[str, JsonValue], format_: str) -> Sequence[Problem]:
        report = self._catalogue.get(report_name)
        if report is None:
            return (Problem(UNKNOWN, self._unknown(report_name), "REPORT_NAME"),)
        return report.check(parameters, format_)

    def generate(self, work: Work, sink: StagedWriter) -> Produced:
        report = self._catalogue.get(work.request.report_name)
        if report is None:
            raise Permanent(UNKNOWN, self._unknown(work.request.report_name))
        return report.produce(work, sink)

    def test(self) -> Verdict:
        verdicts = [resource.test() for resource in self._resources]
        failed = [verdict.text for verdict in verdicts if not verdict.ok]
        if failed:
            return Verdict(ok=False, text="; ".join(failed))
        found = "; ".join(verdict.text for verdict in verdicts)
        count = len(self._catalogue)
        return Verdict(ok=True, text=f"{count} report{'s' * (count != 1)}" + (f"; {found}" if found else ""))

    def close(self) -> None:
        for resource in self._resources:
            resource.close()

    def _unknown(self, name: str) -> str:
        near = get_close_matches(name, self._catalogue, n=3)
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else have(map(repr, self._catalogue))
        return f"no report {quoted(name)}; {hint}"
