"""`reportbus config`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from reportbus.entry.cli import context
from reportbus.entry.cli.output import output_option, print_json, print_table
from reportbus.entry.cli.table import Column

if TYPE_CHECKING:
    from reportbus.config import Settings
    from reportbus.core.errors import PlacedProblem
    from reportbus.core.model import JsonValue

_COLUMNS: Final = (Column("SETTING"), Column("VALUE", gives=True), Column("FROM", gives=True))


@click.group()
def config() -> None:
    """Check the settings, and see where each came from."""


@config.command()
@output_option
def check(*, as_json: bool) -> None:
    """Read the whole configuration, reports included; exit 78 with every problem there is."""
    from reportbus.config import ConfigurationRefused
    from reportbus.entry.actions.health import without_adapter

    try:
        settings = _checked()
    except ConfigurationRefused as refusal:
        if as_json:
            print_json({"ok": False, "problems": [_told(each) for each in refusal.problems], "hints": []})
        raise
    hints = [*settings.hints, *(f"engine {name}: {text}" for name, text in without_adapter(settings))]
    if as_json:
        print_json({"ok": True, "problems": [], "hints": hints})
        return
    for hint in hints:
        click.echo(f"note: {hint}")
    click.echo(f"the configuration is good: {len(settings.effective)} settings, {settings.config}")


@config.command()
@click.argument("prefix", default="")
@output_option
def show(*, prefix: str, as_json: bool) -> None:
    """The settings that begin with PREFIX, or all, and where each came from; secrets are masked."""
    shown = [each for each in context.settings().effective if each.name.startswith(prefix)]
    if as_json:
        print_json(
            {"settings": [{"name": each.name, "value": each.data, "from": str(each.where)} for each in shown]}
        )
    elif shown:
        print_table(_COLUMNS, [(each.name, each.value, each.where) for each in shown])
    else:
        raise click.BadParameter(f"no setting begins with {prefix!r}; see all: reportbus config show")


def _checked() -> Settings:
    """The settings, once everything is good that can be judged without opening anything."""
    from reportbus.adapters.clock import SystemClock
    from reportbus.config import ConfigurationRefused
    from reportbus.wiring.reports import problems
    from reportbus.wiring.secrecy import secrets, secrets_missing

    settings = context.settings(sql=True)
    redactor = context.redactor()
    wrong = problems(settings, sql=True)
    wrong += secrets_missing(settings, secrets(settings, SystemClock(), redactor))
    if wrong:
        raise ConfigurationRefused(wrong, settings)
    return settings


def _told(problem: PlacedProblem) -> dict[str, JsonValue]:
    """A problem with its place in parts: a file with a line, or a variable of the environment."""
    source = problem.where.source if problem.where else ""
    variable = source.removeprefix("environment ")
    is_file = variable == source
    return {
        "code": problem.code,
        "text": context.redact(problem.text),
        "file": source if is_file and source else None,
        "line": (problem.where.line if problem.where else 0) or None,
        "variable": None if is_file else variable,
        "field": problem.field or None,
    }
