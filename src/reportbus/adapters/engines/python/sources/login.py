"""Log-ins from secrets, which may be changed while the process runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reportbus.ports import Secrets

T = TypeVar("T")
Found: TypeAlias = "Mapping[str, Mapping[str, str]]"
"""The fields of secrets, by their names."""


class LogIn:
    """The secrets of these names, as what opens a connection; an empty name is none."""

    def __init__(self, secrets: Secrets | None, *names: str) -> None:
        self._secrets = secrets
        self._names = tuple(filter(None, names))

    def opened(self, connect: Callable[[Found], T], refusals: tuple[type[Exception], ...]) -> T:
        """What `connect` makes of the secrets.

        Where it raises one of `refusals`, the secrets are read anew, and if one has changed they are tried
        once more. Drivers do not tell a refused log-in from other faults alike, so any of them may be one.
        """
        secrets = self._secrets
        if secrets is None or not self._names:
            return connect({})
        known = {name: secrets.get(name) for name in self._names}
        try:
            return connect(known)
        except refusals:
            fresh = {name: secrets.refresh(name) for name in self._names}
            if all(dict(fresh[name]) == dict(known[name]) for name in self._names):
                raise
        return connect(fresh)
