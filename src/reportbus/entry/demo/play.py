"""The demo from its first line to its last."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

import click

from reportbus.config import load as load_settings
from reportbus.entry.actions.words import count, seconds
from reportbus.entry.cli.output import print_text
from reportbus.entry.demo import flights, worktable
from reportbus.entry.demo.acts import Demo, ask, left_over, mend, show_refused
from reportbus.entry.demo.asking import PARTNER
from reportbus.entry.demo.closing import close
from reportbus.entry.demo.home import opened_home, shown, write_config
from reportbus.entry.demo.isolation import isolation
from reportbus.entry.demo.log import logging_to
from reportbus.entry.demo.mails import Mails
from reportbus.entry.demo.partner import Partner
from reportbus.entry.demo.running import running
from reportbus.wiring.parts import Parts

if TYPE_CHECKING:
    from reportbus.config import Settings
    from reportbus.entry.demo.home import Home
    from reportbus.entry.demo.stopping import Stop

_DATA: Final = "336,776 flights from New York in 2013, with airlines, airports, aircraft and weather"
_ENGINE: Final = "PYTHON"


def play(number: int, stop: Stop) -> bool:
    """Ask for `number` reports and show what becomes of them; whether all came out as they should.

    Raises Interrupted.
    """
    with ExitStack() as opened:
        home = opened.enter_context(opened_home(os.environ))
        settings = _prepare(home, stop)
        parts = opened.enter_context(Parts(settings))
        opened.enter_context(logging_to(home.log, parts.redactor))
        _show_line(parts, home)
        stop.check()
        partner = Partner(home.path / PARTNER, parts.destinations[PARTNER])
        opened.callback(partner.bring_back)
        partner.take_away()
        mails = Mails(home.path / "mail")
        line = opened.enter_context(running(parts, home.log))
        demo = Demo(home, parts, line, partner, stop)
        batch = ask(demo, number)
        show_refused(demo, batch)
        mend(demo, batch)
        return close(demo, batch, mails)


def _prepare(home: Home, stop: Stop) -> Settings:
    """Have configuration and data in the home."""
    click.secho("reportbus demo", bold=True)
    _say("home", f"{shown(home.path)} (delete it, and nothing is left)")
    stop.check()
    began = time.monotonic()
    loaded = flights.load(home.data)
    _say(
        "data",
        f"{_DATA}: " + (f"loaded in {seconds(time.monotonic() - began)}" if loaded else "loaded before"),
    )
    stop.check()
    write_config(home, isolation(home.path / "scratch"))
    return load_settings({name: str(path) for name, path in home.variables.items()}, home.path)


def _show_line(parts: Parts, home: Home) -> None:
    """Say what makes the reports, and what is there of earlier demos."""
    _say("reports", parts.engines[_ENGINE].test().text)
    _say("log", shown(home.log))
    open_ = left_over(parts)
    before = worktable.demos(parts.settings.worktable.path)
    if before:
        waiting = f"; {open_} of them are open, and finished along with the new ones" if open_ else ""
        _say("before", f"{count(before, 'demo')}, whose requests stay on record{waiting}")


def _say(name: str, text: str) -> None:
    print_text(text, f"{name:<9}")
