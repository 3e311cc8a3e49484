"""`reportbus request cancel` and `retry`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reportbus.entry.cli import context
from reportbus.entry.cli.output import output_option, print_json

if TYPE_CHECKING:
    from reportbus.entry.actions.cancelling import Desk
    from reportbus.wiring.parts import Parts


@click.command()
@click.argument("request_id", metavar="ID")
@click.option("--by", metavar="WHO", help="Who cancels, for the record; your login name when left out.")
@output_option
def cancel(*, request_id: str, by: str | None, as_json: bool) -> None:
    """End a request without new work; what a worker is doing right now is still answered for.

    One that still waits in the worktable is taken in for that, and ends at once.
    """
    from reportbus.entry.actions.cancelling import cancel as cancel_one
    from reportbus.entry.actions.finding import find

    parts = context.parts()
    found = find(request_id, parts.records, parts.worktable_rows)
    status = cancel_one(found, by or context.operator(), lambda: _desk(parts))
    if as_json:
        print_json({"request_id": request_id, "status": status})
    else:
        click.echo(
            f"{request_id} is cancelled" if status == "FAILED" else f"{request_id} ends with the jobs in hand"
        )


@click.command()
@click.argument("request_ids", metavar="ID...", nargs=-1, required=True)
@click.option("--by", metavar="WHO", help="Who retries, for the record; your login name when left out.")
@output_option
def retry(*, request_ids: tuple[str, ...], by: str | None, as_json: bool) -> None:
    """Make what is missing of failed requests: from staging where the report still stands there.

    Targets that have the report do not get it again. A request that has not failed is an error; the others
    are retried all the same.
    """
    from reportbus.entry.actions.retrying import retry as retry_one
    from reportbus.entry.cli.again import again

    again(retry_one, request_ids, by, as_json=as_json)


def _desk(parts: Parts) -> Desk:
    from reportbus.entry.actions.cancelling import Desk
    from reportbus.wiring.rules import intake_rules

    return Desk(
        intake=parts.ledger.intake,
        operations=parts.ledger.operations,
        records=parts.ledger.records,
        worktable=parts.worktable,
        rules=lambda: intake_rules(parts.settings, parts.engines),
        clock=parts.clock,
        redactor=parts.redactor,
    )
