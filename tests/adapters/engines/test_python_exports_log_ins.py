"""Log-ins of sources: they come from secrets, follow them when they change, and show nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, make_url

from adapters.engines.export_sources import make_sqlite
from reportbus.adapters.engines.python.exports import Connection
from reportbus.adapters.engines.python.settings import (
    AdbcSettings,
    FromSecret,
    PostgresSettings,
    SqlAlchemySettings,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from reportbus.adapters.engines.python.settings import ConnectionSettings

ROLE = "reportbus_reader"


class Store:
    """A `Secrets` whose cache holds `kept` while the store itself has `now`."""

    def __init__(self, kept: Mapping[str, str], now: Mapping[str, str]) -> None:
        self._kept = kept
        self._now = now
        self.refreshed = 0

    def get(self, name: str) -> Mapping[str, str]:
        assert name == "login"
        return self._kept

    def refresh(self, name: str) -> Mapping[str, str]:
        self.refreshed += 1
        self._kept = self._now
        return self.get(name)


@pytest.fixture
def role(postgres_url: str) -> Iterator[str]:
    """The database's address, without user and password; the role reads with the password `pa:ss/w@rd`."""
    engine = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP ROLE IF EXISTS {ROLE}")
        connection.exec_driver_sql(f"CREATE ROLE {ROLE} LOGIN PASSWORD 'pa:ss/w@rd'")
        yield make_url(postgres_url)._replace(username=None, password=None).render_as_string()
        connection.exec_driver_sql(f"DROP ROLE {ROLE}")
    engine.dispose()


def login(password: str) -> dict[str, str]:
    return {"user": ROLE, "password": password}


def settings_of(kind: str, url: str) -> ConnectionSettings:
    if kind == "postgresql":
        return PostgresSettings("main", url, secret="login")
    return SqlAlchemySettings("main", url, secret="login")


KINDS = pytest.mark.parametrize("kind", ["postgresql", "sqlalchemy"])


@KINDS
def test_a_log_in_comes_from_a_secret(kind: str, role: str) -> None:
    store = Store(login("pa:ss/w@rd"), {})
    connection = Connection(settings_of(kind, role), store)
    assert connection.test().ok
    assert store.refreshed == 0
    connection.close()


@KINDS
def test_a_password_that_was_changed_is_taken_at_the_first_refusal(kind: str, role: str) -> None:
    store = Store(login("yesterday's"), login("pa:ss/w@rd"))
    connection = Connection(settings_of(kind, role), store)
    assert connection.test().ok
    assert store.refreshed == 1
    connection.close()


@KINDS
def test_a_log_in_that_is_refused_shows_in_no_error_and_is_not_tried_again_unchanged(
    kind: str, role: str
) -> None:
    store = Store(login("pa:ss-wrong"), login("pa:ss-wrong"))
    connection = Connection(settings_of(kind, role), store)
    verdict = connection.test()
    assert not verdict.ok
    assert "pa:ss" not in verdict.text
    assert store.refreshed == 1
    connection.close()


@pytest.mark.parametrize("field", ["uri", "value"])
def test_an_option_of_an_adbc_driver_comes_from_a_secrets_field(tmp_path: Path, field: str) -> None:
    make_sqlite(tmp_path / "people.db")
    store = Store({field: str(tmp_path / "none" / "people.db")}, {field: str(tmp_path / "people.db")})
    settings = AdbcSettings("main", "adbc_driver_sqlite", {"uri": FromSecret("login")})
    connection = Connection(settings, store)
    assert connection.test().ok
    assert store.refreshed == 1
    connection.close()
