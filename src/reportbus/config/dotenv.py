r"""The `.env` file: variables, one a line, as `NAME=value`.

`export` may stand before the name. A value is taken as it stands, up to a blank with `#`; between single
quotes, all of it; between double quotes, with `\n`, `\"` and `\\` for a line break, a quote and a backslash.
No other variable is put into a value.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from reportbus.config.nodes import Scalar
from reportbus.core.text import quoted
from reportbus.core.where import Where

if TYPE_CHECKING:
    from reportbus.config.problems import Problems

_LINE: Final = re.compile(
    r"""\s*(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)=
        (?:"(?P<double>(?:[^"\\]|\\[n"\\])*)"|'(?P<single>[^']*)'|(?P<bare>[^"'\s](?:[^\n]*?[^\s])??)?)
        \s*(?:(?<=\s)\#.*)?""",
    re.VERBOSE,
)
_ESCAPES: Final = {r"\n": "\n", r"\"": '"', r"\\": "\\"}


def parse(text: str, name: str, problems: Problems) -> dict[str, Scalar]:
    """The variables of the file called `name`; faults (CFG_ENV_FILE, CFG_DUPLICATE_KEY) go to `problems`."""
    found: dict[str, Scalar] = {}
    for number, line in enumerate(text.splitlines(), 1):
        where = Where(name, number)
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            problems.add("CFG_ENV_FILE", "the line is not NAME=value, with quotes closed", where)
        elif match["name"] in found:
            lines = f"on lines {found[match['name']].where.line} and {number}"
            problems.add("CFG_DUPLICATE_KEY", f"{quoted(match['name'])} is set twice, {lines}", where)
        else:
            found[match["name"]] = Scalar(where, _value(match))
    return found


def _value(match: re.Match[str]) -> str:
    if match["double"] is not None:
        return re.sub(r"\\[n\"\\]", lambda escape: _ESCAPES[escape[0]], match["double"])
    return str(match["single"] or match["bare"] or "")
