"""How long a worktable row takes from the bus message to the request, good and bad ones.

`python benchmarks/intake.py`, or with `--profile` to see where the time of a good one goes.
"""

from __future__ import annotations

import cProfile
import pstats
import sys
from datetime import UTC, datetime
from itertools import islice
from time import perf_counter
from typing import TYPE_CHECKING, Final, TypeVar

from reportbus.core.intake import DestinationRule, IntakeRules, read_row, row_from_text, row_to_text
from reportbus.core.model import TargetType

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

ROUNDS: Final = 20_000
NOW: Final = datetime(2026, 11, 1, 7, 0, tzinfo=UTC)
RULES: Final = IntakeRules(
    engines={"PYTHON": lambda _name, _parameters, _format: ()},
    destinations={
        "archive": DestinationRule(TargetType.NAS, default=True),
        "acme": DestinationRule(TargetType.SFTP, default=True),
        "mail": DestinationRule(TargetType.EMAIL, default=True),
    },
    channels={"EMAIL": True, "LOG": False},
)
GOOD: Final = {
    "REPORT_TYPE": "PYTHON",
    "REPORT_NAME": "flights_by_carrier",
    "PARAMETERS": '{"carrier":"UA","month":11,"limit":100}',
    "DISTRIBUTION_CONFIG": '{"format":"CSV","targets":[{"type":"NAS","path":"finance/daily"}]}',
    "PRIORITY": 5,
    "REQUESTED_BY": "analyst@example.com",
    "REQUESTED_AT": "2026-11-01 06:30:00",
    "STATUS": "PENDING",
}
CASES: Final[dict[str, dict[str, object]]] = {
    "good: one NAS target": {},
    "good: two targets, file name, notice": {
        "DISTRIBUTION_CONFIG": '{"format":"CSV","file_name":"{{ report }}_{{ month }}.csv",'
        '"targets":[{"type":"SFTP","path":"in"},{"type":"EMAIL","to":["a@example.com"]}],'
        '"notify":[{"type":"EMAIL","to":["ops@example.com"],"on":["FAILED"]}]}'
    },
    "bad: priority 12": {"PRIORITY": 12},
    "bad: no JSON": {"PARAMETERS": '{"carrier":'},
    "bad: unknown field, did you mean": {
        "DISTRIBUTION_CONFIG": '{"format":"CSV","targetts":[{"type":"NAS","path":"finance/daily"}]}'
    },
    "bad: path leads out": {
        "DISTRIBUTION_CONFIG": '{"format":"CSV","targets":[{"type":"NAS","path":"../../etc"}]}'
    },
    "bad: template": {
        "DISTRIBUTION_CONFIG": '{"format":"CSV","file_name":"{{ report.x }}.csv","targets":[{"type":"NAS"}]}'
    },
    "bad: everything": {
        "REQUEST_ID": "../../x",
        "REPORT_TYPE": "CRYSTAL",
        "REPORT_NAME": "",
        "PARAMETERS": "[]",
        "DISTRIBUTION_CONFIG": '{"format":"DOC","targets":[{"type":"SCP"},{"type":"NAS","path":"a:b"}]}',
        "PRIORITY": 0,
        "REQUESTED_BY": "a\nb",
        "REQUESTED_AT": "yesterday",
    },
}


def main() -> None:
    """Print microseconds per row for each case."""
    print(f"{'microseconds per row':40} {'to text':>9} {'from text':>9} {'read':>9}")
    for title, changes in CASES.items():
        rows = [{"REQUEST_ID": f"bench-{number}"} | GOOD | changes for number in range(ROUNDS // 10)]
        texts = [row_to_text("1", row) for row in rows]
        raws = [row_from_text(text) for text in texts]
        wrong = sum(read_row(raw, RULES, NOW).request is None for raw in islice(raws, 10))
        if wrong != (0 if title.startswith("good") else 10):
            raise SystemExit(f"{title}: {wrong} of 10 rows were refused")
        times = (
            _microseconds(lambda row: row_to_text("1", row), rows),
            _microseconds(row_from_text, texts),
            _microseconds(lambda raw: read_row(raw, RULES, NOW), raws),
        )
        print(f"{title:40} {times[0]:9.1f} {times[1]:9.1f} {times[2]:9.1f}")


def _microseconds(call: Callable[[T], object], items: Sequence[T]) -> float:
    """Of one call, in the best of some rounds: what the work takes when nothing else happens."""
    best = float("inf")
    for _ in range(ROUNDS // len(items)):
        start = perf_counter()
        for item in items:
            call(item)
        best = min(best, perf_counter() - start)
    return best / len(items) * 1e6


def _profile() -> None:
    raw = row_from_text(row_to_text("1", {"REQUEST_ID": "bench"} | GOOD))
    with cProfile.Profile() as profile:
        for _ in range(ROUNDS):
            read_row(raw, RULES, NOW)
    pstats.Stats(profile).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    _profile() if "--profile" in sys.argv else main()
