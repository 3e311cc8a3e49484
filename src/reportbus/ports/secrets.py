"""Named secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


class Secrets(Protocol):
    """Named secrets. Their values go nowhere but to the system they open."""

    def get(self, name: str) -> Mapping[str, str]:
        """The secret's fields ("password" …), read anew or from a cache of at most five minutes.

        Permanent SEC_SECRET_NOT_FOUND, SEC_SECRET_FORMAT (names what is missing, never the content).
        """

    def refresh(self, name: str) -> Mapping[str, str]:
        """The same, past the cache: once, where a log-in failed with what was kept."""
