from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from flows.judge import judge
from flows.load import asked
from flows.watcher import files_below
from reportbus.core.model import Status

if TYPE_CHECKING:
    from pathlib import Path

    from flows.load import Asked
    from flows.stand import Stand

TARGETS = 50
BROKEN = 5
DESTINATIONS = """\
destinations:
  delivered: {type: NAS, root: delivered}
  share: {type: NAS, root: delivered/share}
"""


def to_many(request_id: str) -> Asked:
    """A request with as many targets as there may be, the last ones on the share."""
    report = asked(request_id, targets=TARGETS)
    wanted = json.loads(str(report.row["DISTRIBUTION_CONFIG"]))
    files = set()
    for number, target in enumerate(wanted["targets"]):
        shared = number >= TARGETS - BROKEN
        target["destination"] = "share" if shared else target["destination"]
        files.add(f"{'share/' if shared else ''}{target['path']}/{request_id}.txt")
    row = {**report.row, "DISTRIBUTION_CONFIG": json.dumps(wanted)}
    return replace(report, row=row, files=frozenset(files))


def identities(folder: Path) -> dict[Path, tuple[int, int]]:
    """Which files stand in a folder; another file under the same name is another one."""
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in files_below(folder)}


def test_targets_that_fail_hold_up_no_other_and_a_retry_makes_them_alone(stand: Stand) -> None:
    """The share is away; once it is mended, a retry brings what is missing from staging."""
    (stand.home / "config" / "destinations.yaml").write_text(DESTINATIONS)
    share = stand.delivered / "share"
    stand.start()
    stand.until(share.exists, "the folders are there")
    shutil.rmtree(share)
    stand.submit([to_many("many-1"), to_many("many-2"), asked("other", folder=7)])
    stand.until(lambda: stand.ended() == 3, "all have ended")

    statuses = {id_: stand.ledger.records.find(id_) for id_ in stand.asked}
    assert [Status.FAILED, Status.FAILED, Status.COMPLETED] == [v and v.status for v in statuses.values()]
    assert {TARGETS - BROKEN} == {view.delivered for id_, view in statuses.items() if view and id_ != "other"}
    before = identities(stand.delivered)
    assert 2 * (TARGETS - BROKEN) + 1 == len(before)

    share.mkdir()
    for request_id in ("many-1", "many-2"):
        assert 2 == stand.ledger.operations.retry(request_id, "tester", staged=True)
    stand.drain()
    stand.stop()

    assert before.items() <= identities(stand.delivered).items()
    judge(stand, errors=["DST_ROOT_MISSING"], more_asks=0)
