from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from entry.command_line import ONE, CommandLine
from entry.hops import run_line
from reportbus.adapters.worktable.sqlite import SqliteWorktable
from reportbus.core.intake import DestinationRule, IntakeRules, RawRow, Reading, read_row
from reportbus.core.intake.asked import FILE_FIELDS, MAIL_FIELDS
from reportbus.core.model import TargetType

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "submit-requests.md").read_text()
RULES = IntakeRules(
    engines={"PYTHON": lambda _name, _parameters, _format: ()},
    destinations={
        "delivered": DestinationRule(TargetType.NAS, default=True),
        "acme": DestinationRule(TargetType.NAS),
        "mail": DestinationRule(TargetType.EMAIL, default=True),
    },
    channels={"EMAIL": True, "LOG": False},
)

NO_GOOD = {
    "request_id": "sales-2026-11-01",
    "report_type": "PYTHON",
    "report_name": "sales_by_region",
    "priority": 12,
    "distribution_config": {"fromat": "CSV", "targets": "none"},
}


def blocks(language: str) -> list[str]:
    """The page's examples in a language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def read(columns: dict[str, object]) -> Reading:
    asked = {"REQUEST_ID": "R-1", "REPORT_TYPE": "PYTHON", "REPORT_NAME": "sales"}
    return read_row(RawRow("1", asked | columns), RULES, datetime.now(UTC))  # type: ignore[arg-type]


def test_the_sql_examples_are_good_requests(tmp_path: Path) -> None:
    with closing(SqliteWorktable(tmp_path / "worktable.db")) as worktable:
        with closing(sqlite3.connect(tmp_path / "worktable.db")) as people:
            for block in blocks("sql"):
                people.executescript(block)
        rows = worktable.fetch(10, again=0, published_before=datetime.now(UTC))
    readings = [
        read_row(RawRow(row.ref, row.columns, row.distribution), RULES, datetime.now(UTC)) for row in rows
    ]

    assert [(reading.request_id, reading.problems) for reading in readings] == [
        ("sales-2026-11-01", ()),
        ("stock-1", ()),
    ]
    assert [len(reading.request.targets) for reading in readings if reading.request] == [1, 3]


def test_the_json_example_is_a_good_configuration() -> None:
    (example,) = blocks("json")
    reading = read({"PARAMETERS": '{"as_of": "2026-11-01"}', "DISTRIBUTION_CONFIG": example})

    assert reading.problems == ()


def test_the_template_example_makes_a_name() -> None:
    template = blocks("text")[0].strip()
    config = json.dumps({"file_name": template, "targets": [{"type": "NAS"}]})
    reading = read({"PARAMETERS": '{"as_of": "2026-11-01"}', "DISTRIBUTION_CONFIG": config})

    assert reading.request is not None
    assert (reading.request.targets[0].path, reading.request.file_name) == ("sales", "2026-11_all.pdf")


def test_the_example_of_a_refusal_is_what_the_command_prints(tmp_path: Path) -> None:
    shell = CommandLine(tmp_path)
    shell.write("reports/sales_by_region.yaml", ONE.replace("name: one", "name: sales_by_region"))
    shell.run("request", "submit", "--no-check", "--file", "-", stdin=json.dumps(NO_GOOD))
    run_line(shell)
    shown = blocks("text")[1]
    (day,) = re.findall(r"\d{4}-\d\d-\d\dT[0-9:.]+Z", shown)
    printed = shell.text("request", "why", "sales-2026-11-01")

    assert re.sub(r"\d{4}-\d\d-\d\dT[0-9:.]+Z", day, printed) == shown


@pytest.mark.parametrize("field", sorted((FILE_FIELDS | MAIL_FIELDS) - {"credentials_secret"}))
def test_every_field_of_a_target_is_explained(field: str) -> None:
    assert f"`{field}`" in PAGE
