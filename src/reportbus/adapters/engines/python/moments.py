"""Defaults of dates and timestamps that move with the request.

They are counted from the request's own time, so that a retry tomorrow gives the report that was asked for
today.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable


def _month_before(day: date) -> date:
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)


def _month_after(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


MOMENTS: Final[dict[str, Callable[[date], date]]] = {
    "today": lambda day: day,
    "yesterday": lambda day: day - timedelta(days=1),
    "tomorrow": lambda day: day + timedelta(days=1),
    "week_start": lambda day: day - timedelta(days=day.weekday()),
    "month_start": lambda day: day.replace(day=1),
    "month_end": lambda day: _month_after(day) - timedelta(days=1),
    "previous_month_start": _month_before,
    "previous_month_end": lambda day: day.replace(day=1) - timedelta(days=1),
    "year_start": lambda day: day.replace(month=1, day=1),
    "year_end": lambda day: day.replace(month=12, day=31),
    "previous_year_start": lambda day: date(day.year - 1, 1, 1),
    "previous_year_end": lambda day: date(day.year - 1, 12, 31),
}
"""By name: what a day makes of itself. Weeks start on Monday; all days are days of UTC."""

NOW: Final = "now"
"""The request's own time, for timestamps."""


def day_of(name: str, requested_at: datetime) -> date:
    """The day `name` means for a request of that time."""
    return MOMENTS[name](requested_at.astimezone(UTC).date())


def moment_of(name: str, requested_at: datetime) -> datetime:
    """The time `name` means: the request's own, or the start of the day it names. UTC, without zone."""
    if name == NOW:
        return requested_at.astimezone(UTC).replace(tzinfo=None)
    return datetime.combine(day_of(name, requested_at), time())
