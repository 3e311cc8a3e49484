"""Everything wrong with a configuration, all of it at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reportbus.core.errors import PlacedProblem, ReportbusError
from reportbus.core.redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from reportbus.config.settings import Settings
    from reportbus.core.where import Where


NO_ADAPTER: Final = "has no adapter yet"
"""What is said of a type that is known, and that this version cannot reach."""


class ConfigurationRefused(ReportbusError):
    """A configuration that breaks the rules. `problems` holds all of them; `code` is the first one's.

    `settings` is what could be read all the same, None where that is not enough; options, entries and files
    named in `unread` could not.
    """

    def __init__(
        self,
        problems: Iterable[PlacedProblem],
        settings: Settings | None = None,
        unread: Collection[str] = (),
    ) -> None:
        self.problems = tuple(in_order(problems))
        self.settings = settings
        self.unread = frozenset(unread)
        if not self.problems:
            msg = "a refusal needs at least one problem"
            raise ValueError(msg)
        super().__init__(self.problems[0].code, "; ".join(str(problem) for problem in self.problems))


def in_order(problems: Iterable[PlacedProblem]) -> list[PlacedProblem]:
    """Those of one file together, by line; files in the order of their first problems."""
    listed = list(problems)
    sources: dict[str, int] = {}
    for problem in listed:
        sources.setdefault(problem.where.source if problem.where else "", len(sources))

    def place(problem: PlacedProblem) -> tuple[int, int]:
        where = problem.where
        return (sources[where.source], where.line) if where else (sources[""], 0)

    return sorted(listed, key=place)


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
        self._found: dict[PlacedProblem, None] = {}
        self._redactor = Redactor()

    def add(self, code: str, text: str, where: Where | None = None, name: str = "") -> None:
        """Note a fault of the setting `name`, given at `where`; noting the same twice changes nothing."""
        self._found.setdefault(PlacedProblem(code, self._redactor.redact(text), name, where))

    def add_all(self, error: Unfit, where: Where | None = None, name: str = "") -> None:
        """Note the faults of one value; those without a place of their own are at `where`."""
        for code, text, place in error.faults:
            self.add(code, text, place or where, name)

    def __bool__(self) -> bool:
        return bool(self._found)

    def refusal(self, settings: Settings | None = None, unread: Collection[str] = ()) -> ConfigurationRefused:
        """The error that says all of them, with what could be read, and what could not."""
        return ConfigurationRefused(self._found, settings, unread)
