"""Opening the ledger for a line, which can wait for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reportbus.core.errors import Transient
from reportbus.stages.worker import Absence
from reportbus.wiring.roles import PARTS_OF

if TYPE_CHECKING:
    from collections.abc import Collection
    from threading import Event

    from reportbus.wiring.parts import Parts

_PAUSE_SECONDS: Final = 1.0


def wait_for_ledger(parts: Parts, roles: Collection[str], stop: Event) -> bool:
    """Open the ledger as soon as it is there, where the roles need one; False where `stop` is set before.

    Raises Permanent where waiting would not help: another schema, no such host, a log-in that is refused.
    """
    if not any("ledger" in PARTS_OF[role] for role in roles):
        return True
    absence = Absence(parts.clock)
    while not stop.is_set():
        try:
            parts.ledger  # noqa: B018 - opens it
        except Transient as error:
            absence.away(error)
            stop.wait(_PAUSE_SECONDS)
        else:
            absence.back()
            return True
    return False
