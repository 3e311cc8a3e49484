"""What would be a secret, and how one is named instead."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from reportbus.config.nodes import Style

if TYPE_CHECKING:
    from reportbus.config.nodes import Scalar

REFERENCE: Final = "secret:"
"""What stands before the name of a secret, where the secret itself is to be put in later."""

_NAMES: Final = re.compile(r"passw|pwd|secret|token|api_?key|private_?key|credential", re.IGNORECASE)


def looks_secret(name: str) -> bool:
    """Whether an option or parameter of this name would hold a secret."""
    return _NAMES.search(name) is not None


def secret_named(text: str) -> str | None:
    """The secret's name in `secret:NAME`; None for any other text."""
    return text.removeprefix(REFERENCE) if text.startswith(REFERENCE) else None


def is_written_out(value: Scalar) -> bool:
    """Whether the value stands in a file as it is: no variable gave it, and it names no secret."""
    return value.style is not Style.GIVEN and not value.text.startswith(REFERENCE)


def holds_a_password(value: Scalar) -> bool:
    """Whether a file holds a URL with the password itself, and not a variable in its place."""
    if value.style is Style.GIVEN and not value.written:
        return False
    rest = value.shown.partition("://")[2]
    password = rest.rpartition("@")[0].partition(":")[2]
    return bool(password) and not password.startswith("${")
