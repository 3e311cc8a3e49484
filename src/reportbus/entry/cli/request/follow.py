"""Following requests to their end: bars at a terminal, a line for each change elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import click

from reportbus.core.errors import Problem
from reportbus.core.model import Status
from reportbus.entry.actions.finding import not_taken_in
from reportbus.entry.actions.watching import Watch
from reportbus.entry.actions.words import first_line
from reportbus.entry.cli import context
from reportbus.entry.cli.output import cell, coloured, print_json, when
from reportbus.entry.cli.table import GAP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from reportbus.entry.actions.finding import Found
    from reportbus.wiring.parts import Parts

    Show = Callable[[Mapping[str, Found]], None]

_NAMED: Final = 10
_BARS: Final = 20
"""At most so many requests have a bar each; more share one."""


def follow(
    parts: Parts, ids: Sequence[str], *, timeout: float | None, as_json: bool, everything: bool = False
) -> None:
    """Show the requests until all have ended; ends the command with 1 where one failed or time ran out."""
    watch = Watch(lambda: (parts.records, parts.worktable_rows), parts.clock, time.sleep)
    seen: Mapping[str, Found] = {}
    with _showing(as_json=as_json) as show:
        for seen in watch.looks(ids, timeout=timeout, everything=everything):
            show(seen)
    if not seen:
        context.say_nothing("no request to watch: there is none that has not ended")
    document = {"requests": [_document(found) for found in seen.values()]}
    problems = [*_not_ended(seen, timeout), *_not_taken_up(seen)]
    if problems:
        raise context.failed(problems, beside=document)
    if as_json:
        print_json(document)
    if any(found.status == Status.FAILED for found in seen.values()):
        click.get_current_context().exit(context.FAILED)


def _not_ended(seen: Mapping[str, Found], timeout: float | None) -> Iterator[Problem]:
    waiting = [id_ for id_, found in seen.items() if not found.ended]
    if waiting:
        named = ", ".join(waiting[:_NAMED]) + (", ..." if len(waiting) > _NAMED else "")
        text = f"{len(waiting)} of {len(seen)} had not ended after {timeout:g} s: {named}"
        yield Problem("RUN_NOT_ENDED", text)


def _not_taken_up(seen: Mapping[str, Found]) -> Iterator[Problem]:
    """What nobody will take up as it stands: waiting for it would never end."""
    for found in seen.values():
        if found.view is None and found.ended:
            yield from not_taken_in(found).problems


def _document(found: Found) -> object:
    return found.view or {"request_id": found.request_id, "status": found.status}


@contextmanager
def _showing(*, as_json: bool) -> Iterator[Show]:
    if as_json:
        yield lambda _seen: None
    elif sys.stdout.isatty() and sys.stderr.isatty():
        from reportbus.entry.cli.request.bars import Bars

        with Bars(_BARS) as bars:
            yield bars.show
    else:
        yield _Lines().show


class _Lines:
    """A line for each change."""

    def __init__(self) -> None:
        self._shown: dict[str, tuple[object, ...]] = {}

    def show(self, seen: Mapping[str, Found]) -> None:
        """Print what has changed since the last look."""
        for request_id, found in seen.items():
            state = (found.status, progress_words(found))
            if self._shown.get(request_id) != state:
                self._shown[request_id] = state
                at = datetime.now(UTC) if found.view is None else found.view.changed_at
                click.echo(
                    coloured(
                        GAP.join(
                            [when(at), request_id, f"{found.status:<11}", progress_words(found)]
                        ).rstrip()
                    )
                )


def progress_words(found: Found) -> str:
    """How far a request is, beside its status."""
    view = found.view
    if view is None:
        return "in the worktable, not taken in yet"
    taken_in_as = f"taken in as {view.request_id}" if view.request_id != found.request_id else ""
    delivered = f"{view.delivered} of {view.targets} delivered" if view.targets else ""
    reason = (
        cell(first_line(view.text if view.text.startswith(view.code) else f"{view.code}: {view.text}"))
        if view.code
        else ""
    )
    return ", ".join(filter(None, (taken_in_as, delivered, reason)))
