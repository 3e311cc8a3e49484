"""How answers are written: text that fits the terminal, or one JSON document."""

from __future__ import annotations

import json
import re
import shutil
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import click

from reportbus.core.text import clean, one_line
from reportbus.entry.actions.shapes import plain, utc
from reportbus.entry.cli.table import GAP, table_lines, wrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reportbus.entry.cli.table import Column

_ANSWERED: Final = "reportbus.answered"
_COLOURS: Final = {
    "COMPLETED": "green",
    "DELIVERED": "green",
    "ok": "green",
    "FAILED": "red",
    "failed": "red",
}
_COLOURED: Final = re.compile(rf"(?<![\w-])(?:{'|'.join(_COLOURS)})(?=  |$)")


def output_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option `-o json|text`, as the argument `as_json`."""
    return click.option(
        "-o",
        "--output",
        "as_json",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        callback=lambda _context, _parameter, value: value == "json",
        help="Text for people, or one JSON document for programs.",
    )(command)


def print_json(document: object) -> None:
    """One JSON document: the answer of the command."""
    answering()
    click.echo(json.dumps(plain(document), ensure_ascii=False, indent=2))


def answering() -> None:
    """Note that the answer is on standard output, or on its way there: nothing else may follow it."""
    context = click.get_current_context(silent=True)
    if context is not None:
        context.meta[_ANSWERED] = True


def answered(context: click.Context) -> bool:
    """Whether the command has written its answer."""
    return _ANSWERED in context.meta


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[object]]) -> None:
    """The rows under their columns' titles; status words have their colour."""
    lines = table_lines(columns, [[cell(value) for value in row] for row in rows], terminal_width())
    click.echo("\n".join(coloured(line) for line in lines))


def print_fields(fields: Mapping[str, object], indent: str = "") -> None:
    """Names with their values, one a line; those without a value are left out."""
    shown = [(name, _lines(value)) for name, value in fields.items() if value not in (None, "")]
    edge = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        print_text(value, f"{indent}{name:<{edge}}{GAP}")


def print_text(text: str, head: str = "") -> None:
    """A text behind `head`, wrapped to the terminal; its lines stand under one another."""
    width = terminal_width()
    places = None if width is None else width - len(head)
    first, *rest = [part for line in clean(text).splitlines() or [""] for part in wrapped(line, places)]
    click.echo("\n".join([coloured(head + first), *(" " * len(head) + line for line in rest)]))


def terminal_width() -> int | None:
    """The places in a line of the terminal; None where standard output is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def coloured(line: str) -> str:
    """The line, with status words that stand alone in their colours."""
    return _COLOURED.sub(lambda word: click.style(word[0], fg=_COLOURS[word[0]]), line)


def cell(value: object) -> str:
    """A value in one line: nothing for None, times to the second, and nothing that would move the cursor."""
    match value:
        case None:
            return ""
        case datetime():
            return when(value)
        case _:
            return one_line(str(value))


def _lines(value: object) -> str:
    """A value as `cell` has it, but with the lines of a text as they are."""
    return value if isinstance(value, str) else cell(value)


def when(at: datetime) -> str:
    """A time for people: 2026-11-01T06:30:00Z."""
    return utc(at, "seconds")
