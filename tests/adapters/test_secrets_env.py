from __future__ import annotations

import pytest

from contracts.secrets import CANARY, SecretsContract, refused
from reportbus.adapters.clock import ManualClock
from reportbus.adapters.secrets.env import EnvSecrets
from reportbus.core.redact import Redactor


class EnvStore:
    """Variables as a shell would set them."""

    def __init__(self) -> None:
        self.environment: dict[str, str] = {}

    def put(self, name: str, text: str) -> None:
        self.environment[self._variable(name)] = text

    def remove(self, name: str) -> None:
        del self.environment[self._variable(name)]

    @staticmethod
    def _variable(name: str) -> str:
        for mark in "-/.+=@":
            name = name.replace(mark, "_")
        return f"REPORTBUS_SECRET_{name.upper()}"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def redactor() -> Redactor:
    return Redactor()


@pytest.fixture
def store() -> EnvStore:
    return EnvStore()


@pytest.fixture
def secrets(store: EnvStore, clock: ManualClock, redactor: Redactor) -> EnvSecrets:
    return EnvSecrets(store.environment, clock, redactor)


class TestEnvSecrets(SecretsContract):
    pass


@pytest.mark.parametrize("text", [CANARY, f" {CANARY} ", '"quoted"', "[1]", "null", "12", "a{b}"])
def test_a_plain_text_is_the_secrets_value(secrets: EnvSecrets, store: EnvStore, text: str) -> None:
    store.put("key", text)
    assert dict(secrets.get("key")) == {"value": text}


def test_a_missing_variable_is_named(secrets: EnvSecrets) -> None:
    assert "REPORTBUS_SECRET_MIDAS_API_KEY" in refused(secrets, "midas-api-key").text
