from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reportbus.config import load
from reportbus.core.formats import FORMATS
from reportbus.entry.actions.submitting import problems_of
from reportbus.entry.demo import LEAST, MOST, flights, worktable
from reportbus.entry.demo.asking import PARTNER, asking
from reportbus.entry.demo.home import Home, write_config
from reportbus.wiring.parts import Parts
from reportbus.wiring.rules import intake_rules

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reportbus.core.model import JsonValue
    from reportbus.entry.demo.asked import Asked


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    """The demo's parts, without its data: nothing is made here."""
    home = Home(tmp_path)
    write_config(home, "auto")
    with Parts(load({name: str(path) for name, path in home.variables.items()}, tmp_path)) as parts:
        yield parts


def problems(asked: Asked, parts: Parts) -> list[str]:
    """What intake would refuse the request for."""
    names = (
        "REQUEST_ID",
        "REPORT_TYPE",
        "REPORT_NAME",
        "PARAMETERS",
        "DISTRIBUTION_CONFIG",
        "PRIORITY",
        "REQUESTED_BY",
    )
    row = dict(zip(names, worktable.values("demo-1-001", asked), strict=True))
    targets: list[dict[str, JsonValue]] = [
        {"CONFIG_ID": f"{number}", "TARGET_TYPE": type_, "TARGET_PATH": path}
        for number, (type_, path) in enumerate(asked.table)
    ]
    rules = intake_rules(parts.settings, parts.engines)
    return [problem.code for problem in problems_of(row, targets, rules, parts.clock.now())]


def test_every_request_is_taken_in_but_the_one_that_is_no_good(parts: Parts) -> None:
    found = asking(MOST)
    refused = {
        number: codes for number, asked in enumerate(found.requests) if (codes := problems(asked, parts))
    }
    assert {found.no_good: ["VAL_PARAM_UNKNOWN", "VAL_PARAM_TYPE", "VAL_PARAM_LIMIT"]} == refused


@pytest.mark.parametrize("number", [LEAST, 47, MOST])
def test_there_are_as_many_requests_as_asked_for_and_one_of_them_goes_to_the_partner(number: int) -> None:
    found = asking(number)
    assert number == len(found.requests)
    to_partner = [
        position
        for position, asked in enumerate(found.requests)
        if any(target.get("destination") == PARTNER for target in asked.targets)
    ]
    assert [found.to_partner] == to_partner


@pytest.mark.parametrize("number", [LEAST, MOST])
def test_every_format_and_every_report_is_asked_for(number: int, parts: Parts) -> None:
    requests = asking(number).requests
    assert {"CSV", "XLSX", "PARQUET", "JSONL", "HTML", "PDF"} == {asked.format for asked in requests}
    assert {asked.format for asked in requests} < FORMATS.keys()
    reports = {str(file.values["name"]) for file in parts.settings.reports["PYTHON"]}
    assert reports == {asked.report for asked in requests}


def test_a_hundred_requests_have_priorities_from_first_to_last_and_many_requesters() -> None:
    requests = asking(MOST).requests
    assert set(range(1, 10)) == {asked.priority for asked in requests}
    assert len({asked.by for asked in requests}) > 8


def test_no_two_requests_want_the_same_file(parts: Parts) -> None:
    wanted = [
        (
            asked.file_name,
            str(asked.parameters.get("day")),
            str(asked.parameters.get("airline")),
            *map(str, asked.targets),
        )
        for asked in asking(MOST).requests
        if "{{ from_day" not in asked.file_name and "{{ measure" not in asked.file_name
    ]
    assert len(wanted) == len(set(wanted))


def test_the_data_is_loaded_once_and_again_where_the_file_is_no_good(tmp_path: Path) -> None:
    path = tmp_path / "data" / "flights.duckdb"
    assert flights.load(path)
    assert not flights.load(path)
    path.write_bytes(b"no database")
    assert flights.load(path)
    assert [path] == list(path.parent.iterdir())
