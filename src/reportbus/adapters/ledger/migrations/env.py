"""How Alembic runs the ledger's migrations: on the connection it is given, or as SQL text."""

from __future__ import annotations

from alembic import context

connection = context.config.attributes.get("connection")
if connection is not None:
    context.configure(connection=connection, transactional_ddl=True)
    context.run_migrations()
else:
    context.configure(url=context.config.attributes["url"], literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
