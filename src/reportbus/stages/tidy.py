"""Tidy: remove what is older than it is kept, apart from the way of the reports."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reportbus.ports import Bus, Clock, Staging


class Tidy:
    """The pump that drops old staged files and old messages.

    Staged files are kept longer than a run has to end. A retry that comes later asks the engine again.
    """

    def __init__(
        self,
        *,
        staging: Staging,
        bus: Bus,
        clock: Clock,
        staging_days: float,
        bus_days: float,
        topics: Sequence[str],
    ) -> None:
        self._staging = staging
        self._bus = bus
        self._clock = clock
        self._staging_age = timedelta(days=staging_days)
        self._bus_age = timedelta(days=bus_days)
        self._topics = topics

    def run_once(self) -> int:
        """Remove what is too old; always 0, since nothing new becomes too old at once."""
        now = self._clock.now()
        self._staging.sweep(before=now - self._staging_age)
        for topic in self._topics:
            self._bus.trim(topic, now - self._bus_age)
        return 0
