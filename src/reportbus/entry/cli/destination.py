"""`reportbus destination`."""

from __future__ import annotations

import click

from reportbus.entry.cli import context
from reportbus.entry.cli.limits import LIMIT_COLUMNS, cells_of, limits_of, places
from reportbus.entry.cli.output import output_option, print_json, print_table
from reportbus.entry.cli.table import Column
from reportbus.entry.cli.verdicts import test_all


@click.group()
def destination() -> None:
    """See and test where reports go."""


@destination.command(name="list")
@output_option
def list_(*, as_json: bool) -> None:
    """The configured destinations, their limits and where they lead."""
    settings = context.settings()
    where = places(settings)
    rows = [
        limits_of(name, each, settings) | {"where": where.get(name, "")}
        for name, each in settings.destinations.items()
    ]
    if as_json:
        print_json({"destinations": rows})
    else:
        columns = (Column("DESTINATION"), *LIMIT_COLUMNS, Column("WHERE", gives=True))
        print_table(columns, [cells_of(row) for row in rows])


@destination.command()
@click.argument("names", metavar="[DESTINATION]...", nargs=-1)
@output_option
def test(*, names: tuple[str, ...], as_json: bool) -> None:
    """Whether deliveries would get through, to all or those named; exit 1 where one would not."""
    parts = context.parts()
    configured = parts.settings.destinations
    test_all(
        "destination",
        parts.destinations,
        names,
        lambda name: "is switched off" if name in configured else "is not configured",
        without=(),
        as_json=as_json,
    )
