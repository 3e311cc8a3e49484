"""Retrying several requests: each for itself, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reportbus.core.errors import Refused
from reportbus.entry.actions.finding import find, taken_in
from reportbus.entry.cli import context
from reportbus.entry.cli.output import print_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reportbus.core.errors import Problem
    from reportbus.entry.actions.retrying import Retried


def again(act: Callable[..., Retried], request_ids: Sequence[str], by: str | None, *, as_json: bool) -> None:
    """Retry or replay each; one that cannot be does not keep the others, and ends the command with 1."""
    parts = context.parts()
    done: list[Retried] = []
    refused: list[Problem] = []
    for request_id in request_ids:
        try:
            view = taken_in(find(request_id, parts.records, parts.worktable_rows))
            ledger = parts.ledger
            done.append(
                act(
                    view.request_id,
                    by or context.operator(),
                    ledger.operations,
                    ledger.records,
                    parts.staging,
                )
            )
        except Refused as refusal:
            refused += refusal.problems
    if not as_json:
        for each in done:
            click.echo(_words(each))
    if refused:
        raise context.failed(refused, beside={"retried": done})
    if as_json:
        print_json({"retried": done})


def _words(done: Retried) -> str:
    if not done.opened:
        return f"{done.request_id} was retried already: run {done.run} is its newest, nothing to replay"
    start = "from staging" if done.staged else "from the engine on"
    return f"{done.request_id} begins run {done.run}, {start}"
