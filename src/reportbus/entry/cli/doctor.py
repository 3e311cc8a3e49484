"""`reportbus doctor`."""

from __future__ import annotations

import click

from reportbus.entry.cli import context
from reportbus.entry.cli.output import output_option
from reportbus.entry.cli.verdicts import print_verdicts


@click.command()
@output_option
def doctor(*, as_json: bool) -> None:
    """Connect to everything configured and say what was found; exit 1 where something is wrong.

    Nothing is changed: what is missing and would be made at the first use is not made.
    """
    from reportbus.entry.actions.health import checks

    print_verdicts("part", list(checks(context.settings(), context.redactor())), as_json=as_json)
