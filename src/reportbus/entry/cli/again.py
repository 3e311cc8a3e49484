"""Retrying several requests: each for itself, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reportbus.core.errors import Refused
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
            done.append(
                act(
                    request_id,
                    by or context.operator(),
                    parts.ledger.operations,
                    parts.ledger.records,
                    parts.staging,
                )
            )
        except Refused as refusal:
            refused += refusal.problems
    if as_json:
        print_json({"retried": done})
    else:
        for each in done:
            click.echo(_words(each))
    if refused:
        raise context.failed(refused)


def _words(done: Retried) -> str:
    if not done.opened:
        return f"{done.request_id} is no dead letter any more (run {done.run}): nothing to replay"
    start = "from staging" if done.staged else "from the engine on"
    return f"{done.request_id} begins run {done.run}, {start}"
