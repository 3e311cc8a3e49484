"""One SQL statement with named parameters, `$name`, which are bound and never pasted into the text.

`$name` is found outside of strings, quoted names, comments and dollar-quoted text. Each database gets the
spelling it knows; a parameter that is a list becomes as many parameters as it has items, so `IN ($regions)`
works everywhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TOKEN: Final = re.compile(
    r"""(?P<skip> (?<!\w)[Ee]'(?:[^'\\]|''|\\.)*'      # a string with escapes
                | '(?:[^']|'')*'                      # a string
                | "(?:[^"]|"")*"                      # a quoted name
                | --[^\n]*                            # a comment to the end of its line
                | /\*.*?\*/                           # a comment
                | (?P<tag>\$(?:[A-Za-z_]\w*)?\$).*?(?P=tag)   # dollar-quoted text
        )
      | (?<![\w$])\$(?P<name>[A-Za-z_]\w*)""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Text:
    """A stretch of SQL that is passed on as it is."""

    sql: str


@dataclass(frozen=True, slots=True)
class Name:
    """The place of a parameter."""

    name: str


@dataclass(frozen=True, slots=True)
class Bound:
    """A statement as one database takes it. `values` is a tuple where they go by position."""

    sql: str
    values: tuple[Any, ...] | dict[str, Any]


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL cut into text and parameters."""

    parts: tuple[Text | Name, ...]

    @classmethod
    def parse(cls, sql: str) -> Statement:
        """The statement written as `sql`; a closing semicolon is dropped."""
        parts: list[Text | Name] = []
        position = 0
        sql = sql.strip().removesuffix(";").rstrip()
        for match in _TOKEN.finditer(sql):
            if name := match["name"]:
                parts += [Text(sql[position : match.start()]), Name(name)]
                position = match.end()
        return cls((*parts, Text(sql[position:])))

    @property
    def names(self) -> frozenset[str]:
        """The names of its parameters."""
        return frozenset(part.name for part in self.parts if isinstance(part, Name))

    @property
    def sql(self) -> str:
        """The text as it was written."""
        return "".join(part.sql if isinstance(part, Text) else f"${part.name}" for part in self.parts)

    @property
    def bare(self) -> str:
        """The text without comments, and with nothing left of strings and quoted names."""
        return _TOKEN.sub(lambda match: f" {match['name'] or ''} ", self.sql)

    def bind(
        self,
        values: Mapping[str, object],
        style: str = "dollar",
        adapt: Callable[[Any], Any] = lambda value: value,
    ) -> Bound:
        """The statement and its values in a database's spelling.

        `style` is "dollar" ($name), "numeric_dollar" ($1), "escaped_named" (:name, other colons
        escaped), or one of the DB-API's: named, pyformat, qmark,
        format, numeric. `adapt` turns a value into what the driver takes.
        """
        place = _Places(style, adapt)
        sql = "".join(
            place.text(part.sql) if isinstance(part, Text) else place.parameter(part.name, values[part.name])
            for part in self.parts
        )
        return Bound(sql, place.bound())


_BY_NAME: Final = {"dollar": "${}", "named": ":{}", "escaped_named": ":{}", "pyformat": "%({})s"}
_BY_POSITION: Final = {"numeric_dollar": "${}", "numeric": ":{}", "qmark": "?", "format": "%s"}
_PERCENT_DOUBLED: Final = frozenset({"pyformat", "format"})


class _Places:
    """The parameters of one statement, as they get their places."""

    def __init__(self, style: str, adapt: Callable[[Any], Any]) -> None:
        self._style = style
        self._adapt = adapt
        self._named: dict[str, Any] = {}
        self._positional: list[Any] = []

    def text(self, sql: str) -> str:
        if self._style == "escaped_named":
            return sql.replace(":", r"\:")
        return sql.replace("%", "%%") if self._style in _PERCENT_DOUBLED else sql

    def parameter(self, name: str, value: object) -> str:
        if not isinstance(value, tuple):
            return self._place(name, value)
        if not value:
            return "NULL"  # IN (NULL) is true for nothing: a list without items asks for no row
        return ", ".join(self._place(f"{name}_{number}", item) for number, item in enumerate(value, 1))

    def bound(self) -> tuple[Any, ...] | dict[str, Any]:
        return self._named if self._style in _BY_NAME else tuple(self._positional)

    def _place(self, name: str, value: object) -> str:
        if self._style in _BY_NAME:
            self._named[name] = self._adapt(value)
            return _BY_NAME[self._style].format(name)
        self._positional.append(self._adapt(value))
        return _BY_POSITION[self._style].format(len(self._positional))
