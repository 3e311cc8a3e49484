"""Options that say which requests, and times as people write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import click

from reportbus.core.model import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reportbus.ports import Filter

_AGO: Final = re.compile(r"(?P<number>[0-9]{1,6})(?P<unit>[smhd])")
_LIMIT: Final = click.IntRange(1, 10_000)
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Moment(click.ParamType[datetime]):
    """A time: ISO 8601, in UTC where it says no zone, or so long ago, such as 30m, 12h or 7d."""

    name = "TIME"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment, in UTC."""
        text = str(value)
        ago = _AGO.fullmatch(text)
        if ago is not None:
            return datetime.now(UTC) - timedelta(**{_UNITS[ago["unit"]]: int(ago["number"])})
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self.fail(
                f"{text!r} is no time like 2026-11-01T06:30:00Z, and none like 30m, 12h or 7d ago", param, ctx
            )
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def choice_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that choose among requests, by report and time."""
    for option in (
        click.option(
            "--limit", type=_LIMIT, metavar="NUMBER", default=50, show_default=True, help="At most so many."
        ),
        click.option("--until", type=Moment(), help="Taken in before that time."),
        click.option("--since", type=Moment(), help="Taken in since: 2026-11-01T06:30Z, or 12h or 7d ago."),
        click.option("--name", "report_name", default="", metavar="NAME", help="The report's name."),
        click.option("--type", "report_type", default="", metavar="TYPE", help="The report type."),
    ):
        command = option(command)
    return command


def filter_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a listing of requests."""
    for option in (
        click.option("--before", type=int, metavar="KEY", help="Go on with a listing: older than this key."),
        click.option("--by", "requested_by", default="", metavar="WHO", help="Asked for by."),
    ):
        command = option(command)
    return choice_options(command)


def filter_of(status: Sequence[str] = (), *, before: int | None = None, **fields: Any) -> Filter:  # noqa: ANN401 - Filter's own
    """The filter that the options ask for."""
    from reportbus.ports import Filter

    return Filter(status=tuple(Status(name) for name in status), before_key=before, **fields)
