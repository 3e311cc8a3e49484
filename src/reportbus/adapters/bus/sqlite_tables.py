"""The tables of `bus.db`, and the statements on them.

A message is one row. A group is one row, with the number of the message it takes next. A batch in the hands
of a member is one row, a hold: the numbers of its first and last message. So taking and committing a batch
changes two rows, however many messages it has.
"""

from __future__ import annotations

from typing import Final

TABLES: Final = {
    "messages": """
        CREATE TABLE IF NOT EXISTS messages (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            topic TEXT NOT NULL,
            at TEXT NOT NULL,
            key TEXT NOT NULL,
            body TEXT NOT NULL
        )""",
    "messages_topic": "CREATE INDEX IF NOT EXISTS messages_topic ON messages (topic)",
    "consumer_groups": """
        CREATE TABLE IF NOT EXISTS consumer_groups (
            topic TEXT NOT NULL,
            name TEXT NOT NULL,
            next INTEGER NOT NULL,
            PRIMARY KEY (topic, name)
        )""",
    "holds": """
        CREATE TABLE IF NOT EXISTS holds (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            topic TEXT NOT NULL,
            name TEXT NOT NULL,
            first INTEGER NOT NULL,
            last INTEGER NOT NULL,
            member TEXT NOT NULL,
            until TEXT NOT NULL
        )""",
}

COLUMNS: Final = {
    "messages": ("ID", "TOPIC", "AT", "KEY", "BODY"),
    "consumer_groups": ("TOPIC", "NAME", "NEXT"),
    "holds": ("ID", "TOPIC", "NAME", "FIRST", "LAST", "MEMBER", "UNTIL"),
}

PUBLISH: Final = "INSERT INTO messages (topic, at, key, body) VALUES {rows}"

ADD_GROUP: Final = "INSERT OR IGNORE INTO consumer_groups (topic, name, next) VALUES (:topic, :name, 0)"

SET_NEXT: Final = """
    INSERT INTO consumer_groups (topic, name, next) VALUES (:topic, :name, :next)
    ON CONFLICT DO UPDATE SET next = excluded.next"""

_NEXT: Final = "COALESCE((SELECT next FROM consumer_groups WHERE topic = :topic AND name = :name), 0)"

FIND_NEXT: Final = f"""
    SELECT id FROM messages WHERE topic = :topic AND id >= {_NEXT} ORDER BY id LIMIT 1"""  # noqa: S608 - made of constants

READ: Final = """
    SELECT id, key, body FROM messages
    WHERE topic = :topic AND id BETWEEN :first AND :last ORDER BY id LIMIT :limit"""

FIND_HOLDS: Final = """
    SELECT id, first, last, member, until FROM holds WHERE topic = :topic AND name = :name ORDER BY first"""

HOLD: Final = """
    INSERT INTO holds (topic, name, first, last, member, until)
    VALUES (:topic, :name, :first, :last, :member, :until)"""

COMMIT: Final = "DELETE FROM holds WHERE id = ? AND member = ?"

DROP_HOLD: Final = "DELETE FROM holds WHERE id = ?"

DEPTH: Final = f"""
    SELECT (SELECT COUNT(*) FROM messages WHERE topic = :topic AND id >= {_NEXT})
        + (SELECT COUNT(*) FROM holds AS h
            JOIN messages AS m ON m.topic = h.topic AND m.id BETWEEN h.first AND h.last
            WHERE h.topic = :topic AND h.name = :name)"""  # noqa: S608 - made of constants

TRIM: Final = """
    DELETE FROM messages WHERE id IN (
        SELECT id FROM messages
        WHERE topic = :topic AND at < :before AND id < COALESCE(
            (SELECT MIN(id) FROM (
                SELECT next AS id FROM consumer_groups WHERE topic = :topic
                UNION ALL SELECT first FROM holds WHERE topic = :topic)),
            9223372036854775807)
        ORDER BY id LIMIT :limit)"""
"""A group's messages are committed up to its next one, but for those in hand."""
