"""What is wrong with asking for a report, whichever half of the engine makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportbus.adapters.engines.python.parameters import faults
from reportbus.core.errors import Problem
from reportbus.core.text import have, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Protocol

    from reportbus.adapters.engines.python.parameters import Parameter
    from reportbus.core.model import JsonValue

    class Definition(Protocol):
        """What both kinds of definition say of a report."""

        @property
        def name(self) -> str:
            """The report's name."""

        @property
        def formats(self) -> tuple[str, ...]:
            """The formats it can have."""

        @property
        def parameters(self) -> Mapping[str, Parameter]:
            """The parameters it takes."""


def asking_faults(
    definition: Definition, parameters: Mapping[str, JsonValue], format_: str
) -> Sequence[Problem]:
    """Everything wrong with asking for the defined report with these parameters in this format."""
    problems = list(faults(definition.parameters, parameters))
    if format_ not in definition.formats:
        text = f"report {definition.name!r} has no format {quoted(format_)}; {have(definition.formats)}"
        problems.insert(0, Problem("VAL_FORMAT", text, "DISTRIBUTION_CONFIG.format"))
    return problems
