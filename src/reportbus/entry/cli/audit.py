"""`reportbus audit`."""

from __future__ import annotations

import sys
from itertools import chain
from typing import TYPE_CHECKING

import click

from reportbus.core.errors import Problem
from reportbus.core.notes import Component, EventType
from reportbus.entry.actions.finding import find, taken_in
from reportbus.entry.cli import context
from reportbus.entry.cli.filters import Moment
from reportbus.entry.cli.output import answering, output_option, print_json, print_table
from reportbus.entry.cli.table import Column

if TYPE_CHECKING:
    from datetime import datetime

    from reportbus.ports import AuditRow


@click.group()
def audit() -> None:
    """Export the record, and prove that nobody touched it."""


@audit.command()
@click.option("--request", "request_id", metavar="ID", help="Of this request alone.")
@click.option(
    "--event",
    "events",
    multiple=True,
    type=click.Choice([*EventType], case_sensitive=False),
    help="Only these event types; may be given several times.",
)
@click.option(
    "--component",
    "components",
    multiple=True,
    type=click.Choice([*Component], case_sensitive=False),
    help="Only these components; may be given several times.",
)
@click.option("--since", type=Moment(), help="What happened at or after that time.")
@click.option("--until", type=Moment(), help="What happened before that time.")
@click.option(
    "-o",
    "--output",
    "format_",
    type=click.Choice(["jsonl", "json", "csv"]),
    default="jsonl",
    show_default=True,
    help="A JSON object a line (json says the same), or CSV with a heading.",
)
def export(
    *,
    request_id: str | None,
    events: tuple[str, ...],
    components: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    format_: str,
) -> None:
    """Write the audit log to standard output, by request and sequence, as it is read."""
    from reportbus.entry.actions.exporting import to_csv, to_json_lines

    which = _which(request_id)

    def wanted(row: AuditRow) -> bool:
        return (
            (not events or row.event_type in events)
            and (not components or row.component in components)
            and (since is None or row.at >= since)
            and (until is None or row.at < until)
        )

    rows = filter(wanted, context.parts().records.audit(which))
    first = next(rows, None)
    if first is None:
        click.echo("no row of the record fits", err=True)
    answering()
    found = () if first is None else chain([first], rows)
    for chunk in to_csv(found) if format_ == "csv" else to_json_lines(found):
        sys.stdout.write(chunk)
    sys.stdout.flush()


@audit.command()
@click.option("--request", "request_id", metavar="ID", help="The chain of this request alone.")
@output_option
def verify(*, request_id: str | None, as_json: bool) -> None:
    """Check every request's chain; exit 1 with each place where a row was changed, dropped or moved."""
    which = _which(request_id)
    records = context.parts().records
    requests = sum(records.counts().values()) if which is None else 1  # at least: more may come till then
    broken = list(records.verify(which))
    if as_json:
        print_json({"ok": not broken, "requests": requests, "broken": broken})
    elif broken:
        columns = (Column("REQUEST"), Column("ROW", right=True), Column("WHAT IS WRONG THERE", gives=True))
        print_table(columns, [(each.request_id, each.sequence, each.reason) for each in broken])
    else:
        click.echo(
            f"every row is as it was written: {requests} {'chain' if requests == 1 else 'chains'} checked"
        )
    if broken:
        click.get_current_context().exit(context.FAILED)


def _which(request_id: str | None) -> str | None:
    """The request whose chain is meant, or None for all of them.

    Nobody shall take the record of a ledger that is not there for a good one: it is an error.
    """
    parts = context.parts()
    if request_id is not None:
        return taken_in(find(request_id, parts.records, parts.worktable_rows)).request_id
    if not parts.has_ledger:
        raise context.failed([Problem("SYS_NO_LEDGER", context.no_ledger(parts))])
    return None
