"""The ledger's first schema."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

KEY: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

LEGAL: Final = (
    "(NEW.run = OLD.run AND NEW.status = OLD.status)"
    " OR (NEW.run = OLD.run AND OLD.status = 'PENDING' AND NEW.status IN ('IN_PROGRESS', 'FAILED'))"
    " OR (NEW.run = OLD.run AND OLD.status = 'IN_PROGRESS' AND NEW.status <> 'PENDING')"
    " OR (NEW.run = OLD.run AND OLD.status = 'GENERATED' AND NEW.status NOT IN ('PENDING', 'IN_PROGRESS'))"
    " OR (NEW.run = OLD.run AND OLD.status = 'DISTRIBUTED' AND NEW.status IN ('COMPLETED', 'FAILED'))"
    " OR (NEW.run = OLD.run + 1 AND OLD.status = 'FAILED')"
)
"""A run moves forward only and stays ended; what moves on several times in one transaction skips statuses.

Another one may follow a failed one. The database refuses the rest.
"""

APPEND_ONLY: Final = ("audit_log", "error_log", "runs")


def upgrade() -> None:
    """Make the tables, and have the database defend them."""
    _requests()
    _contents()
    _runs()
    _jobs()
    _outputs()
    _deliveries()
    _audit_log()
    _error_log()
    _workers()
    if op.get_context().dialect.name == "postgresql":
        _defend_postgresql()
    else:
        _defend_sqlite()


def _defend_sqlite() -> None:
    op.execute(
        f"CREATE TRIGGER requests_move BEFORE UPDATE OF status, run ON requests WHEN NOT ({LEGAL})"
        " BEGIN SELECT RAISE(ABORT, 'a request does not move that way'); END"
    )
    op.execute(
        "CREATE TRIGGER requests_no_delete BEFORE DELETE ON requests"
        " BEGIN SELECT RAISE(ABORT, 'requests stay on record'); END"
    )
    for table in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}"
                f" BEGIN SELECT RAISE(ABORT, '{table} is only ever added to'); END"
            )


def _defend_postgresql() -> None:
    for table in ("requests", "jobs"):
        op.execute(f"ALTER TABLE {table} SET (fillfactor = 70)")  # their rows are updated in place
    op.execute(
        "CREATE FUNCTION reportbus_refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    op.execute(
        "CREATE TRIGGER requests_move BEFORE UPDATE OF status, run ON requests"
        f" FOR EACH ROW WHEN (NOT ({LEGAL}))"
        " EXECUTE FUNCTION reportbus_refuse('a request does not move that way')"
    )
    op.execute(
        "CREATE TRIGGER requests_stay BEFORE DELETE OR TRUNCATE ON requests FOR EACH STATEMENT"
        " EXECUTE FUNCTION reportbus_refuse('requests stay on record')"
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT"
            f" EXECUTE FUNCTION reportbus_refuse('{table} is only ever added to')"
        )


def _requests() -> None:
    op.create_table(
        "requests",
        sa.Column("request_key", KEY, nullable=False),
        sa.Column("request_id", sa.String(length=36), nullable=False),
        sa.Column("ref", sa.String(length=255), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("report_type", sa.String(length=50), nullable=False),
        sa.Column("report_name", sa.String(length=255), nullable=False),
        sa.Column("requested_by", sa.String(length=100), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("rank", sa.Double(), nullable=False),
        sa.Column("targets", sa.Integer(), nullable=False),
        sa.Column("requested_at", sa.DateTime(), nullable=False),
        sa.Column("accepted_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("open", sa.Integer(), nullable=False),
        sa.Column("next_job", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Text(), nullable=False),
        sa.Column("ending", sa.String(length=50), nullable=False),
        sa.Column("code", sa.String(length=50), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("audit_sequence", sa.Integer(), nullable=False),
        sa.Column("audit_hash", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("unwritten", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (status NOT IN ('COMPLETED','FAILED'))", name="requests_ended"
        ),
        sa.CheckConstraint(
            "status IN ('PENDING','IN_PROGRESS','GENERATED','DISTRIBUTED','COMPLETED','FAILED')",
            name="requests_status",
        ),
        sa.PrimaryKeyConstraint("request_key"),
        sa.UniqueConstraint("request_id"),
        postgresql_with={"fillfactor": 70},
    )
    op.create_index(
        "requests_live",
        "requests",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "requests_troubled",
        "requests",
        ["request_key"],
        unique=False,
        sqlite_where=sa.text("code <> ''"),
        postgresql_where=sa.text("code <> ''"),
    )
    op.create_index(
        "requests_unwritten",
        "requests",
        ["request_key"],
        unique=False,
        sqlite_where=sa.text("unwritten = 1"),
        postgresql_where=sa.text("unwritten"),
    )


def _contents() -> None:
    op.create_table(
        "contents",
        sa.Column("request_key", KEY, autoincrement=False, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("request_key"),
    )


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("request_key", KEY, nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("code", sa.String(length=50), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("missing", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=False),
        sa.CheckConstraint("status IN ('COMPLETED','FAILED')", name="runs_terminal"),
        sa.PrimaryKeyConstraint("request_key", "run"),
        sqlite_with_rowid=False,
    )


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("job_key", KEY, autoincrement=False, nullable=False),
        sa.Column("request_key", KEY, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(length=10), nullable=False),
        sa.Column("subject", sa.Integer(), nullable=False),
        sa.Column("lane", sa.String(length=120), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("losses", sa.Integer(), nullable=False),
        sa.Column("unknowns", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("rank", sa.Double(), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("worker", KEY, nullable=False),
        sa.Column("checkpoint", sa.Text(), nullable=False),
        sa.CheckConstraint("(worker <> 0) = (state = 'RUNNING')", name="jobs_worker"),
        sa.CheckConstraint(
            "state IN ('READY','WAITING','RUNNING','DONE','FAILED','CLOSED')", name="jobs_state"
        ),
        sa.PrimaryKeyConstraint("job_key"),
        postgresql_with={"fillfactor": 70},
    )
    op.create_index(
        "jobs_ready",
        "jobs",
        ["stage", "rank"],
        unique=False,
        sqlite_where=sa.text("state = 'READY'"),
        postgresql_where=sa.text("state = 'READY'"),
    )
    op.create_index(
        "jobs_running",
        "jobs",
        ["worker"],
        unique=False,
        sqlite_where=sa.text("state = 'RUNNING'"),
        postgresql_where=sa.text("state = 'RUNNING'"),
    )
    op.create_index(
        "jobs_waiting",
        "jobs",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("state = 'WAITING'"),
        postgresql_where=sa.text("state = 'WAITING'"),
    )


def _outputs() -> None:
    op.create_table(
        "outputs",
        sa.Column("request_key", KEY, nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("staging_key", sa.String(length=1024), nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("format", sa.String(length=20), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=True),
        sa.Column("staged_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("request_key", "run", "number"),
        sqlite_with_rowid=False,
    )


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("request_key", KEY, nullable=False),
        sa.Column("target", sa.Integer(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("verified", sa.String(length=20), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("possible_duplicate", sa.Boolean(), nullable=False),
        sa.Column("code", sa.String(length=50), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.CheckConstraint("state IN ('DELIVERED','FAILED')", name="deliveries_state"),
        sa.PrimaryKeyConstraint("request_key", "target", "run"),
        sqlite_with_rowid=False,
    )


def _audit_log() -> None:
    op.create_table(
        "audit_log",
        sa.Column("log_id", sa.String(length=36), nullable=False),
        sa.Column("request_id", sa.String(length=36), nullable=False),
        sa.Column("event_type", sa.String(length=50), nullable=False),
        sa.Column("event_timestamp", sa.DateTime(), nullable=False),
        sa.Column("old_status", sa.String(length=20), nullable=False),
        sa.Column("new_status", sa.String(length=20), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("component", sa.String(length=50), nullable=False),
        sa.Column("request_key", KEY, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("log_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("audit_log_chain", "audit_log", ["request_key", "sequence"], unique=True)


def _error_log() -> None:
    op.create_table(
        "error_log",
        sa.Column("error_id", sa.String(length=36), nullable=False),
        sa.Column("request_id", sa.String(length=36), nullable=False),
        sa.Column("error_timestamp", sa.DateTime(), nullable=False),
        sa.Column("error_code", sa.String(length=50), nullable=False),
        sa.Column("error_message", sa.Text(), nullable=False),
        sa.Column("stack_trace", sa.Text(), nullable=False),
        sa.Column("component", sa.String(length=50), nullable=False),
        sa.Column("retry_count", sa.Integer(), nullable=False),
        sa.Column("retry_eligible", sa.Boolean(), nullable=False),
        sa.Column("request_key", KEY, nullable=False),
        sa.PrimaryKeyConstraint("error_id"),
    )
    op.create_index("error_log_request", "error_log", ["request_key"], unique=False)


def _workers() -> None:
    op.create_table(
        "workers",
        sa.Column("worker", KEY, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("lease_until", sa.Double(), nullable=False),
        sa.Column("gone", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("worker"),
    )
    op.create_index(
        "workers_here",
        "workers",
        ["worker"],
        unique=False,
        sqlite_where=sa.text("gone IS 0"),
        postgresql_where=sa.text("gone IS false"),
    )
