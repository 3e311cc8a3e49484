"""`reportbus request submit`."""

from __future__ import annotations

import sys
from typing import IO, TYPE_CHECKING, Final

import click

from reportbus.entry.cli import context
from reportbus.entry.cli.output import output_option, print_json
from reportbus.entry.cli.request.asked import Parameter, request_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from reportbus.core.model import JsonValue
    from reportbus.wiring.parts import Parts

_EXAMPLES: Final = """\
\b
reportbus request submit --type PYTHON --name flights/daily -p day=2026-11-01 --target delivered
reportbus request submit --file request.json --wait
"""


@click.command(epilog=_EXAMPLES)
@click.option("--type", "report_type", metavar="TYPE", help="The report type, such as PYTHON.")
@click.option("--name", "report_name", metavar="NAME", help="The report's name at its engine.")
@click.option(
    "-p",
    "--parameter",
    "parameters",
    multiple=True,
    type=Parameter(),
    help="A parameter: key=text, or key:=JSON for numbers, lists, true and false.",
)
@click.option("--parameters", "parameters_json", metavar="JSON", help="All parameters, as one JSON object.")
@click.option(
    "--format", "format_", metavar="FORMAT", help="PDF, CSV, XLSX ...; intake.default_format when left out."
)
@click.option(
    "--file-name", metavar="TEMPLATE", help="The file's name, such as {{ report }}_{{ as_of }}.pdf."
)
@click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="TARGET",
    help="Where it goes: DESTINATION[/PATH], mailto:ADDRESS[,ADDRESS], TYPE://DESTINATION/PATH, a target as "
    "JSON, or none to have it staged only.",
)
@click.option("--priority", type=int, metavar="1-9", help="1 (most urgent) to 9; 5 when left out.")
@click.option("--by", "requested_by", metavar="WHO", help="Who asks; your login name when left out.")
@click.option("--id", "request_id", metavar="ID", help="The request's id; made up when left out.")
@click.option(
    "--file",
    "file",
    type=click.File("rb"),
    help="One request as JSON, or a list of them; - for standard input.",
)
@click.option("--no-check", is_flag=True, help="Submit without checking: intake will refuse what is wrong.")
@click.option(
    "--wait", is_flag=True, help="Follow the requests until they have ended; exit 1 where one failed."
)
@click.option(
    "--timeout", type=click.FloatRange(min=0), metavar="SECONDS", help="With --wait: at most so many seconds."
)
@output_option
def submit(
    *,
    file: IO[bytes] | None,
    requested_by: str | None,
    no_check: bool,
    wait: bool,
    timeout: float | None,
    as_json: bool,
    **options: Any,  # noqa: ANN401 - what says the request, handed on to what reads it
) -> None:
    """Ask for reports: put requests into the worktable, all of them or none.

    A request is checked first by the rules that intake has; every problem is told at once. The ids of the
    requests are printed.
    """
    from reportbus.entry.actions import submitting

    given = any(value not in (None, ()) for value in options.values())
    if (file is not None) == given:
        raise click.UsageError(
            "Say either what report is wanted (--type, --name ...) or which --file says it."
        )
    parts = context.parts()
    by = requested_by or context.operator()
    if file is not None:
        requests: Sequence[Mapping[str, JsonValue]] = submitting.requests_from_json(file.read())
    else:
        requests = [request_of(parts.settings, **options)]
    rows = submitting.rows_of(requests, by)
    if not no_check:
        _check(parts, rows)
    ids = submitting.submit(rows, parts.worktable)
    if wait:
        from reportbus.entry.cli.request.follow import follow

        follow(parts, ids, timeout=timeout, as_json=as_json)
    elif as_json:
        print_json({"submitted": [{"request_id": request_id} for request_id in ids]})
    else:
        click.echo("\n".join(ids))
        if sys.stdout.isatty() and len(ids) == 1:
            click.echo(f"Follow it: reportbus request watch {ids[0]}", err=True)


def _check(parts: Parts, rows: Sequence[Mapping[str, JsonValue]]) -> None:
    """End here with every problem there is."""
    from reportbus.entry.actions.submitting import check
    from reportbus.wiring.rules import intake_rules

    rules = intake_rules(parts.settings, parts.engines)
    problems = check(rows, rules, parts.clock.now())
    if problems:
        raise context.failed(problems)
