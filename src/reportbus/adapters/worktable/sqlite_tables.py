"""The specification's two tables in SQLite's spelling, and the statements on them.

VARIANT and TIMESTAMP_NTZ are TEXT: SQLite would take an unknown type for a numeric one and turn a text like
`1e3` into a number. It does not enforce lengths, and enforces REFERENCES only where a client asks for it.
"""

from __future__ import annotations

from typing import Final

from reportbus.core.intake.message import MAX_MESSAGE
from reportbus.core.model import Status

MAX_VALUE: Final = MAX_MESSAGE
"""Characters of a value. Of a longer one so many and one more are read, which shows that it is too long."""

REQUEST_COLUMNS: Final = (
    "REQUEST_ID",
    "REPORT_TYPE",
    "REPORT_NAME",
    "PARAMETERS",
    "DISTRIBUTION_CONFIG",
    "PRIORITY",
    "REQUESTED_BY",
    "REQUESTED_AT",
    "STATUS",
    "PROCESSED_AT",
    "COMPLETED_AT",
)
TARGET_COLUMNS: Final = (
    "CONFIG_ID",
    "REQUEST_ID",
    "TARGET_TYPE",
    "TARGET_PATH",
    "CREDENTIALS_SECRET",
    "ENABLED",
)

COLUMNS: Final = {"REPORT_REQUESTS": REQUEST_COLUMNS, "DISTRIBUTION_CONFIG": TARGET_COLUMNS}

NUMBERS: Final = frozenset({"PRIORITY", "ENABLED"})
"""The columns that are not text."""

TABLES: Final = {
    "REPORT_REQUESTS": """
        CREATE TABLE IF NOT EXISTS REPORT_REQUESTS (
            REQUEST_ID VARCHAR(36) PRIMARY KEY,
            REPORT_TYPE VARCHAR(50) NOT NULL,
            REPORT_NAME VARCHAR(255) NOT NULL,
            PARAMETERS TEXT,
            DISTRIBUTION_CONFIG TEXT,
            PRIORITY INT DEFAULT 5,
            REQUESTED_BY VARCHAR(100),
            REQUESTED_AT TEXT DEFAULT (STRFTIME('%Y-%m-%d %H:%M:%f', 'now')),
            STATUS VARCHAR(20) DEFAULT 'PENDING',
            PROCESSED_AT TEXT,
            COMPLETED_AT TEXT
        )""",
    "DISTRIBUTION_CONFIG": """
        CREATE TABLE IF NOT EXISTS DISTRIBUTION_CONFIG (
            CONFIG_ID VARCHAR(36) PRIMARY KEY,
            REQUEST_ID VARCHAR(36) REFERENCES REPORT_REQUESTS (REQUEST_ID),
            TARGET_TYPE VARCHAR(20) NOT NULL,
            TARGET_PATH VARCHAR(500),
            CREDENTIALS_SECRET VARCHAR(100),
            ENABLED BOOLEAN DEFAULT TRUE
        )""",
}

_STATUS: Final = "UPPER(TRIM(STATUS))"
_PENDING: Final = f"{_STATUS} = 'PENDING'"
_NEVER_PUBLISHED: Final = f"{_PENDING} AND PROCESSED_AT IS NULL"
_PUBLISHED: Final = f"{_PENDING} AND PROCESSED_AT IS NOT NULL"

INDEXES: Final = {
    "REPORT_REQUESTS_NEVER_PUBLISHED": f"""
        CREATE INDEX IF NOT EXISTS REPORT_REQUESTS_NEVER_PUBLISHED
        ON REPORT_REQUESTS (PRIORITY, REQUESTED_AT) WHERE {_NEVER_PUBLISHED}""",
    "REPORT_REQUESTS_PUBLISHED": f"""
        CREATE INDEX IF NOT EXISTS REPORT_REQUESTS_PUBLISHED
        ON REPORT_REQUESTS (PROCESSED_AT) WHERE {_PUBLISHED}""",
    "DISTRIBUTION_CONFIG_REQUEST": """
        CREATE INDEX IF NOT EXISTS DISTRIBUTION_CONFIG_REQUEST ON DISTRIBUTION_CONFIG (REQUEST_ID)""",
}

_BYTES: Final = "CAST(COALESCE(r.REQUEST_ID, '') AS BLOB)"
_PLAIN: Final = f"""typeof(r.REQUEST_ID) = 'text' AND length(r.REQUEST_ID) = length({_BYTES})
    AND length(r.REQUEST_ID) <= 64 AND r.REQUEST_ID NOT GLOB '*[^-0-9A-Za-z]*'"""
REF: Final = f"""r.rowid || '-' || CASE WHEN {_PLAIN} THEN r.REQUEST_ID
    ELSE length({_BYTES}) || ':' || hex(substr({_BYTES}, 1, 64)) END"""
