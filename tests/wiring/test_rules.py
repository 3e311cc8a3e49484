"""What the settings make of the rules of intake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entry.command_line import CommandLine
from reportbus.wiring.rules import intake_rules

if TYPE_CHECKING:
    from pathlib import Path


def test_destinations_that_are_switched_off_are_known_as_such(tmp_path: Path) -> None:
    shell = CommandLine(tmp_path)
    shell.write(
        "destinations.yaml",
        "destinations:\n"
        "  archive: {type: NAS, root: /srv/archive}\n"
        "  old: {type: NAS, root: /srv/old, enabled: false}\n",
    )
    with shell.parts() as parts:
        rules = intake_rules(parts.settings, parts.engines)

    assert set(rules.destinations) == {"archive"}
    assert rules.switched_off == {"old"}
