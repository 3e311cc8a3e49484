"""File-name templates: Jinja's syntax for names and a few filters, and nothing else of Jinja.

    {{ report | lower }}/{{ as_of | date("%Y-%m") }}_{{ region | default("all") }}.pdf

A value never leads to another folder: each becomes part of one name, and "/" comes from the template alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from unicodedata import normalize

from reportbus.core.errors import Problem, Refused
from reportbus.core.paths import as_component, name_faults
from reportbus.core.text import have, one_line, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportbus.core.model import JsonValue
    from reportbus.core.placeholders import Part, Placeholder

MAX_TEMPLATE: Final = 1_000
"""Characters of a template."""

_SHOWN_NAME: Final = 40  # characters of the name of a value that there is instead

_BAD_SOURCE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\\]")


@dataclass(frozen=True, slots=True)
class Template:
    """A template that was read and found good. `field` is what problems with it are about."""

    parts: tuple[Part, ...]
    field: str = "file_name"

    def render(self, values: Mapping[str, JsonValue]) -> str:
        """The file name, with folders where the template puts them, in NFC: a name that every target takes.

        A placeholder without value needs `default`. Raises Refused with all of TPL_UNKNOWN_NAME, TPL_VALUE
        and TPL_LIMIT, or with TPL_BAD_NAME.
        """
        name = "".join(
            part if isinstance(part, str) else as_component(text, leading=part.leading)
            for part, text in self._texts(values)
        )
        if not name.isascii():
            name = normalize("NFC", name)
        faults = name_faults(name)
        if faults:
            raise Refused(Problem("TPL_BAD_NAME", fault, self.field) for fault in faults)
        return name

    def render_line(self, values: Mapping[str, JsonValue]) -> str:
        """The same template as one line of text, a subject: values as they are, but escaped by `one_line`.

        Raises Refused as `render` does, but never TPL_BAD_NAME.
        """
        return "".join(one_line(text) for _, text in self._texts(values))

    def _texts(self, values: Mapping[str, JsonValue]) -> list[tuple[Part, str]]:
        problems: list[Problem] = []
        texts: list[tuple[Part, str]] = []
        for part in self.parts:
            if isinstance(part, str):
                texts.append((part, part))
            elif part.optional or part.name in values:
                try:
                    texts.append((part, part.text(values.get(part.name), self.field)))
                except Refused as refusal:
                    problems.extend(refusal.problems)
            else:
                problems.append(self._unknown(part, values))
        if problems:
            raise Refused(problems)
        return texts

    def _unknown(self, part: Placeholder, values: Mapping[str, JsonValue]) -> Problem:
        there = have(one_line(name, _SHOWN_NAME) for name in values)
        return Problem("TPL_UNKNOWN_NAME", f"there is no value {quoted(part.name)}; {there}", self.field)


def compile_template(source: str, *, field: str = "file_name") -> Template:
    """The template that `source` is; read once and kept.

    Raises Refused: TPL_SYNTAX (line, column), TPL_FORBIDDEN, TPL_LIMIT, TPL_TZ, TPL_BAD_NAME.
    """
    compiled = _compiled(source, field)
    if isinstance(compiled, Template):
        return compiled
    raise Refused(compiled)


@lru_cache(maxsize=4_096)
def _compiled(source: str, field: str) -> Template | tuple[Problem, ...]:
    """As compile_template; a refusal is kept as well, so that a bad template costs its reading once."""
    if len(source) > MAX_TEMPLATE:
        fault = f"has {len(source)} characters; a template has at most {MAX_TEMPLATE:,}"
        return (Problem("TPL_LIMIT", fault, field),)
    bad = _BAD_SOURCE.search(source)
    if bad:
        fault = f"holds U+{ord(bad[0]):04X}; a template has no backslash and no control character"
        return (Problem("TPL_BAD_NAME", fault, field),)
    if "{" not in source:
        return Template((source,), field)
    from reportbus.core.template_syntax import parse  # noqa: PLC0415 - most commands never need Jinja

    try:
        return Template(parse(source, field), field)
    except Refused as refusal:
        return refusal.problems
