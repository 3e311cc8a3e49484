"""`reportbus request list`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from reportbus.core.model import Status
from reportbus.entry.cli import context
from reportbus.entry.cli.filters import filter_of, filter_options
from reportbus.entry.cli.output import output_option, print_json, print_table
from reportbus.entry.cli.table import Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reportbus.ports import RequestView

_COLUMNS: Final = (
    Column("ID"),
    Column("TYPE"),
    Column("REPORT", gives=True),
    Column("STATUS"),
    Column("DONE"),
    Column("RUN", right=True),
    Column("PRIO", right=True),
    Column("BY", gives=True),
    Column("TAKEN IN"),
    Column("CODE"),
)


@click.command(name="list")
@click.option(
    "--status",
    multiple=True,
    type=click.Choice([*Status], case_sensitive=False),
    help="Only these statuses; may be given several times.",
)
@filter_options
@output_option
def list_(*, status: tuple[str, ...], as_json: bool, **fields: Any) -> None:  # noqa: ANN401 - the options of a filter
    """Requests, newest first.

    A request that waits in the worktable and was not taken in yet is not listed; `request why ID` knows it.
    """
    which = filter_of(status, **fields)
    parts = context.parts()
    views = parts.records.list(which)
    print_requests(views, which.limit, nothing="no request was taken in that fits", as_json=as_json)


def print_requests(views: Sequence[RequestView], limit: int, *, nothing: str, as_json: bool) -> None:
    """The requests, and how to go on where there may be more; or that there is `nothing`."""
    before = views[-1].request_key if len(views) == limit else None
    if not views:
        context.say_nothing(nothing)
    if as_json:
        print_json({"requests": views, "next_before": before})
    if as_json or not views:
        return
    print_table(_COLUMNS, [_row(view) for view in views])
    if before is not None:
        click.echo(f"more: --before {before}", err=True)


def _row(view: RequestView) -> Sequence[object]:
    return (
        view.request_id,
        view.report_type,
        view.report_name,
        view.status,
        f"{view.delivered} of {view.targets}" if view.targets else "",
        view.run,
        view.priority,
        view.requested_by,
        view.accepted_at,
        view.code,
    )
