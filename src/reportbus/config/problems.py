"""Everything wrong with a configuration, all of it at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reportbus.core.errors import Problem, ReportbusError
from reportbus.core.redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reportbus.config.nodes import Where


NO_ADAPTER: Final = "has no adapter yet"
"""What is said of a type that is known, and that this version cannot reach."""


class ConfigurationRefused(ReportbusError):
    """A configuration that breaks the rules. `problems` holds all of them; `code` is the first one's."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        if not self.problems:
            msg = "a refusal needs at least one problem"
            raise ValueError(msg)
        super().__init__(self.problems[0].code, "; ".join(str(problem) for problem in self.problems))


class Unfit(Exception):
    """What one value or file breaks: (code, sentence, place) each; no place where the reader knows it."""

    def __init__(self, *faults: tuple[str, str, Where | None]) -> None:
        super().__init__(*faults)
        self.faults = faults


def unfit(code: str, text: str, where: Where | None = None) -> Unfit:
    """An `Unfit` with one fault."""
    return Unfit((code, text, where))


class Problems:
    """A list of problems in the making. Nothing that looks like a secret gets in."""

    def __init__(self) -> None:
        self._found: dict[Problem, tuple[int, int]] = {}
        self._sources: dict[str, int] = {}
        self._redactor = Redactor()

    def add(self, code: str, text: str, where: Where | None = None, name: str = "") -> None:
        """Note a fault of the setting `name`, given at `where`; noting the same twice changes nothing."""
        field = ": ".join(part for part in (str(where or ""), name) if part)
        source = self._sources.setdefault(where.source if where else "", len(self._sources))
        problem = Problem(code, self._redactor.redact(text), field)
        self._found.setdefault(problem, (source, where.line if where else 0))

    def add_all(self, error: Unfit, where: Where | None = None, name: str = "") -> None:
        """Note the faults of one value; those without a place of their own are at `where`."""
        for code, text, place in error.faults:
            self.add(code, text, place or where, name)

    def __bool__(self) -> bool:
        return bool(self._found)

    def refusal(self) -> ConfigurationRefused:
        """The error that says all of them; those of one file stand together, by line."""
        return ConfigurationRefused(sorted(self._found, key=self._found.__getitem__))
