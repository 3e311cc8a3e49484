"""A mapping of a configuration file, read key by key: every problem is kept, none stops the reading."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING

from reportbus.core.errors import PlacedProblem, Refused
from reportbus.core.text import have, quoted
from reportbus.core.where import Where

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from reportbus.core.model import JsonValue


@dataclass(frozen=True, slots=True)
class DefinitionFile:
    """A file and what is wrong with it. `lines` are those of its keys, by their whole names."""

    name: str
    lines: Mapping[str, int] = field(default_factory=dict)
    problems: list[PlacedProblem] = field(default_factory=list)

    def note(self, code: str, text: str, key: str, at: str) -> None:
        """Keep a problem with `key`, told with the line of `at`, or of what that is within."""
        while at and at not in self.lines:
            at = at[: max(at.rfind("."), at.rfind("["), 0)]
        where = Where(self.name, self.lines.get(at, 0))
        self.problems.append(PlacedProblem(code, text, key, where))


class Fields:
    """The keys of one mapping of a file, which is found there below the key `path`; "" is the whole file."""

    def __init__(self, mapping: JsonValue, file: DefinitionFile, path: str = "") -> None:
        self._file = file
        self._path = path
        self._taken: set[str] = set()
        self._mapping: Mapping[str, JsonValue] = {}
        if isinstance(mapping, dict):
            self._mapping = mapping
        else:
            self.note("CFG_TYPE", "has to be a mapping of names to values")

    def note(self, code: str, text: str, key: str = "", *, at: str = "") -> None:
        """Keep a problem with one key, or with the mapping itself; its line is that of the key `at`."""
        self._file.note(code, text, self._full(key), self._full(at or key))

    def refuse(self) -> None:
        """Raise Refused if there is any problem, here or in another mapping of the file."""
        if self._file.problems:
            raise Refused(self._file.problems)

    def raw(self, key: str) -> JsonValue:
        """The value as it is, None where there is none; the key counts as known."""
        self._taken.add(key)
        return self._mapping.get(key)

    def text(self, key: str, default: str = "", *, required: bool = False, longest: int = 4_000) -> str:
        """A text of at most `longest` characters."""
        value = self.raw(key)
        if value is None:
            if required:
                self.note("CFG_MISSING", "is required", key)
            return default
        if not isinstance(value, str):
            self.note("CFG_TYPE", "has to be text; write it in quotes", key)
            return default
        if len(value) > longest or (required and not value.strip()):
            self.note("CFG_RANGE", f"has to have 1 to {longest} characters; has {len(value)}", key)
        return value

    def integer(self, key: str, default: int, *, least: int, most: int) -> int:
        """A whole number from `least` to `most`."""
        value = self.raw(key)
        if value is None:
            return default
        if type(value) is not int:
            self.note("CFG_TYPE", "has to be a whole number", key)
            return default
        if not least <= value <= most:
            self.note("CFG_RANGE", f"has to be from {least} to {most}; is {value}", key)
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self.raw(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.note("CFG_TYPE", "has to be true or false", key)
            return default
        return value

    def choice(self, key: str, allowed: Collection[str], default: str = "", *, required: bool = False) -> str:
        """One of the allowed words."""
        value = self.text(key, default, required=required)
        if value and value not in allowed:
            self.note("CFG_CHOICE", f"no {quoted(value)}; {hint(value, allowed)}", key)
            return default
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; one text alone will do."""
        value = self.raw(key)
        items = [value] if isinstance(value, str) else value
        if items is None:
            return ()
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            self.note("CFG_TYPE", "has to be a list of texts", key)
            return ()
        return tuple(str(item) for item in items)

    def items(self, key: str) -> Mapping[str, JsonValue]:
        """A mapping of names to anything; empty where there is none."""
        value = self.raw(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.note("CFG_TYPE", "has to be a mapping of names to values", key)
            return {}
        return value

    def within(self, key: str, mapping: JsonValue) -> Fields:
        """The mapping found below `key`."""
        return Fields(mapping, self._file, self._full(key))

    def done(self) -> None:
        """Keep a problem for each key nobody asked for."""
        for key in self._mapping:
            if key not in self._taken:
                self.note("CFG_UNKNOWN_FIELD", f"no key {quoted(key)}; {hint(key, self._taken)}", at=key)

    def _full(self, key: str) -> str:
        return ".".join(part for part in (self._path, key) if part)


def hint(word: str, known: Collection[str]) -> str:
    """The nearest known word, or all of them."""
    near = get_close_matches(word, known, n=1)
    return f"did you mean {near[0]!r}?" if near else have(map(repr, known))
