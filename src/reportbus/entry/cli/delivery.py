"""`reportbus delivery`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from reportbus.entry.actions.finding import find
from reportbus.entry.cli import context
from reportbus.entry.cli.output import output_option, print_json, print_table
from reportbus.entry.cli.table import Column
from reportbus.ports import DeliveryState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reportbus.ports import DeliveryView

DELIVERY_COLUMNS: Final = (
    Column("REQUEST"),
    Column("#", right=True),
    Column("TYPE"),
    Column("DESTINATION"),
    Column("STATE"),
    Column("BYTES", right=True),
    Column("CHECKED BY"),
    Column("TRIES", right=True),
    Column("AT"),
    Column("WHERE, OR WHY NOT", gives=True),
)


@click.group()
def delivery() -> None:
    """See which target has what."""


@delivery.command(name="list")
@click.option("--request", "request_id", metavar="ID", help="Of this request alone.")
@click.option(
    "--state",
    type=click.Choice(DeliveryState, case_sensitive=False),
    help="Only deliveries in this state.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    metavar="NUMBER",
    default=50,
    show_default=True,
    help="At most so many.",
)
@output_option
def list_(*, request_id: str | None, state: DeliveryState | None, limit: int, as_json: bool) -> None:
    """Targets and how they fare, of one request or of all, the newest request's first.

    OPEN: its delivery is still to be done, or under way. DELIVERED: the target has the report. FAILED: its
    delivery was given up. SKIPPED: the request ended before it came to that.
    """
    parts = context.parts()
    if request_id is not None:
        view = find(request_id, parts.records, parts.worktable_rows).view
        request_id = view.request_id if view else request_id
    found = parts.records.deliveries(request_id, state=state, limit=limit)
    if as_json:
        print_json({"deliveries": found})
    elif found:
        print_table(DELIVERY_COLUMNS, [delivery_row(each) for each in found])
    else:
        context.say_nothing("no delivery that fits")


def delivery_row(view: DeliveryView) -> Sequence[object]:
    """The cells of a delivery, under DELIVERY_COLUMNS."""
    return (
        view.request_id,
        view.target,
        view.type,
        view.destination,
        view.state,
        f"{view.size:,}" if view.size else "",
        view.verified,
        view.attempts or "",
        view.at,
        f"{view.code}: {view.text}" if view.code else view.location,
    )
