"""`reportbus request why`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reportbus.entry.cli import context
from reportbus.entry.cli.output import coloured, output_option, print_json, print_text, when
from reportbus.entry.cli.table import GAP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reportbus.entry.actions.outlook import Line
    from reportbus.entry.actions.story import Moment
    from reportbus.entry.actions.why import Reason, Why
    from reportbus.ports import JobView
    from reportbus.wiring.parts import Parts


@click.command()
@click.argument("request_id", metavar="ID")
@output_option
def why(*, request_id: str, as_json: bool) -> None:
    """The story of a request: waits, attempts, the deciding rule, what happens next, and the fix."""
    from reportbus.entry.actions import why as asking

    answer = asking.why(request_id, line_of(context.parts()))
    if as_json:
        print_json(answer)
    else:
        _print(answer)


def line_of(parts: Parts) -> Line:
    """What the story needs to know of the line."""
    from reportbus.core.jobs import Job
    from reportbus.entry.actions.outlook import Line
    from reportbus.wiring.policies import limits, policies
    from reportbus.wiring.rules import intake_rules

    policy = policies(parts.settings)

    def attempts(job: JobView) -> int:
        return policy.of(Job(job.number, job.run, job.stage, job.subject, job.lane)).max_retries + 1

    return Line(
        records=parts.records,
        worktable=parts.worktable_rows,
        clock=parts.clock,
        rules=lambda: intake_rules(parts.settings, parts.engines),
        attempts=attempts,
        limits=limits(parts.settings),
        poll_seconds=parts.settings.poll.interval_seconds,
        republish_seconds=parts.settings.poll.republish_seconds,
    )


def _print(answer: Why) -> None:
    click.echo(coloured(f"{answer.request_id}{GAP}{answer.status}").rstrip())
    print_text(answer.summary)
    _print_story(answer.moments)
    print_reasons(answer)


def print_reasons(answer: Why) -> None:
    """Why it is so, what happens next, and what to do."""
    if answer.reasons:
        click.echo("\nWhy")
        _print_whys(answer.reasons)
    if answer.earlier:
        click.echo("\nHow earlier runs ended")
        for reason in answer.earlier:
            print_text(_reason(reason), GAP)
    if answer.others:
        click.echo("\nOther rows with this id")
        _print_whys(answer.others)
    click.echo("\nWhat happens next")
    for coming in answer.coming:
        print_text(coming.text, f"{GAP}{when(coming.at)}{GAP}" if coming.at else GAP)
    if answer.todo:
        click.echo("\nWhat to do")
        for step in answer.todo:
            print_text(step, GAP)


def _print_whys(reasons: Sequence[Reason]) -> None:
    """Each reason, and under it its remedies as far as none before it had them."""
    told: set[str] = set()
    for reason in reasons:
        print_text(_reason(reason), GAP)
        for remedy in reason.remedies:
            if remedy not in told:
                print_text(remedy, f"{GAP}-> ")
        told.update(reason.remedies)


def _print_story(moments: Sequence[Moment]) -> None:
    run = 0
    for moment in moments:
        if moment.run != run:
            run = moment.run
            click.echo(f"\nRun {run}")
        print_text(moment.text, f"{GAP}{_time(moment)}{GAP}{moment.what:<11}{GAP}")


def _time(moment: Moment) -> str:
    """To the hundredth: most of what happens takes less than a second."""
    return f"{moment.at:%Y-%m-%dT%H:%M:%S}.{moment.at.microsecond // 10_000:02}Z"


def _reason(reason: Reason) -> str:
    about = f"{reason.about}: " if reason.about else ""
    rule = f"({reason.rule})" if reason.rule else ""
    gap = "\n" if "\n" in reason.text else " "
    return f"{about}{reason.code}: {reason.text}{gap * bool(rule)}{rule}"
