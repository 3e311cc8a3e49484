"""Taking requests in: a worktable row becomes a complete request, or the list of everything wrong with it."""

from __future__ import annotations

from reportbus.core.intake.content import WIDTHS, without_secrets_in
from reportbus.core.intake.message import RawRow, row_from_text, row_to_text
from reportbus.core.intake.reading import Reading, read_row, refuse_row
from reportbus.core.intake.rules import DestinationRule, IntakeRules

__all__ = [
    "WIDTHS",
    "DestinationRule",
    "IntakeRules",
    "RawRow",
    "Reading",
    "read_row",
    "refuse_row",
    "row_from_text",
    "row_to_text",
    "without_secrets_in",
]
