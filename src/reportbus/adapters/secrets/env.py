"""Secrets in environment variables: secret `acme/sftp` is REPORTBUS_SECRET_ACME_SFTP."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from reportbus.adapters.secrets.cache import SecretCache
from reportbus.adapters.secrets.secret import Secret, malformed, not_found, parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportbus.core.redact import Redactor
    from reportbus.ports import Clock

PREFIX: Final = "REPORTBUS_SECRET_"

_NOT_IN_A_VARIABLE: Final = re.compile(r"[^A-Z0-9]")


class EnvSecrets:
    """The secrets in `environment`: JSON objects of texts, or plain texts, which are their field `value`."""

    def __init__(self, environment: Mapping[str, str], clock: Clock, redactor: Redactor) -> None:
        self._environment = environment
        self._cache = SecretCache(self._read, clock, redactor)

    def get(self, name: str) -> Mapping[str, str]:
        return self._cache.get(name)

    def refresh(self, name: str) -> Mapping[str, str]:
        return self._cache.refresh(name)

    def _read(self, name: str) -> Secret:
        variable = PREFIX + _NOT_IN_A_VARIABLE.sub("_", name.upper())
        text = self._environment.get(variable)
        if text is None:
            raise not_found(name, f"the environment has no {variable}")
        if not text.strip():
            raise malformed(name, f"is empty in {variable}")
        return parse(name, text) if text.lstrip().startswith("{") else Secret(name, {"value": text})
