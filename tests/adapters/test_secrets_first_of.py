from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from contracts.secrets import CANARY, SecretsContract, refused
from reportbus.adapters.clock import ManualClock
from reportbus.adapters.secrets.env import EnvSecrets
from reportbus.adapters.secrets.first_of import FirstOf
from reportbus.core.redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Mapping


class Variables:
    """One place for secrets, with an environment of its own."""

    def __init__(self, clock: ManualClock, redactor: Redactor) -> None:
        self.environment: dict[str, str] = {}
        self.secrets = EnvSecrets(self.environment, clock, redactor)

    def put(self, name: str, text: str) -> None:
        self.environment[self._variable(name)] = text

    def remove(self, name: str) -> None:
        del self.environment[self._variable(name)]

    @staticmethod
    def _variable(name: str) -> str:
        parts = "".join(letter if letter.isalnum() else "_" for letter in name.upper())
        return f"REPORTBUS_SECRET_{parts}"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def redactor() -> Redactor:
    return Redactor()


@pytest.fixture
def first(clock: ManualClock, redactor: Redactor) -> Variables:
    return Variables(clock, redactor)


@pytest.fixture
def store(clock: ManualClock, redactor: Redactor) -> Variables:
    """The second of the two places; the first has nothing."""
    return Variables(clock, redactor)


@pytest.fixture
def secrets(first: Variables, store: Variables) -> FirstOf:
    return FirstOf([first.secrets, store.secrets])


class TestFirstOf(SecretsContract):
    pass


def password(value: str) -> str:
    return json.dumps({"password": value})


def test_the_first_place_that_has_the_name_is_the_one_that_counts(
    secrets: FirstOf, first: Variables, store: Variables
) -> None:
    store.put("acme", password("second"))
    first.put("acme", password("first"))
    found: list[Mapping[str, str]] = [secrets.get("acme"), secrets.refresh("acme")]
    assert [secret["password"] for secret in found] == ["first", "first"]


def test_a_broken_secret_in_the_first_place_is_not_passed_over(
    secrets: FirstOf, first: Variables, store: Variables
) -> None:
    store.put("acme", password("second"))
    first.put("acme", f'{{"password": "{CANARY}"')
    assert refused(secrets, "acme").code == "SEC_SECRET_FORMAT"


def test_a_secret_that_is_nowhere_is_looked_for_in_every_place(secrets: FirstOf) -> None:
    assert refused(secrets, "acme").text.count("there is no secret 'acme'") == 2
