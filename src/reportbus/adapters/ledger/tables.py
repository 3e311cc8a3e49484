"""The ledger's tables.

AUDIT_LOG and ERROR_LOG have the specification's columns and a few of our own behind them.
What is read often and changes often is kept narrow: `requests` is one short row per request, its content
stands in `contents` and is written once. Rows of a request hang on the ledger's own number, `request_key`,
which grows with time, so that new rows lie together whatever the ids look like. Indexes that workers use are
partial: they hold open work only, and stay small however many requests are finished. Times that are computed
with are seconds since 1970 (UTC), times that are read by people are timestamps without zone, in UTC.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    DateTime,
    Double,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
    literal_column,
)

METADATA: Final = MetaData()

_Key: Final = BigInteger().with_variant(Integer, "sqlite")
requests: Final = Table(
    "requests",
    METADATA,
    Column("request_key", _Key, primary_key=True),
    Column("request_id", String(36), nullable=False, unique=True),
    Column("ref", String(255), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("report_type", String(50), nullable=False),
    Column("report_name", String(255), nullable=False),
    Column("requested_by", String(100), nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("rank", Double, nullable=False),
    Column("targets", Integer, nullable=False),
    Column("requested_at", DateTime, nullable=False),
    Column("accepted_at", DateTime, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("run", Integer, nullable=False),
    Column("status", String(20), nullable=False),
    Column("open", Integer, nullable=False),
    Column("next_job", Integer, nullable=False),
    Column("failed", Text, nullable=False),
    Column("ending", String(50), nullable=False),
    Column("code", String(50), nullable=False),
    Column("reason", Text, nullable=False),
    Column("changed_at", DateTime, nullable=False),
    Column("ended_at", DateTime),
    Column("audit_sequence", Integer, nullable=False),
    Column("audit_hash", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("unwritten", Boolean, nullable=False),
    CheckConstraint(
        "status IN ('PENDING','IN_PROGRESS','GENERATED','DISTRIBUTED','COMPLETED','FAILED')",
        name="requests_status",
    ),
    CheckConstraint("(ended_at IS NULL) = (status NOT IN ('COMPLETED','FAILED'))", name="requests_ended"),
)


def _partial_index(name: str, *columns: Column[Any], where: ColumnElement[bool]) -> None:
    """An index over the rows where `where` holds; queries have to say it in the same words."""
    Index(name, *columns, sqlite_where=where, postgresql_where=where)


_partial_index("requests_live", requests.c.expires_at, where=requests.c.ended_at.is_(None))
TROUBLED: Final = requests.c.code != literal_column("''")
"""The run has failed, or is about to. As written in the index over it: a bound value would not lead there."""

_partial_index("requests_troubled", requests.c.request_key, where=TROUBLED)
_partial_index("requests_unwritten", requests.c.request_key, where=requests.c.unwritten)

contents: Final = Table(
    "contents",
    METADATA,
    Column("request_key", _Key, primary_key=True, autoincrement=False),
    Column("content", Text, nullable=False),
)
"""What was asked for: a request as `reportbus.core.codec` writes it, or a refused row as it came."""

runs: Final = Table(
    "runs",
    METADATA,
    Column("request_key", _Key, nullable=False),
    Column("run", Integer, nullable=False),
    Column("status", String(20), nullable=False),
    Column("code", String(50), nullable=False),
    Column("reason", Text, nullable=False),
    Column("missing", Text, nullable=False),
    Column("ended_at", DateTime, nullable=False),
    PrimaryKeyConstraint("request_key", "run"),
    CheckConstraint("status IN ('COMPLETED','FAILED')", name="runs_terminal"),
    sqlite_with_rowid=False,
)
"""One row per ended run: the primary key refuses a second end. The running one is the request's own row."""

