"""The file's name, and the lines of a mail, from templates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reportbus.core.errors import Refused
from reportbus.core.formats import FORMATS
from reportbus.core.intake.words import Problems, shown
from reportbus.core.names import check_extension
from reportbus.core.template import compile_template
from reportbus.core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportbus.core.intake.heading import Heading
    from reportbus.core.model import JsonValue

DEFAULT_NAME: Final = "{{ report | truncate(50) }}_{{ request_id }}"
"""Cut, so that a long report name still makes a file name that every target takes."""

_FOLDERS: Final = re.compile(r"[/\\]")


@dataclass(frozen=True, slots=True)
class Naming:
    """What names are made from. Without `values`, templates are read but not filled in: names are empty."""

    format: str
    values: Mapping[str, JsonValue] | None

    def file_name(self, source: JsonValue, field: str, problems: Problems) -> str:
        """The name, with the folders the template puts before it; empty where there are problems with it."""
        if source is None:
            source = DEFAULT_NAME + FORMATS[self.format].extension
        if not isinstance(source, str):
            problems.add("CFG_TYPE", f"must be text, not {shown(source)}", field)
            return ""
        try:
            template = compile_template(source, field=field)
            if self.values is None:
                return ""
            name = template.render(self.values)
        except Refused as refusal:
            problems += refusal.problems
            return ""
        wrong = check_extension(name, self.format, field=field)
        if wrong is None:
            return name
        problems.append(wrong)
        return ""

    def line(self, source: str, field: str, problems: Problems) -> str:
        """One line of text, its placeholders filled in."""
        if "{" not in source:
            return one_line(source)
        try:
            template = compile_template(source, field=field)
            return "" if self.values is None else template.render_line(self.values)
        except Refused as refusal:
            problems += refusal.problems
            return ""


def values_for(heading: Heading, format_: str, parameters: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The names a template can use: each parameter, and before them the request's own."""
    return {
        **parameters,
        "report": _FOLDERS.split(heading.report_name.rstrip("/\\"))[-1],
        "request_id": heading.request_id,
        "report_type": heading.report_type,
        "format": format_,
        "requested_by": heading.requested_by,
        "now": heading.requested_at.replace(tzinfo=None).isoformat(timespec="seconds") + "Z",
    }
