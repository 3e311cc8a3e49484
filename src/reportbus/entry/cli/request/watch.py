"""`reportbus request watch`."""

from __future__ import annotations

import click

from reportbus.entry.cli import context
from reportbus.entry.cli.output import output_option


@click.command()
@click.argument("request_ids", metavar="[ID]...", nargs=-1)
@click.option(
    "--all", "everything", is_flag=True, help="All requests that have not ended, also those that come."
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Give up after so many seconds, with exit code 1.",
)
@output_option
def watch(*, request_ids: tuple[str, ...], everything: bool, timeout: float | None, as_json: bool) -> None:
    """Follow requests until they have ended; exit 1 where one failed.

    At a terminal each has a bar, elsewhere each change is a line; with -o json only the end is shown.
    """
    context.either(request_ids, everything=everything, what="the requests to watch")
    from reportbus.entry.cli.request.follow import follow

    follow(context.parts(), request_ids, timeout=timeout, as_json=as_json, everything=everything)
