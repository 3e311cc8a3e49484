"""`reportbus engine`."""

from __future__ import annotations

import click

from reportbus.entry.cli import context
from reportbus.entry.cli.limits import LIMIT_COLUMNS, cells_of, limits_of
from reportbus.entry.cli.output import output_option, print_json, print_table
from reportbus.entry.cli.table import Column
from reportbus.entry.cli.verdicts import test_all


@click.group()
def engine() -> None:
    """See and test what makes reports."""


@engine.command(name="list")
@output_option
def list_(*, as_json: bool) -> None:
    """The configured engines and their limits, and whether they can be used."""
    settings = context.settings()
    rows = [limits_of(name, each, settings) for name, each in settings.engines.items()]
    if as_json:
        print_json({"engines": rows})
    else:
        print_table((Column("ENGINE"), *LIMIT_COLUMNS), [cells_of(row) for row in rows])


@engine.command()
@click.argument("names", metavar="[ENGINE]...", nargs=-1)
@output_option
def test(*, names: tuple[str, ...], as_json: bool) -> None:
    """One real call to all engines or those named; exit 1 where one does not work."""
    from reportbus.config.engines import absence
    from reportbus.entry.actions.health import without_adapter

    parts = context.parts()
    configured = parts.settings.engines
    test_all(
        "engine",
        parts.engines,
        [name.upper() for name in names],
        lambda name: absence(name, configured),
        without=[(name, None, text) for name, text in without_adapter(parts.settings)],
        as_json=as_json,
    )
