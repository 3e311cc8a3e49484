"""`reportbus up` and `reportbus run`: the roles, until a signal."""

from __future__ import annotations

import os
import signal
import sys
import time
from threading import Thread
from typing import TYPE_CHECKING, Final

import click

from reportbus import __version__
from reportbus.entry.cli import context
from reportbus.entry.cli.limits import places
from reportbus.entry.cli.output import output_option, print_fields, print_json
from reportbus.entry.stop_signals import NUMBERS, StopSignals
from reportbus.wiring.roles import PARTS_OF, ROLES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from threading import Event

    from reportbus.wiring.parts import Parts

_MARGIN_SECONDS: Final = 5.0
"""After the grace, what is left of a stop takes no longer."""


@click.command()
@output_option
def up(*, as_json: bool) -> None:
    """Run every role in one process, until SIGTERM or Ctrl-C.

    Work in hand is finished or handed back within the grace (stop.grace_seconds); a second signal ends it at
    once.
    """
    _serve(tuple(ROLES), as_json=as_json)


@click.command()
@click.argument("roles", metavar="ROLE...", nargs=-1, required=True, type=click.Choice(ROLES))
@output_option
def run(*, roles: tuple[str, ...], as_json: bool) -> None:
    """Run some roles, as one of several processes on one ledger, until SIGTERM or Ctrl-C.

    Roles: poller, orchestrator, generator, distributor, notifier.
    """
    _serve(tuple(dict.fromkeys(roles)), as_json=as_json)


def _serve(roles: Sequence[str], *, as_json: bool) -> None:
    from reportbus.wiring import line
    from reportbus.wiring.opening import wait_for_ledger

    parts = context.parts(serving=True)
    parts.engines  # noqa: B018 - makes them: a definition that is no good is told before anything runs
    stop = _stop(parts.settings.stop.grace_seconds)
    if not wait_for_ledger(parts, roles, stop):
        return
    loops = line.loops(parts, roles)
    _announce(parts, roles, as_json=as_json)
    well = line.run(loops, stop)
    if line.at_work():
        _end(0 if well else context.FAILED)
    if not well:
        click.get_current_context().exit(context.FAILED)


def _end(code: int) -> None:
    """End the process here and now: what hangs in a library may neither be waited for nor be torn down."""
    sys.stdout.flush()
    os._exit(code)


def _stop(grace: float) -> Event:
    """The wish to stop, by a signal or by a fault. A stop that takes too long is ended, whatever may hang."""
    signals = StopSignals()
    for number in NUMBERS:
        signal.signal(number, signals.hear)

    def limit() -> None:
        signals.asked.wait()
        time.sleep(grace + _MARGIN_SECONDS)
        os._exit(context.FAILED)

    Thread(target=limit, daemon=True).start()
    return signals.asked


def _announce(parts: Parts, roles: Sequence[str], *, as_json: bool) -> None:
    """Say what runs and where things are that it uses."""
    settings = parts.settings
    effective = {each.name: each.value for each in settings.effective}
    all_ = {
        "worktable": settings.worktable.path,
        "bus": settings.bus.path,
        "ledger": effective["ledger.url"],
        "staging": settings.staging.root,
    }
    used = {part for role in roles for part in PARTS_OF[role]}
    where = {"home": settings.home} | {part: place for part, place in all_.items() if part in used}
    if "distributor" in roles:
        targets = settings.destinations
        where |= {name: place for name, place in places(settings).items() if targets[name].enabled}
    if as_json:
        print_json({"version": __version__, "roles": roles, "where": where})
        return
    click.echo(f"reportbus {__version__} runs: {', '.join(roles)}")
    print_fields(where, "  ")
    click.echo("Ask for a report: reportbus request submit --help. Stop: Ctrl-C.")
