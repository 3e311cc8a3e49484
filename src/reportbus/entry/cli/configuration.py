"""`reportbus config`."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import click

from reportbus.core.errors import Refused
from reportbus.entry.cli import context
from reportbus.entry.cli.output import output_option, print_json, print_table
from reportbus.entry.cli.table import Column

_COLUMNS: Final = (Column("SETTING"), Column("VALUE", gives=True), Column("FROM", gives=True))


@click.group()
def config() -> None:
    """Check the settings, and see where each came from."""


@config.command()
@output_option
def check(*, as_json: bool) -> None:
    """Read the whole configuration, reports included; exit 78 with every problem there is."""
    from reportbus.config import ConfigurationRefused
    from reportbus.entry.actions.health import engines_of, without_adapter

    try:
        settings = context.settings()
        with engines_of(settings, context.redactor()):
            pass
    except (ConfigurationRefused, Refused) as refusal:
        if as_json:
            problems = [replace(each, text=context.redact(each.text)) for each in refusal.problems]
            print_json({"ok": False, "problems": problems, "hints": []})
        raise context.misconfigured(refusal.problems) from refusal
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
            {
                "settings": [
                    {"name": each.name, "value": each.value, "from": str(each.where)} for each in shown
                ]
            }
        )
    elif shown:
        print_table(_COLUMNS, [(each.name, each.value, each.where) for each in shown])
    else:
        raise click.BadParameter(f"no setting begins with {prefix!r}; see all: reportbus config show")
