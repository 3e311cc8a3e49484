"""The ledger's schema and its versions, by Alembic."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from reportbus.adapters.ledger.database import Database
from reportbus.core.errors import Permanent

if TYPE_CHECKING:
    from reportbus.ports import Clock

_HERE = Path(__file__).parent / "migrations"


def upgrade(database: Database) -> str:
    """Bring the database to this version's schema; the revision it has now. Repeating it changes nothing.

    Raises Permanent SYS_SCHEMA for the schema of a later version.
    """
    config = _config()
    with database.write() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            text = f"the ledger's schema is none that this version knows: {error}"
            raise Permanent("SYS_SCHEMA", f"{text}; start the version that made it") from error
    return newest()


def upgrade_url(url: str, clock: Clock) -> str:
    """The same for the database at `url`, made where it is a SQLite file that is missing."""
    database = Database(url, clock, pool=1, reply=None)  # a large table takes its time
    try:
        return upgrade(database)
    finally:
        database.close()


def sql(dialect_url: str) -> str:
    """The statements that `upgrade` would run on an empty database, for those who run them by hand."""
    out = io.StringIO()
    config = _config(output_buffer=out)
    config.attributes["url"] = dialect_url
    command.upgrade(config, "head", sql=True)
    return out.getvalue()


def newest() -> str:
    """The newest of the migrations: what `reportbus.adapters.ledger.revision.REVISION` has to say."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def _config(**options: Any) -> Config:  # noqa: ANN401 - Alembic's own options
    config = Config(**options)
    config.set_main_option("script_location", str(_HERE))
    config.set_main_option("path_separator", "os")
    return config
