"""The judgement over a line that has been drained and stopped: the endpoints, and the ledger against them."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import text

from flows.ready_engine import digest
from flows.tapped import ENGINE_LOG
from flows.watcher import files_below, request_of
from reportbus.adapters.staging.folder import FolderStaging
from reportbus.core.lifecycle import ENTRY_STATUSES, NEXT
from reportbus.core.model import Status
from reportbus.core.notes import EventType
from reportbus.ports import Filter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flows.stand import Stand
    from reportbus.ports import AuditRow

_EXPECTED_ERRORS: Final = frozenset({"", "TemporaryFailure", "ENG_BAD_OUTPUT", "VAL_FORMAT"})
_DEADLOCKS: Final = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


def judge(stand: Stand, *, errors: Iterable[str] = (), more_asks: int | None = None) -> None:
    """Assert that nothing was lost, doubled, torn, left over or wrongly told.

    `errors` are codes that may stand in the error log beside those that the requests ask for. `more_asks` is
    how many times more than necessary the engine may have been asked for one report; once for each kill,
    unless told otherwise.
    """
    complaints = [
        *_requests(stand),
        *_files(stand),
        *_mails(stand),
        *_asks(stand, stand.kills if more_asks is None else more_asks),
        *_records(stand, _EXPECTED_ERRORS.union(errors)),
        *_leftovers(stand),
    ]
    assert not complaints, "\n".join(complaints[:30]) + "\n" + stand.log_end()


def _requests(stand: Stand) -> Iterator[str]:
    """Rows are neither lost nor doubled (P1, P27), and each has ended as it had to.

    Worktable and ledger hold the rows that were asked for and no others, and show the same status for each.
    """
    rows = stand.worktable_statuses()
    views = {view.request_id: view for view in stand.ledger.records.list(Filter(limit=10_000))}
    if rows.keys() != views.keys() or rows.keys() != stand.asked.keys():
        yield f"{len(stand.asked)} were asked for; {len(rows)} rows, {len(views)} requests in the ledger"
    for id_, asked in stand.asked.items():
        view = views.get(id_)
        found = (rows.get(id_), view.status if view else None, view.code if view else None)
        if found != (asked.status, asked.status, asked.code):
            yield f"{id_}: has {found}, {view.text if view else ''}; should have {asked.status} {asked.code}"


def _files(stand: Stand) -> Iterator[str]:
    """One whole file per delivery, and no other file (P11).

    Nobody who looked at the folder meanwhile saw anything but whole files, and what the ledger calls
    DELIVERED is recorded with the hash of the very bytes that were asked for.
    """
    yield from stand.watcher.bad
    wanted = {name for asked in stand.asked.values() for name in asked.files}
    found = {str(path.relative_to(stand.delivered)) for path in files_below(stand.delivered)}
    if wanted != found:
        yield f"missing: {sorted(wanted - found)}; one too many: {sorted(found - wanted)}"
    delivered = [
        each for each in stand.ledger.records.deliveries(None, limit=100_000) if each.state == "DELIVERED"
    ]
    if len(delivered) != len(wanted):
        yield f"{len(wanted)} deliveries were asked for, {len(delivered)} are on record"
    yield from (
        f"{each.request_id} to target {each.target}: recorded with another hash"
        for each in delivered
        if each.sha256 != digest(each.request_id)
    )


def _mails(stand: Stand) -> Iterator[str]:
    """One mail for each run of a request that was not refused, and nothing half written."""
    views = stand.ledger.records.list(Filter(limit=10_000))
    wanted = Counter(
        f"notice-{view.request_id}-{run}-0"
        for view in views
        if not view.refused
        for run in range(1, view.run + 1)
    )
    found = Counter(path.name for path in files_below(stand.home / "mail" / "new"))
    if wanted != found:
        yield f"mails missing: {dict(wanted - found)}; too many: {dict(found - wanted)}"
    yield from (f"left over: {path}" for path in files_below(stand.home / "mail" / "tmp"))


def _asks(stand: Stand, more: int) -> Iterator[str]:
    """The engine was asked as seldom as can be (P7)."""
    asks = Counter((stand.home / ENGINE_LOG).read_text().split())
    for id_, asked in stand.asked.items():
        if not asked.asks <= asks[id_] <= asked.asks + (more if asked.asks else 0):
            yield f"{id_}: the engine was asked {asks[id_]} times, not {asked.asks} or {more} more"


def _records(stand: Stand, expected: frozenset[str]) -> Iterator[str]:
    """The record is whole, and tells of nothing that may not be.

    Every audit chain verifies (P21); every request moved along legal ways only and never left its end but by
    a retry (P18); the error log holds only what had to go wrong; the database saw no deadlock.
    """
    records = stand.ledger.records
    yield from map(str, records.verify())
    at: dict[str, AuditRow] = {}
    for row in records.audit():
        before = at.get(row.request_id)
        yield from _move(before.new_status if before else str(Status.PENDING), row)
        at[row.request_id] = row
    for error in records.errors(None):
        if error.code not in expected:
            yield f"{error.request_id}: {error.code} {error.text} {error.trace}"
    if stand.ledger_url.startswith("postgresql"):
        with stand.ledger.database.read() as connection:
            deadlocks = connection.execute(text(_DEADLOCKS)).scalar_one()
        if deadlocks:
            yield f"{deadlocks} deadlocks in the ledger's database"


def _move(status: str, row: AuditRow) -> Iterator[str]:
    old, new = Status(row.old_status), Status(row.new_status)
    if old != status:
        yield f"{row.request_id}: row {row.sequence} starts from {old}, the one before ended in {status}"
    legal = NEXT[old].values() if row.event_type != EventType.RETRY else ENTRY_STATUSES
    if old is not new and new not in legal:
        yield f"{row.request_id}: row {row.sequence} moves from {old} to {new}"


def _leftovers(stand: Stand) -> Iterator[str]:
    """Nothing is left behind.

    No staged file too many, no temporary file after a sweep, no lock of a worker or bus member, no open job,
    no worker that is thought alive, no process.
    """
    staging = FolderStaging(stand.home / "staging")
    staged = Counter(request_of(path) for path in files_below(stand.home / "staging" / "reports"))
    wanted = Counter(id_ for id_, asked in stand.asked.items() if asked.files)
    if staged != wanted:
        yield f"staged: too many {dict(staged - wanted)}, missing {dict(wanted - staged)}"
    staging.sweep(before=datetime.now(UTC) + timedelta(seconds=1))
    staging.close()
    for folder in ("staging", "bus.db-members", "ledger.db.workers"):
        yield from (f"left over: {path}" for path in files_below(stand.home / folder))
    if jobs := stand.open_jobs():
        yield f"{jobs} jobs are still open"
    yield from (f"worker {worker.name} is not gone" for worker in stand.ledger.records.workers())
    yield from (f"process {process.pid} is still there" for process in stand.processes)
