"""The command line. Importing it imports no adapter: each command does when it runs."""

from __future__ import annotations

import sys
from io import TextIOWrapper

import click

from reportbus import __version__
from reportbus.entry.cli.context import Root

_HERE = "reportbus.entry.cli"


@click.group(
    cls=Root,
    lazy={
        "up": (f"{_HERE}.roles:up", "Run every role in one process."),
        "run": (f"{_HERE}.roles:run", "Run some roles, as one of several processes."),
        "request": (f"{_HERE}.request:request", "Submit, follow, explain, cancel and retry requests."),
        "delivery": (f"{_HERE}.delivery:delivery", "See which target has what."),
        "dead-letter": (f"{_HERE}.dead_letter:dead_letter", "See and replay what failed for good."),
        "engine": (f"{_HERE}.engine:engine", "See and test what makes reports."),
        "destination": (f"{_HERE}.destination:destination", "See and test where reports go."),
        "audit": (f"{_HERE}.audit:audit", "Export the record, and prove that nobody touched it."),
        "config": (f"{_HERE}.configuration:config", "Check the settings, and see where each came from."),
        "db": (f"{_HERE}.db:db", "Bring the ledger's database to this version."),
        "doctor": (f"{_HERE}.doctor:doctor", "Connect to everything configured; change nothing."),
        "demo": ("reportbus.entry.demo:command", "Make, deliver and announce real reports, here and now."),
    },
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, prog_name="reportbus")
def cli() -> None:
    """Report requests in, whole reports delivered, every step on record.

    Exit codes: 0 done, 1 the thing failed, 2 wrong usage, 78 wrong configuration. Times are ISO 8601, in UTC.
    """


def main() -> None:
    """Run the command line of this process."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    cli(prog_name="reportbus")
