"""Several places that hold secrets, asked one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportbus.core.errors import Permanent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reportbus.ports import Secrets

NOT_FOUND = "SEC_SECRET_NOT_FOUND"


class FirstOf:
    """The secret as the first place has it that has one of the name."""

    def __init__(self, places: Sequence[Secrets]) -> None:
        self._places = places

    def get(self, name: str) -> Mapping[str, str]:
        return self._first([place.get for place in self._places], name)

    def refresh(self, name: str) -> Mapping[str, str]:
        return self._first([place.refresh for place in self._places], name)

    def _first(self, asks: Sequence[Callable[[str], Mapping[str, str]]], name: str) -> Mapping[str, str]:
        missing: list[str] = []
        for ask in asks:
            try:
                return ask(name)
            except Permanent as error:
                if error.code != NOT_FOUND:
                    raise
                missing.append(error.text)
        raise Permanent(NOT_FOUND, "; ".join(missing))
