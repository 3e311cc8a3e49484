"""`reportbus dead-letter`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from reportbus.core.errors import Problem
from reportbus.entry.cli import context
from reportbus.entry.cli.filters import choice_options, filter_of, filter_options
from reportbus.entry.cli.output import output_option, print_fields, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reportbus.ports import ErrorView


@click.group(name="dead-letter")
def dead_letter() -> None:
    """See and replay what failed for good.

    A dead letter is a FAILED request whose newest run ended by a fault: out of retries, or one that no retry
    would mend. What was refused, cancelled or expired is none.
    """


@dead_letter.command(name="list")
@filter_options
@output_option
def list_(*, as_json: bool, **fields: Any) -> None:  # noqa: ANN401 - the options of a filter
    """Dead letters, newest first."""
    from reportbus.entry.actions.retrying import dead_letters
    from reportbus.entry.cli.request.listing import print_requests

    which = filter_of(**fields)
    print_requests(list(dead_letters(context.parts().ledger.records, which)), which.limit, as_json=as_json)


@dead_letter.command()
@click.argument("request_id", metavar="ID")
@output_option
def show(*, request_id: str, as_json: bool) -> None:
    """One dead letter: why it failed, what to do, and every error on record with its trace."""
    from reportbus.entry.actions.retrying import is_dead_letter
    from reportbus.entry.actions.why import why
    from reportbus.entry.cli.request.why import line_of, print_reasons

    parts = context.parts()
    records = parts.ledger.records
    answer = why(request_id, line_of(parts))
    view = records.find(request_id)
    if view is None or not is_dead_letter(view):
        text = f"{request_id} is no dead letter: {answer.summary}"
        raise context.failed([Problem("RUN_NO_DEAD_LETTER", text)])
    errors = records.errors(request_id)
    if as_json:
        print_json({"request": view, "reasons": answer.reasons, "todo": answer.todo, "errors": errors})
        return
    click.echo(f"{request_id}  {answer.summary}")
    print_reasons(answer)
    _print_errors(errors)


@dead_letter.command()
@click.argument("request_ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that the options choose, up to the limit.")
@click.option("--by", metavar="WHO", help="Who replays, for the record; your login name when left out.")
@choice_options
@output_option
def replay(
    *,
    request_ids: tuple[str, ...],
    everything: bool,
    by: str | None,
    as_json: bool,
    **fields: Any,  # noqa: ANN401 - the options of a filter
) -> None:
    """Give dead letters another run, which makes only what is missing; a second replay does nothing more."""
    from reportbus.entry.actions import retrying
    from reportbus.entry.cli.again import again

    if bool(request_ids) == everything:
        raise click.UsageError("Name the dead letters to replay, or say --all.")
    ids: Sequence[str] = request_ids
    if everything:
        found = retrying.dead_letters(context.parts().ledger.records, filter_of(**fields))
        ids = [view.request_id for view in found]
    again(retrying.replay, ids, by, as_json=as_json)


def _print_errors(errors: Sequence[ErrorView]) -> None:
    click.echo("\nErrors, newest first")
    for error in errors:
        print_fields(
            {
                "at": error.at,
                "component": error.component,
                "error": f"{error.code}: {error.text}",
                "retries before": error.retry_count,
            },
            "  ",
        )
        if error.trace:
            click.echo("\n".join(f"    {line}" for line in error.trace.splitlines()))
        click.echo()
