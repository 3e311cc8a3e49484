from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from contracts.ledger_samples import ALL, submission
from reportbus.adapters.clock import SystemClock
from reportbus.adapters.ledger import schema
from reportbus.adapters.ledger.contents import KEPT_CHARACTERS
from reportbus.adapters.ledger.sql import SqlLedger

if TYPE_CHECKING:
    from pathlib import Path

    from reportbus.ports import Submission

LARGE = 200_000
"""Characters of a large request."""


def large(request_id: str) -> Submission:
    item = submission(request_id)
    assert item.request is not None
    request = replace(item.request, parameters={"text": "x" * LARGE})
    return item._replace(request=request, content="x" * LARGE)


def test_of_large_requests_as_many_are_kept_in_memory_as_there_is_room_for(tmp_path: Path) -> None:
    """Those just taken in and those just claimed; of what has ended nothing is counted any more."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    schema.upgrade_url(url, SystemClock())
    count = 2 * KEPT_CHARACTERS // LARGE
    batch = [large(f"r{number}") for number in range(count)]
    with closing(SqlLedger(url, SystemClock(), wakeups=False)) as ledger:
        ledger.intake.accept(batch)
        contents = ledger._contents
        kept = len(contents._kept)
        assert count // 3 < kept <= count // 2
        for key in list(contents._kept):
            contents.drop(key)
        assert (0, 0) == (len(contents._kept), contents._size)

        assert count == len(ledger.worker().claim(dict.fromkeys(ALL, count), {}))
        assert kept == len(contents._kept) == len(contents._sizes)
        assert contents._size == sum(contents._sizes.values()) <= KEPT_CHARACTERS
