"""`reportbus request show`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import click

from reportbus.entry.actions.finding import find
from reportbus.entry.actions.shapes import plain
from reportbus.entry.cli import context
from reportbus.entry.cli.delivery import DELIVERY_COLUMNS, delivery_row
from reportbus.entry.cli.output import coloured, output_option, print_fields, print_json, print_table
from reportbus.entry.cli.table import Column

if TYPE_CHECKING:
    from reportbus.core.model import JsonValue, Request
    from reportbus.ports import Records, RequestView

_JOB_COLUMNS: Final = (
    Column("JOB", right=True),
    Column("STAGE"),
    Column("PLACE"),
    Column("STATE"),
    Column("ATTEMPT", right=True),
    Column("DUE"),
    Column("WORKER"),
)


@click.command()
@click.argument("request_id", metavar="ID")
@output_option
def show(*, request_id: str, as_json: bool) -> None:
    """One request: what was asked for, where it stands, its targets, open jobs, files and errors."""
    parts = context.parts()
    records = parts.records
    found = find(request_id, records, parts.worktable_rows)
    if as_json:
        print_json(
            _document(found.view, records) if found.view else {"request": None, "worktable": found.row}
        )
    elif found.view:
        _print(found.view, records.content(found.view.request_id), records)
    elif found.row:
        click.echo(f"{request_id} stands in the worktable and was not taken in yet:")
        print_fields({name.lower(): value for name, value in found.row.columns.items()}, "  ")


def _document(view: RequestView, records: Records) -> JsonValue:
    request_id = view.request_id
    return plain(
        {
            "request": view,
            "asked": records.content(request_id),
            "deliveries": records.deliveries(request_id),
            "jobs": records.jobs(request_id),
            "outputs": [file.key for file in records.outputs(request_id)],
            "errors": records.errors(request_id),
        }
    )


def _print(view: RequestView, asked: Request | None, records: Records) -> None:
    request_id = view.request_id
    click.echo(coloured(f"{request_id}  {view.status}"))
    print_fields(_fields(view, asked), "  ")
    deliveries = [] if asked is None else records.deliveries(request_id)
    if deliveries:
        click.echo("\nTargets")
        print_table(DELIVERY_COLUMNS[1:], [delivery_row(each)[1:] for each in deliveries])
    jobs = records.jobs(request_id)
    if jobs:
        click.echo("\nOpen jobs")
        print_table(
            _JOB_COLUMNS,
            [
                (job.number, job.stage, job.lane, job.state, job.attempt, job.due_at, job.worker)
                for job in jobs
            ],
        )
    outputs = records.outputs(request_id)
    if outputs:
        click.echo("\nStaged files")
        click.echo("\n".join(f"  {file.key}" for file in outputs))
    if view.code:
        click.echo(f"\nWhy, and what to do: reportbus request why {request_id}")


def _fields(view: RequestView, asked: Request | None) -> dict[str, object]:
    shown: dict[str, object] = {
        "report": f"{view.report_type} {view.report_name}",
        "format": asked.format if asked else "",
        "parameters": json.dumps(plain(asked.parameters), ensure_ascii=False) if asked else "",
        "priority": view.priority,
        "requested by": view.requested_by,
        "requested at": view.requested_at,
        "taken in at": view.accepted_at,
        "run": view.run,
        "ended at": view.ended_at,
        "has to end by": None if view.ended_at else view.expires_at,
        "delivered": f"{view.delivered} of {view.targets}" if view.targets else "",
        "notices": ", ".join(_notice(asked)) if asked else "",
        "code": view.code,
        "reason": view.text,
    }
    return shown


def _notice(asked: Request) -> list[str]:
    return [f"{rule.channel} when {' or '.join(sorted(rule.on))}" for rule in asked.notify]
