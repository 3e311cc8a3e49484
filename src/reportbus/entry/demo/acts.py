"""The acts: reports are asked for, one request is refused, one meets a broken destination that is mended."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import click

from reportbus.entry.actions.retrying import retry
from reportbus.entry.actions.why import why
from reportbus.entry.actions.words import seconds
from reportbus.entry.cli.context import operator
from reportbus.entry.cli.output import coloured, print_fields, print_table, print_text
from reportbus.entry.cli.request.why import line_of, print_reasons
from reportbus.entry.cli.table import Column
from reportbus.entry.demo import worktable
from reportbus.entry.demo.asking import PARTNER, asking
from reportbus.entry.demo.facts import runs
from reportbus.entry.demo.home import shown
from reportbus.entry.demo.progress import OPEN, Watch, showing
from reportbus.entry.demo.words import counted, heading
from reportbus.ports import Filter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from reportbus.entry.demo.asked import Asked
    from reportbus.entry.demo.home import Home
    from reportbus.entry.demo.partner import Partner
    from reportbus.entry.demo.running import Running
    from reportbus.entry.demo.stopping import Stop
    from reportbus.wiring.parts import Parts

_BEFORE: Final = timedelta(minutes=1)
"""How long before now one looks for what is taken in from now on: clocks differ."""

_MOST: Final = 10_000

_RUN_COLUMNS: Final = (
    Column("RUN", right=True),
    Column("ENGINE CALLS", right=True),
    Column("DELIVERIES", right=True),
    Column("NOTICES", right=True),
    Column("ENDED"),
)


@dataclass(frozen=True, slots=True)
class Demo:
    """What the acts are played with."""

    home: Home
    parts: Parts
    line: Running
    partner: Partner
    stop: Stop


@dataclass(frozen=True, slots=True)
class Batch:
    """The requests of one demo, with the two that fail, and the seconds until all had ended."""

    ids: tuple[str, ...]
    refused: str
    broken: str
    since: datetime
    took: float


def ask(demo: Demo, number: int) -> Batch:
    """Ask for the reports, and watch the requests to their end."""
    heading(1, f"{number} reports are asked for")
    asked = asking(number)
    path = demo.parts.settings.worktable.path
    since = demo.parts.clock.now() - _BEFORE
    began = time.monotonic()
    ids = worktable.insert(path, asked.requests)
    print_text(f"Rows are inserted into {shown(path)}, as any SQLite client can. The first one:")
    click.echo()
    click.echo(_insert(ids[0], asked.requests[0]))
    click.echo()
    print_text(
        f"Meanwhile the destination {PARTNER} is broken: its folder {shown(demo.partner.root)} is gone."
    )
    click.echo()
    with showing() as show:
        views = watch(demo, ids, since).until_ended(show)
    took = time.monotonic() - began
    click.echo(coloured(f"\nAll have ended after {seconds(took)}: {counted(view.status for view in views)}"))
    return Batch(tuple(ids), ids[asked.no_good], ids[asked.to_partner], since, took)


def show_refused(demo: Demo, batch: Batch) -> None:
    """Tell of the request that is no good: what is wrong with it, all at once."""
    heading(2, "One of them is refused")
    row = demo.parts.worktable.find(batch.refused)
    asked = row.columns if row else {}
    print_fields({name: asked.get(name) for name in ("REPORT_NAME", "PARAMETERS", "PRIORITY")})
    click.echo()
    _explain(demo, batch.refused)


def mend(demo: Demo, batch: Batch) -> None:
    """Tell of the request that met the broken destination; mend that, retry, show what was done again."""
    heading(3, "One of them meets the broken destination")
    _explain(demo, batch.broken)
    demo.partner.bring_back()
    click.echo(f"\nThe folder is put back.\n\n$ reportbus destination test {PARTNER}")
    print_text(demo.partner.test().text)
    ledger = demo.parts.ledger
    done = retry(batch.broken, operator(), ledger.operations, ledger.records, demo.parts.staging)
    start = "from staging, without the engine" if done.staged else "from the engine on"
    click.echo(f"\n$ reportbus request retry {batch.broken}\n{batch.broken} begins run {done.run}, {start}")
    watching = watch(demo, [batch.broken], batch.since)
    watching.until_ended(lambda _tally: None)
    watching.until_settled()
    rows = [
        (run.run, run.engine_calls, run.deliveries, run.notices, run.status)
        for run in runs(ledger.records, batch.broken)
    ]
    click.echo()
    print_table(_RUN_COLUMNS, rows)


def watch(demo: Demo, ids: Sequence[str], since: datetime) -> Watch:
    """What looks at requests that are taken in since that time."""
    return Watch(demo.parts.ledger.records, frozenset(ids), since, demo.line, demo.stop)


def left_over(parts: Parts) -> int:
    """How many requests of earlier demos are still open, in the ledger or in the worktable."""
    records = parts.ledger.records
    rows = parts.worktable.fetch(_MOST, again=_MOST, published_before=parts.clock.now())
    pending = {row.columns.get("REQUEST_ID") for row in rows}
    return len(pending | {view.request_id for view in records.list(Filter(status=OPEN, limit=_MOST))})


def _explain(demo: Demo, request_id: str) -> None:
    """Why a request has failed, as `reportbus request why` says it."""
    answer = why(request_id, line_of(demo.parts))
    click.echo(f"$ reportbus request why {request_id}")
    print_text(answer.summary)
    print_reasons(answer)


def _insert(request_id: str, asked: Asked) -> str:
    """The statement as one would write it."""
    values = [
        f"'{value}'" if isinstance(value, str) else str(value)
        for value in worktable.values(request_id, asked)
    ]
    id_, type_, name, parameters, config, priority, by = values
    rows = (f"({id_}, {type_}, {name},", f" {parameters},", f" {config},", f" {priority}, {by});")
    *head, _ = worktable.INSERT_REQUEST.splitlines()
    return "\n".join([*(f"  {line}" for line in head), "  VALUES", *(f"    {row}" for row in rows)])
