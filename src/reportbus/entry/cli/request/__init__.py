"""`reportbus request`: the commands about single requests."""

from __future__ import annotations

from typing import Final

import click

from reportbus.entry.cli.lazy import LazyGroup

_HERE: Final = "reportbus.entry.cli.request"


@click.group(
    cls=LazyGroup,
    lazy={
        "submit": (f"{_HERE}.submit:submit", "Ask for reports: put requests into the worktable."),
        "list": (f"{_HERE}.listing:list_", "Requests, newest first."),
        "show": (f"{_HERE}.show:show", "One request: what was asked for and what became of it."),
        "watch": (f"{_HERE}.watch:watch", "Follow requests until they have ended."),
        "why": (f"{_HERE}.why:why", "The story of a request, what happens next, and the fix."),
        "cancel": (f"{_HERE}.change:cancel", "End a request without new work."),
        "retry": (f"{_HERE}.change:retry", "Make what is missing of failed requests."),
    },
)
def request() -> None:
    """Submit, follow, explain, cancel and retry requests.

    A request is a row of the worktable. Once it is taken in, the ledger knows it under its id.
    """
