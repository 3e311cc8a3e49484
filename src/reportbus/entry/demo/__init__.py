"""`reportbus demo`: the whole line on this machine alone, over real data.

It uses the line as everybody does: a configuration, rows in the worktable, the ledger's records. `play` is
the demo from its first line to its last, `config` holds its reports and settings.
"""

from __future__ import annotations

from typing import Final

import click

MOST: Final = 100
LEAST: Final = 13


@click.command()
@click.option(
    "--requests",
    "number",
    type=click.IntRange(LEAST, MOST),
    default=MOST,
    hidden=True,
    help="How many reports are asked for.",
)
def command(*, number: int) -> None:
    """Make, deliver and announce real reports, here and now.

    A hundred requests over 336,776 flights go through the whole line: six formats, a script, folders and
    mails, one request that is refused, and one destination that is broken at first, mended and retried.

    Everything is embedded, in the folder reportbus-data/demo, or in the one that REPORTBUS_HOME names. It can
    be run again, and be stopped with Ctrl-C at any time.
    """
    from reportbus.entry.demo.stopping import Interrupted, interruptible

    try:
        with interruptible() as stop:
            from reportbus.entry.demo.play import play

            well = play(number, stop)
    except Interrupted as interrupted:
        click.echo("Stopped. Nothing is lost: the next demo finishes what this one has begun.")
        click.get_current_context().exit(interrupted.exit_code)
    if not well:
        from reportbus.entry.cli.context import FAILED

        click.get_current_context().exit(FAILED)
