"""Requests to put into the worktable, and what has to come of each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flows.ready_engine import DEADLY, DEAF, ERROR_PAGE, HANGING, IN_STEPS, PLAIN, SECOND_TIME
from reportbus.core.model import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportbus.core.model import JsonValue

_BAD_FORMAT: Final = "PIE"
_FAILING: Final = {ERROR_PAGE: "ENG_BAD_OUTPUT", DEADLY: "SYS_CRASH_LOOP"}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: its row, how it has to end, the files that have to stand below the destination's root.

    `asks` is how often the engine is asked where nothing is killed.
    """

    request_id: str
    row: Mapping[str, JsonValue]
    status: Status
    code: str
    files: frozenset[str]
    asks: int


def asked(
    request_id: str,
    *,
    name: str = PLAIN,
    format_: str = "TXT",
    targets: int = 1,
    folder: int = 0,
    priority: int = 5,
    destination: str = "delivered",
) -> Asked:
    """A request for a report with so many targets, which are folders of one destination."""
    places = [f"in-{folder}/{number}" for number in range(targets)]
    wanted: dict[str, JsonValue] = {
        "format": format_,
        "file_name": "{{ request_id }}.txt",
        "targets": [{"type": "NAS", "destination": destination, "path": place} for place in places],
    }
    row: dict[str, JsonValue] = {
        "REQUEST_ID": request_id,
        "REPORT_TYPE": "PYTHON",
        "REPORT_NAME": name,
        "PARAMETERS": "{}",
        "DISTRIBUTION_CONFIG": json.dumps(wanted),
        "PRIORITY": priority,
        "REQUESTED_BY": "tester",
    }
    code = "VAL_FORMAT" if format_ == _BAD_FORMAT else _FAILING.get(name, "")
    asks = 0 if format_ == _BAD_FORMAT else 2 if name in {SECOND_TIME, HANGING, DEAF} else 1
    files = frozenset() if code else frozenset(f"{place}/{request_id}.txt" for place in places)
    return Asked(request_id, row, Status.FAILED if code else Status.COMPLETED, code, files, asks)


def mixed(count: int, prefix: str = "R", *, retries: bool = False) -> list[Asked]:
    """Requests of all kinds: good ones, some that are refused, some that fail.

    With `retries` also some that work the second time only, up to a second later.
    """
    return [_of_all_kinds(f"{prefix}-{number:04}", number, retries=retries) for number in range(count)]


def _of_all_kinds(request_id: str, number: int, *, retries: bool) -> Asked:
    kind = number % 13
    slow = SECOND_TIME if retries else IN_STEPS
    return asked(
        request_id,
        name=ERROR_PAGE if kind == 5 else slow if kind in {3, 8} else PLAIN,
        format_=_BAD_FORMAT if kind == 9 else "TXT",
        targets=number % 3 + 1,
        folder=number % 4,
        priority=number % 9 + 1,
    )


def with_bad_ones(count: int, prefix: str = "R") -> list[Asked]:
    """Good requests, with a bad row at every tenth place."""
    return [
        asked(f"{prefix}-{number:04}", format_=_BAD_FORMAT if number % 10 == 4 else "TXT", folder=number % 4)
        for number in range(count)
    ]
