"""Write the reference pages from the code they describe; with `--check`, only say which are out of date."""

from __future__ import annotations

import argparse
import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from reportbus.config import Option, options
from reportbus.core.codes import CODES
from reportbus.core.errors import TRANSIENT_CODES
from reportbus.core.lifecycle import ENTRY_STATUSES, NEXT
from reportbus.core.model import TERMINAL
from reportbus.entry.cli import cli

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

REFERENCE: Final = Path(__file__).parent / "reference"

AREAS: Final = {
    "VAL": "The request",
    "CFG": "Configuration and targets",
    "SEC": "Security refusals",
    "TPL": "Templates",
    "ENG": "Engines",
    "STG": "Staging",
    "EVT": "Events",
    "DST": "Deliveries",
    "PY": "The Python engine",
    "SYS": "The platform",
    "RUN": "The course of a run",
}


CODES_HEAD: Final = """\
# Codes

Every refusal, failure and finding carries one of these codes: in the worktable, the audit log, the error log,
notices and logs alike. A code keeps its meaning for good.

## Passing faults

The only codes that are retried by themselves, at most three times per step."""

LIFECYCLE: Final = """\
# The life of a request

A request has runs, numbered from 1. A run enters at {entries}, only moves forward along these arrows,
and ends as {ends}, once and for good. The request shows the status of its newest run.

```mermaid
stateDiagram-v2
{arrows}
```

{table}

A failed run is never continued. `reportbus request retry` opens the next run of a `FAILED` request: at
`GENERATED` if the report still stands on staging, then without asking the engine again, and only for the
targets that do not have it yet."""


SETTINGS_HEAD: Final = """\
# Settings

Everything has a default: without any file and any variable the line runs on embedded parts. Files stand in
the folder that `REPORTBUS_CONFIG` names, and a variable beats a file. In a file, `${NAME}` takes a value from
the environment. An unknown setting, an unset variable or a contradiction stops the start, with every problem
listed at once; `reportbus config check` does only that, `reportbus config show` tells where each value came
from."""


CLI_HEAD: Final = """\
# The command line

What `--help` says, for all commands on one page.

With `-o json` a command prints one JSON document with stable field names. Where it fails, that is an
error, on standard output like any answer, with the exit code that it has anyway; people find the same on
standard error:

```json
{"error": {"code": "VAL_PRIORITY", "text": "11 is no priority; ...",
           "problems": [{"code": "VAL_PRIORITY", "text": "11 is no priority; ...", "field": "priority"}]}}
```

`problems` has all of them, `code` is the first one's, and [every code](codes.md) is explained.
`SYS_USAGE` stands for wrong usage. Next to `error` stands what was done or seen all the same, such as
`retried` or `requests`. An answer that is bad news is no error: `config check`, the tests, `audit
verify` and `request watch` print their own document and end with 1, or 78. `audit export` writes a
document a line. Two commands have no `-o`: `db sql`, whose output is SQL, and `demo`, which is for
people."""


def codes_page() -> str:
    """Every stable code, its meaning and its remedy, by area."""
    parts = [CODES_HEAD, _code_table(code for code in CODES if code in TRANSIENT_CODES)]
    for area, title in AREAS.items():
        codes = [code for code in CODES if code.startswith(f"{area}_")]
        if codes:
            parts += [f"## {title}", _code_table(codes)]
    return "\n\n".join(parts)


def _code_table(codes: Iterable[str]) -> str:
    return _table(
        ("Code", "What happened", "What to do"),
        ((f"`{code}`", CODES[code].meaning, CODES[code].remedy) for code in codes),
    )


def lifecycle_page() -> str:
    """The statuses and the moves between them, as a diagram and as a table."""
    moves = [(old, _wording(old, trigger), new) for old, row in NEXT.items() for trigger, new in row.items()]
    ends = [status for status in NEXT if status in TERMINAL]
    arrows = [f"[*] --> {status}" for status in ENTRY_STATUSES]
    arrows += [f"{old} --> {new}: {trigger}" for old, trigger, new in moves]
    arrows += [f"{status} --> [*]" for status in ends]
    return LIFECYCLE.format(
        entries=" or ".join(f"`{status}`" for status in ENTRY_STATUSES),
        ends=" or ".join(f"`{status}`" for status in ends),
        arrows="\n".join(f"    {arrow}" for arrow in arrows),
        table=_table(
            ("From", "When", "To"), ((f"`{old}`", trigger, f"`{new}`") for old, trigger, new in moves)
        ),
    )


def _wording(old: str, trigger: str) -> str:
    """What the move is called at its status: a row is refused before anything is made of it, never later."""
    return trigger if old in ENTRY_STATUSES[:1] else trigger.removeprefix("refused, ")


def settings_page() -> str:
    """Every option, by its file and its part of the file."""
    parts = [SETTINGS_HEAD]
    for file, of_file in groupby(options(), key=lambda option: option.file):
        parts.append(f"## {f'`{file}`' if file else 'Folders'}")
        for part, of_part in groupby(of_file, key=_part):
            if part:
                parts.append(f"### {part}")
            parts.append(
                _table(("Setting", "What it is", "Values", "Default", "Variable"), map(_setting, of_part))
            )
    return "\n\n".join(parts)


def _part(option: Option) -> str:
    first, _, rest = option.name.partition(".")
    return first.removesuffix("[]") if rest else ""


def _setting(option: Option) -> tuple[str, ...]:
    meaning = option.help + (" A secret: never shown whole." if option.secret else "")
    if option.only_for:
        meaning += f" Only for {', '.join(option.only_for)}."
    values = f"{option.type}: {option.allowed}" if option.allowed else option.type
    default = "required" if option.required else _code(option.default)
    return (_code(option.name), meaning, values, default, ", ".join(map(_code, option.variables)))


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def cli_page() -> str:
    """The help of every command."""
    return "\n\n".join((CLI_HEAD, *_commands(cli, "reportbus", None)))


def _commands(command: click.Command, name: str, parent: click.Context | None) -> Iterator[str]:
    context = command.make_context(name, [], parent, resilient_parsing=True, terminal_width=100)
    heading = "###" if parent and parent.parent else "##"
    yield f"{heading} {context.command_path}\n\n```text\n{command.get_help(context)}\n```"
    if isinstance(command, click.Group):
        for word in command.list_commands(context):
            below = command.get_command(context, word)
            if below is not None and not below.hidden:
                yield from _commands(below, word, context)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


PAGES: Final[dict[str, Callable[[], str]]] = {
    "cli.md": cli_page,
    "codes.md": codes_page,
    "lifecycle.md": lifecycle_page,
    "settings.md": settings_page,
}


def main() -> int:
    """Write the pages that differ, or with `--check` name them and return 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a page is out of date")
    check = parser.parse_args().check
    stale = 0
    for name, page in PAGES.items():
        path = REFERENCE / name
        text = f"<!-- Made by `make docs`; do not edit. -->\n\n{page()}\n"
        if path.exists() and path.read_text() == text:
            continue
        stale += 1
        print(f"{path} is out of date: make docs" if check else f"wrote {path}")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
