"""The last act: what has come of it, where it lies, whether the record holds, and what to try next."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import click

from reportbus.core.model import Status
from reportbus.entry.actions.finding import Found
from reportbus.entry.actions.words import count, seconds
from reportbus.entry.cli.output import coloured, print_fields, print_table
from reportbus.entry.cli.request.follow import progress_words
from reportbus.entry.cli.table import Column
from reportbus.entry.demo import worktable
from reportbus.entry.demo.acts import watch
from reportbus.entry.demo.facts import Facts
from reportbus.entry.demo.home import program, shown
from reportbus.entry.demo.places import files_below
from reportbus.entry.demo.progress import OPEN
from reportbus.entry.demo.words import counted, heading, size
from reportbus.ports import Filter

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reportbus.entry.demo.acts import Batch, Demo
    from reportbus.entry.demo.mails import Mails
    from reportbus.ports import RequestView

_URGENT: Final = range(1, 4)
_PATIENT: Final = range(7, 10)

_FORMATS: Final = (
    Column("FORMAT"),
    Column("REPORTS", right=True),
    Column("ROWS", right=True),
    Column("SIZE", right=True),
)
_FOLDERS: Final = (
    Column("FOLDER"),
    Column("FILES", right=True),
    Column("SIZE", right=True),
    Column("FOR INSTANCE", gives=True),
)
_MAILS: Final = (Column("MAILS"), Column("NUMBER", right=True), Column("FOR INSTANCE", gives=True))
_FAILURES: Final = (Column("REQUEST"), Column("REPORT"), Column("WHY", gives=True))


def close(demo: Demo, batch: Batch, mails: Mails) -> bool:
    """Show what has come of it; whether that is what should have.

    Ends the command where notices or the worktable are not done in time. Raises Interrupted.
    """
    watching = watch(demo, batch.ids, batch.since)
    watching.until_settled(lambda: _is_written_back(demo))
    heading(4, "What has come of it")
    views = watching.look()
    _show_counts(demo, batch, views)
    _show_places(demo, mails)
    well = all([_show_record(demo), _show_failures(batch, views)])
    _show_next(demo, batch)
    return well


def _is_written_back(demo: Demo) -> bool:
    """Whether the worktable shows how all requests ended, those of earlier demos included."""
    ledger = demo.parts.ledger
    return not ledger.records.list(Filter(status=OPEN, limit=1)) and not ledger.operations.unwritten(1)


def _show_counts(demo: Demo, batch: Batch, views: Sequence[RequestView]) -> None:
    facts = Facts()
    for request_id in batch.ids:
        facts.add(list(demo.parts.ledger.records.audit(request_id)))
    statuses = worktable.statuses(demo.parts.settings.worktable.path, batch.ids)
    rate = len(batch.ids) / batch.took
    fields = {
        "ledger": f"{counted(view.status for view in views)}; {rate:.0f} requests a second",
        "worktable": ", ".join(f"{number} {status}" for status, number in statuses.items()),
        "waited": f"{seconds(facts.wait(_URGENT))} for the engine with priority 1 to 3, "
        f"{seconds(facts.wait(_PATIENT))} with priority 7 to 9",
    }
    print_fields(fields)
    click.echo()
    print_table(
        _FORMATS,
        [
            (format_, made.reports, f"{made.rows:,}" if made.rows else "", size(made.size))
            for format_, made in sorted(facts.made.items())
        ],
    )


def _show_places(demo: Demo, mails: Mails) -> None:
    rows: list[tuple[object, ...]] = []
    for root in (demo.home.path / "delivered", demo.partner.root):
        rows += [(shown(root), "", "", "")]
        rows += [
            (f"  {folder.name}", len(folder.sizes), size(sum(folder.sizes.values())), _some(folder.sizes))
            for folder in files_below(root)
        ]
    click.echo()
    print_table(_FOLDERS, rows)
    kinds = mails.kinds()
    click.echo(f"\n{count(sum(kind.number for kind in kinds), 'mail')} in {shown(mails.maildir)}:\n")
    print_table(_MAILS, [(kind.kind, kind.number, kind.subject) for kind in kinds])


def _some(names: Iterable[str]) -> str:
    first, *more = names
    return f"{first} ..." if more else first


def _show_record(demo: Demo) -> bool:
    """Verify the whole record; whether it holds."""
    records = demo.parts.ledger.records
    began = time.monotonic()
    broken = list(records.verify())
    rows, chains = sum(1 for _ in records.audit()), sum(records.counts().values())
    took = seconds(time.monotonic() - began)
    click.echo("\n$ reportbus audit verify")
    for each in broken:
        click.secho(f"{each.request_id}, row {each.sequence}: {each.reason}", fg="red")
    if not broken:
        click.echo(f"every row is as it was written: {rows:,} rows in {chains} chains, checked in {took}")
    return not broken


def _show_failures(batch: Batch, views: Sequence[RequestView]) -> bool:
    """Name the requests that failed and should not have; whether there is none."""
    failed = [
        (view.request_id, view.report_name, progress_words(Found(view.request_id, view)))
        for view in views
        if (view.status is Status.COMPLETED) is (view.request_id == batch.refused)
    ]
    if failed:
        click.echo(coloured("\nNot as it should be:\n"))
        print_table(_FAILURES, failed)
    return not failed


def _show_next(demo: Demo, batch: Batch) -> None:
    variables = " ".join(f"{name}={shown(path)}" for name, path in demo.home.variables.items())
    reportbus = program()
    delivered = shown(demo.home.path / "delivered")
    heading(5, "To look at, and to try next")
    click.echo(
        f"""\
{delivered}/website/maps/route_map_all.html
{delivered}/management/punctuality/punctuality_2013-01.pdf

export {variables}
{reportbus} request list --status COMPLETED --limit 10
{reportbus} request why {batch.broken}
{reportbus} audit export --request {batch.broken} -o csv"""
    )
