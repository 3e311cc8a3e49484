"""The roles of the line, and the stages that three of them are for."""

from __future__ import annotations

from typing import Final

from reportbus.core.jobs import Stage

ROLES: Final = {
    "poller": "takes requests from the worktable to the bus",
    "orchestrator": "takes requests from the bus into the ledger, and finds again what was lost",
    "generator": "has the engines make the reports",
    "distributor": "delivers the reports to their targets",
    "notifier": "tells people and systems, and writes the status back to the worktable",
}

STAGE_OF: Final = {
    "generator": Stage.GENERATE,
    "distributor": Stage.DELIVER,
    "notifier": Stage.NOTIFY,
}

PARTS_OF: Final = {
    "poller": ("worktable", "bus"),
    "orchestrator": ("bus", "ledger"),
    "generator": ("ledger", "staging", "bus"),
    "distributor": ("ledger", "staging", "bus"),
    "notifier": ("ledger", "worktable"),
}
"""What each role works with; the distributor also with the destinations."""
