"""The embedded parts around the pumps: a worktable, a bus and a ledger as files, and requests to put in."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from reportbus.adapters.bus.sqlite import SqliteBus
from reportbus.adapters.clock import SystemClock
from reportbus.adapters.ledger.schema import upgrade_url
from reportbus.adapters.ledger.sql import SqlLedger
from reportbus.adapters.worktable.sqlite import SqliteWorktable
from reportbus.core.intake import DestinationRule, IntakeRules
from reportbus.core.model import TargetType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from reportbus.core.errors import Problem
    from reportbus.core.model import JsonValue

TOPIC = "report-requests"


def no_complaint(name: str, parameters: Mapping[str, JsonValue], format_: str) -> Sequence[Problem]:
    """An engine that makes anything."""
    return ()


RULES = IntakeRules(
    engines={"PYTHON": no_complaint},
    destinations={"archive": DestinationRule(TargetType.NAS, default=True)},
    channels={"LOG": False},
)


class Embedded:
    """One of each part in the folder `home`, closed at the end of the block."""

    def __init__(self, home: Path) -> None:
        self.clock = SystemClock()
        self.worktable = SqliteWorktable(home / "worktable.db")
        self.bus = SqliteBus(home / "bus.db", self.clock)
        url = f"sqlite:///{home / 'ledger.db'}"
        upgrade_url(url, self.clock)
        self.ledger = SqlLedger(url, self.clock, wakeups=False)
        self._open = ExitStack()
        for part in (self.worktable, self.bus, self.ledger):
            self._open.callback(part.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()


def asked(request_id: JsonValue, **changed: JsonValue) -> dict[str, JsonValue]:
    """The columns of a good request with one NAS target."""
    return {
        "REQUEST_ID": request_id,
        "REPORT_TYPE": "PYTHON",
        "REPORT_NAME": "sales",
        "PARAMETERS": '{"region":"N"}',
        "DISTRIBUTION_CONFIG": '{"format":"CSV","targets":[{"type":"NAS","path":"in"}]}',
        "STATUS": "PENDING",
    } | changed
