"""What intake judges by, as the configuration says it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from entry.command_line import CommandLine
from reportbus.core.intake import RawRow, read_row
from reportbus.wiring.rules import intake_rules

if TYPE_CHECKING:
    from pathlib import Path

DESTINATIONS = """
destinations:
  acme: {type: NAS, root: acme, default: true, credentials_secret: acme-login}
  plain: {type: NAS, root: plain}
"""


@pytest.fixture
def shell(tmp_path: Path) -> CommandLine:
    """A configuration of its own."""
    shell = CommandLine(tmp_path)
    shell.write("destinations.yaml", DESTINATIONS)
    return shell


@pytest.mark.parametrize(
    ("path", "secret", "codes"),
    [
        ("nas://acme/in", "acme-login", []),
        ("nas://acme/in", None, []),
        ("nas://acme/in", "audit-db", ["SEC_SECRET_FORBIDDEN"]),
        ("nas://plain/in", None, []),
        ("nas://plain/in", "acme-login", ["SEC_SECRET_FORBIDDEN"]),
    ],
)
def test_a_request_may_name_the_credentials_its_destination_is_configured_with_and_no_others(
    shell: CommandLine, path: str, secret: str | None, codes: list[str]
) -> None:
    with shell.parts() as parts:
        rules = intake_rules(parts.settings, parts.engines)
    target = {"TARGET_TYPE": "NAS", "TARGET_PATH": path, "CREDENTIALS_SECRET": secret, "ENABLED": True}
    asked = {"REQUEST_ID": "R-1", "REPORT_TYPE": "PYTHON", "REPORT_NAME": "one", "REQUESTED_BY": "ann"}
    reading = read_row(RawRow("1", asked, (target,)), rules, datetime.now(UTC))
    assert [problem.code for problem in reading.problems] == codes


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