"""How a row is found again: by its number, and only while it has the same REQUEST_ID.

SQLite gives the number of a deleted row to the next one, which must not get the status of the deleted one. Of
an id that is none, the length and the first bytes are compared.
"""


FIND_NEW: Final = f"""
    SELECT rowid FROM REPORT_REQUESTS WHERE {_NEVER_PUBLISHED}
    ORDER BY PRIORITY, REQUESTED_AT, rowid LIMIT :limit"""  # noqa: S608 - made of constants
"""The rows that were never published, by a search that passes over all others."""


def _longest_ago(condition: str) -> str:
    return f"""SELECT * FROM (
        SELECT rowid, PROCESSED_AT FROM REPORT_REQUESTS WHERE {_PUBLISHED} AND {condition}
        ORDER BY PROCESSED_AT, rowid LIMIT :limit)"""  # noqa: S608 - made of constants


FIND_AGAIN: Final = f"""
    SELECT rowid FROM (
        {_longest_ago("PROCESSED_AT < :before")}
        UNION ALL {_longest_ago("PROCESSED_AT > datetime(:before, '+7 days')")})
    ORDER BY PROCESSED_AT < :before, PROCESSED_AT, rowid LIMIT :limit"""  # noqa: S608 - made of constants
"""The rows to publish again, by searches that pass over finished rows and rows just published.

First those with a time that nobody can have published them at, or the others would always be before them.
"""


def _readable(alias: str, columns: tuple[str, ...]) -> str:
    """The columns as values that JSON knows: bytes as text, and long values cut."""
    text = f"CAST(substr({{0}}, 1, {MAX_VALUE + 1}) AS TEXT)"
    number = f"CASE WHEN typeof({{0}}) IN ('text', 'blob') THEN {text} ELSE {{0}} END"
    return ", ".join((number if name in NUMBERS else text).format(f"{alias}.{name}") for name in columns)


# A CROSS JOIN is done in the order written: the rows come in the order of the JSON array `:rowids`, unsorted.
READ_REQUESTS: Final = f"""
    SELECT r.rowid, {REF}, {_readable("r", REQUEST_COLUMNS)}
    FROM json_each(:rowids) AS due
    CROSS JOIN REPORT_REQUESTS AS r ON r.rowid = due.value"""  # noqa: S608 - made of constants

READ_TARGETS: Final = f"""
    SELECT r.rowid, {_readable("d", TARGET_COLUMNS)}
    FROM json_each(:rowids) AS due
    CROSS JOIN REPORT_REQUESTS AS r ON r.rowid = due.value
    CROSS JOIN DISTRIBUTION_CONFIG AS d ON d.REQUEST_ID = r.REQUEST_ID"""  # noqa: S608 - made of constants

_THIS_ROW: Final = f"r.rowid = CAST(v.column1 AS INTEGER) AND {REF} = v.column1"

STAMP: Final = f"""
    UPDATE REPORT_REQUESTS AS r SET PROCESSED_AT = v.column2
    FROM (VALUES {{rows}}) AS v WHERE {_THIS_ROW}"""  # noqa: S608 - made of constants
"""Rows of a reference and a time."""

RANK: Final = {
    Status.PENDING: 0,
    Status.IN_PROGRESS: 1,
    Status.GENERATED: 2,
    Status.DISTRIBUTED: 3,
    Status.COMPLETED: 4,
    Status.FAILED: 4,
}
"""A row's status only gets a higher rank. A status that nobody knows has the lowest."""

_RANK: Final = " ".join(f"WHEN '{status}' THEN {rank}" for status, rank in RANK.items())

WRITE_BACK: Final = f"""
    UPDATE REPORT_REQUESTS AS r SET STATUS = v.column2, COMPLETED_AT = v.column3
    FROM (VALUES {{rows}}) AS v
    WHERE {_THIS_ROW} AND (
        CASE {_STATUS} {_RANK} ELSE 0 END < v.column4
        OR (v.column5 AND {_STATUS} = 'FAILED'
            AND (STATUS IS NOT v.column2 OR COMPLETED_AT IS NOT v.column3)))"""  # noqa: S608 - as above
"""Rows of a reference, a status, the time of completion, the status's rank, whether it is a further run."""

FIND_ID: Final = "SELECT rowid FROM REPORT_REQUESTS WHERE REQUEST_ID = ?"

FIND_ALIKE: Final = """
    SELECT rowid FROM REPORT_REQUESTS WHERE TRIM(REQUEST_ID) = TRIM(?) ORDER BY rowid LIMIT 20"""

HAVE_IDS: Final = """
    SELECT REQUEST_ID FROM REPORT_REQUESTS WHERE REQUEST_ID IN (SELECT value FROM json_each(?))"""
