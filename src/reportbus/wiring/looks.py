"""A look at each part that may have to be made first: nothing is made or changed by it.

Each says whether the part is well and how it stands, and raises the part's own error.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from reportbus.adapters.clock import SystemClock
from reportbus.wiring.parts import GROUP

if TYPE_CHECKING:
    from reportbus.config import Settings

Look: TypeAlias = tuple[bool, str]

LATER: Final = "not there yet; made at the first use"
_EMPTY: Final = "is empty; its tables are made at the first use"


def worktable(settings: Settings) -> Look:
    """Whether requests wait in it."""
    from reportbus.adapters.worktable.sqlite_look import waiting

    path = settings.worktable.path
    if not path.exists():
        return True, f"{path} is {LATER}"
    found = waiting(path, SystemClock().now())
    if found is None:
        return True, f"{path} {_EMPTY}"
    return True, f"{path} answers" + ("; requests wait in it" if found else "")


def bus(settings: Settings) -> Look:
    """How many messages wait in it."""
    from reportbus.adapters.bus.sqlite_look import depth

    path = settings.bus.path
    if not path.exists():
        return True, f"{path} is {LATER}"
    found = depth(path, settings.bus.topic, GROUP)
    return True, f"{path} {_EMPTY}" if found is None else f"{path} answers; {found} messages wait"


def ledger(settings: Settings) -> Look:
    """Whether its schema is this version's."""
    from reportbus.adapters.ledger.database import Database
    from reportbus.adapters.ledger.revision import current, looked_up, misfit

    database = Database(settings.ledger.url, SystemClock(), pool=1)
    try:
        file = Path(database.url.database or "") if database.dialect.name == "sqlite" else None
        if file is not None and not file.exists():
            return True, f"{file} is {LATER}"
        have = current(database) if file is None else looked_up(file)
    finally:
        database.close()
    if file is not None and have is None:
        return True, f"{file} {_EMPTY}"
    if wrong := misfit(have):
        return False, f"its {wrong}"
    return True, f"it answers; its schema is {have}"
