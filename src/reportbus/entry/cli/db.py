"""`reportbus db`."""

from __future__ import annotations

import click

from reportbus.entry.cli import context
from reportbus.entry.cli.output import output_option, print_json


@click.group()
def db() -> None:
    """Bring the ledger's database to this version."""


@db.command()
@output_option
def upgrade(*, as_json: bool) -> None:
    """Make or change the ledger's tables; repeating it changes nothing."""
    from reportbus.adapters.ledger.schema import upgrade_url

    parts = context.parts()
    parts.make_home()
    revision = upgrade_url(parts.settings.ledger.url, parts.clock)
    if as_json:
        print_json({"revision": revision})
    else:
        click.echo(f"the ledger's schema is {revision}")


@db.command()
def sql() -> None:
    """The statements that make the ledger's tables in an empty database, for those who run them by hand."""
    from reportbus.adapters.ledger.schema import sql as statements

    click.echo(statements(context.settings().ledger.url))
