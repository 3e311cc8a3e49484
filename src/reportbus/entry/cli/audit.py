"""`reportbus audit`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from reportbus.entry.actions.finding import find
from reportbus.entry.cli import context
from reportbus.entry.cli.filters import Moment
from reportbus.entry.cli.output import output_option, print_json, print_table
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
    "--event", "events", multiple=True, metavar="TYPE", help="Only these event types, such as ERROR."
)
@click.option(
    "--component", "components", multiple=True, metavar="NAME", help="Only these components, such as ENGINE."
)
@click.option("--since", type=Moment(), help="What happened at or after that time.")
@click.option("--until", type=Moment(), help="What happened before that time.")
@click.option(
    "-o",
    "--output",
    "format_",
    type=click.Choice(["jsonl", "csv"]),
    default="jsonl",
    show_default=True,
    help="A JSON object a line, or CSV with a heading.",
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

    parts = context.parts()
    records = parts.ledger.records
    if request_id is not None:
        find(request_id, records, parts.worktable)

    def wanted(row: AuditRow) -> bool:
        return (
            (not events or row.event_type in events)
            and (not components or row.component in components)
            and (since is None or row.at >= since)
            and (until is None or row.at < until)
        )

    rows = filter(wanted, records.audit(request_id))
    for chunk in to_csv(rows) if format_ == "csv" else to_json_lines(rows):
        sys.stdout.write(chunk)
    sys.stdout.flush()


@audit.command()
@click.option("--request", "request_id", metavar="ID", help="The chain of this request alone.")
@output_option
def verify(*, request_id: str | None, as_json: bool) -> None:
    """Check every request's chain; exit 1 with each place where a row was changed, dropped or moved."""
    parts = context.parts()
    records = parts.ledger.records
    if request_id is not None:
        find(request_id, records, parts.worktable)
    requests = (
        sum(records.counts().values()) if request_id is None else 1
    )  # at least: more may come till then
    broken = list(records.verify(request_id))
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
