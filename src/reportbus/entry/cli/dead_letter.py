"""`reportbus dead-letter`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from reportbus.entry.actions.finding import find, taken_in
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
    letters = list(dead_letters(context.parts().records, which))
    print_requests(letters, which.limit, nothing="no dead letters", as_json=as_json)


@dead_letter.command()
@click.argument("request_id", metavar="ID")
@output_option
def show(*, request_id: str, as_json: bool) -> None:
    """One dead letter: why it failed, what to do, and every error on record with its trace."""
    from reportbus.entry.actions.retrying import is_dead_letter, no_dead_letter
    from reportbus.entry.actions.why import why
    from reportbus.entry.cli.request.why import line_of, print_reasons

    parts = context.parts()
    view = taken_in(find(request_id, parts.records, parts.worktable_rows))
    if not is_dead_letter(view):
        raise no_dead_letter(view)
    answer = why(view.request_id, line_of(parts))
    errors = parts.records.errors(view.request_id)
    if as_json:
        print_json({"request": view, "reasons": answer.reasons, "todo": answer.todo, "errors": errors})
        return
    click.echo(f"{view.request_id}  {answer.summary}")
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

    context.either(request_ids, everything=everything, what="the dead letters to replay")
    ids: Sequence[str] = request_ids
    if everything:
        found = retrying.dead_letters(context.parts().records, filter_of(**fields))
        ids = [view.request_id for view in found]
        if not ids:
            context.say_nothing("no dead letters to replay")
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
