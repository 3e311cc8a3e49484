"""YAML read strictly: what two readers could take for two things, or what could harm the reader, is refused.

A file holds one document of names with values, in UTF-8. Refused: a name twice in one place, tags, merge keys
(`<<`), byte order marks, and what is larger, deeper or more often repeated than the limits allow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import yaml

from reportbus.config.composer import Composer
from reportbus.config.files import decoded, read_text
from reportbus.config.plain import json_values
from reportbus.config.problems import Problems, Unfit, unfit
from reportbus.core.where import Where

if TYPE_CHECKING:
    from pathlib import Path

    from reportbus.config.nodes import Table
    from reportbus.config.plain import Lines
    from reportbus.core.model import JsonValue

_NO_YAML: Final = "CFG_YAML"
_HINTS: Final = (
    ("mapping values are not allowed", "a text that holds ': ' needs quotes"),
    ("cannot start any token", "a text that begins with @, ` or % needs quotes"),
    ("flow mapping", "a text that begins with { needs quotes"),
    ("flow sequence", "a text that begins with [ needs quotes"),
)


def load(path: Path, name: str = "") -> tuple[dict[str, JsonValue], Lines]:
    """The values of a file, which messages call `name`, and the line of each by its path.

    Numbers, true, false and null are told from text; a date stays the text it was written as. Raises
    ConfigurationRefused with every problem: CFG_FILE, CFG_YAML, CFG_LIMIT, CFG_DUPLICATE_KEY, and CFG_TYPE
    for what readers of YAML disagree about (NO, 0777, 22:30, 1e3).
    """
    problems = Problems()
    table = read(path, name or str(path), problems)
    found = json_values(table, problems) if table else ({}, {})
    if problems:
        raise problems.refusal()
    return found


def read(path: Path, name: str, problems: Problems) -> Table | None:
    """What stands in the file; None where it cannot be read, with the reason among `problems`."""
    try:
        return _compose(read_text(path, name, _NO_YAML), name, problems)
    except Unfit as error:
        problems.add_all(error, Where(name))
    return None


def parse(data: bytes, name: str, problems: Problems) -> Table | None:
    """As `read`, for what stands in a file called `name`."""
    try:
        return _compose(decoded(data, name, _NO_YAML), name, problems)
    except Unfit as error:
        problems.add_all(error, Where(name))
    return None


def _compose(text: str, name: str, problems: Problems) -> Table:
    try:
        return Composer(name, problems).compose(text)
    except yaml.MarkedYAMLError as error:
        raise _syntax(error, text, name) from None


def _syntax(error: yaml.MarkedYAMLError, text: str, name: str) -> Unfit:
    mark = error.problem_mark or error.context_mark
    line = mark.line if mark else 0
    said = ", ".join(part for part in (error.context, error.problem) if part)
    lines = text.splitlines()
    written = lines[line] if line < len(lines) else ""
    if "\t" in written[: len(written) - len(written.lstrip())]:
        fault = "the line is indented with a tab; YAML takes blanks"
    else:
        hint = next((hint for sign, hint in _HINTS if sign in said), "")
        fault = f"is not YAML: {said}{'; ' + hint if hint else ''}"
    return unfit(_NO_YAML, fault, Where(name, line + 1))