jobs: Final = Table(
    "jobs",
    METADATA,
    Column("job_key", _Key, primary_key=True, autoincrement=False),
    Column("request_key", _Key, nullable=False),
    Column("number", Integer, nullable=False),
    Column("run", Integer, nullable=False),
    Column("stage", String(10), nullable=False),
    Column("subject", Integer, nullable=False),
    Column("lane", String(120), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("losses", Integer, nullable=False),
    Column("unknowns", Integer, nullable=False),
    Column("state", String(10), nullable=False),
    Column("rank", Double, nullable=False),
    Column("due_at", Double, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("worker", _Key, nullable=False),
    Column("checkpoint", Text, nullable=False),
    CheckConstraint("state IN ('READY','WAITING','RUNNING','DONE','FAILED','CLOSED')", name="jobs_state"),
    CheckConstraint("(worker <> 0) = (state = 'RUNNING')", name="jobs_worker"),
)
"""`job_key` is `job_key(request_key, number)`: one number, so that a batch is asked for with one array."""

_partial_index("jobs_ready", jobs.c.stage, jobs.c.rank, where=jobs.c.state == "READY")
_partial_index("jobs_waiting", jobs.c.due_at, where=jobs.c.state == "WAITING")
_partial_index("jobs_running", jobs.c.worker, where=jobs.c.state == "RUNNING")

outputs: Final = Table(
    "outputs",
    METADATA,
    Column("request_key", _Key, nullable=False),
    Column("run", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("staging_key", String(1024), nullable=False),
    Column("file_name", String(255), nullable=False),
    Column("format", String(20), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("rows", BigInteger),
    Column("staged_at", DateTime, nullable=False),
    PrimaryKeyConstraint("request_key", "run", "number"),
    sqlite_with_rowid=False,
)

deliveries: Final = Table(
    "deliveries",
    METADATA,
    Column("request_key", _Key, nullable=False),
    Column("target", Integer, nullable=False),
    Column("run", Integer, nullable=False),
    Column("state", String(10), nullable=False),
    Column("location", Text, nullable=False),
    Column("verified", String(20), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("possible_duplicate", Boolean, nullable=False),
    Column("code", String(50), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", DateTime, nullable=False),
    PrimaryKeyConstraint("request_key", "target", "run"),
    CheckConstraint("state IN ('DELIVERED','FAILED')", name="deliveries_state"),
    sqlite_with_rowid=False,
)
"""How each target's job of each run ended. What is still open stands in `jobs`."""

audit_log: Final = Table(
    "audit_log",
    METADATA,
    Column("log_id", String(36), primary_key=True),
    Column("request_id", String(36), nullable=False),
    Column("event_type", String(50), nullable=False),
    Column("event_timestamp", DateTime, nullable=False),
    Column("old_status", String(20), nullable=False),
    Column("new_status", String(20), nullable=False),
    Column("details", Text, nullable=False),
    Column("component", String(50), nullable=False),
    Column("request_key", _Key, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
    sqlite_with_rowid=False,
)
Index("audit_log_chain", audit_log.c.request_key, audit_log.c.sequence, unique=True)

error_log: Final = Table(
    "error_log",
    METADATA,
    Column("error_id", String(36), primary_key=True),
    Column("request_id", String(36), nullable=False),
    Column("error_timestamp", DateTime, nullable=False),
    Column("error_code", String(50), nullable=False),
    Column("error_message", Text, nullable=False),
    Column("stack_trace", Text, nullable=False),
    Column("component", String(50), nullable=False),
    Column("retry_count", Integer, nullable=False),
    Column("retry_eligible", Boolean, nullable=False),
    Column("request_key", _Key, nullable=False),
)
Index("error_log_request", error_log.c.request_key)

workers: Final = Table(
    "workers",
    METADATA,
    Column("worker", _Key, primary_key=True),
    Column("name", String(255), nullable=False),
    Column("started_at", DateTime, nullable=False),
    Column("lease_until", Double, nullable=False),
    Column("gone", Boolean, nullable=False),
)
_partial_index("workers_here", workers.c.worker, where=workers.c.gone.is_(False))

OPEN_STATES: Final = ("READY", "WAITING", "RUNNING")
"""Those of jobs that have no answer yet."""

JOBS_PER_REQUEST: Final = 1 << 20


def job_key(request_key: int, number: int) -> int:
    """The key of a request's job."""
    return request_key * JOBS_PER_REQUEST + number
