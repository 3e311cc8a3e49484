"""Secrets kept for a few minutes, so that a store is not asked for each delivery, and masked from then on."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from reportbus.core.secret_values import secret_values

if TYPE_CHECKING:
    from collections.abc import Callable

    from reportbus.adapters.secrets.secret import Secret
    from reportbus.core.redact import Redactor
    from reportbus.ports import Clock

KEEP_SECONDS: Final = 300.0


class SecretCache:
    """What `read` gave for a name, for `KEEP_SECONDS`; an error is not kept.

    `redactor` knows the values of a secret before anybody else has it.
    """

    def __init__(self, read: Callable[[str], Secret], clock: Clock, redactor: Redactor) -> None:
        self._read = read
        self._clock = clock
        self._redactor = redactor
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, Secret]] = {}

    def get(self, name: str) -> Secret:
        """The secret as it was read less than `KEEP_SECONDS` ago."""
        with self._lock:
            kept = self._kept.get(name)
        if kept is not None and self._clock.monotonic() - kept[0] < KEEP_SECONDS:
            return kept[1]
        return self.refresh(name)

    def refresh(self, name: str) -> Secret:
        """The secret as it is now."""
        asked = self._clock.monotonic()
        secret = self._read(name)
        self._redactor.register(*secret_values(secret))
        with self._lock:
            self._kept[name] = (asked, secret)
        return secret
