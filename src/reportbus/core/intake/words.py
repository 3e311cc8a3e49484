"""What is wrong with a row, as it is found, and what the sentences about it are made of."""

from __future__ import annotations

from difflib import get_close_matches
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Final

from reportbus.core.errors import MAX_PROBLEMS, Problem
from reportbus.core.text import have, quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from reportbus.core.model import JsonValue

_LONGEST_COMPARED: Final = 64  # likeness takes time that grows with the square of the length
_LARGEST_SHOWN: Final = 10**40  # longer numbers may not even be written out


class Problems(list[Problem]):
    """What is wrong with a row, as it is found."""

    def add(self, code: str, text: str, field: str = "") -> None:
        """One more."""
        self.append(Problem(code, text, field))

    def add_unknown_fields(self, given: Mapping[str, JsonValue], known: frozenset[str], where: str) -> None:
        """CFG_UNKNOWN_FIELD for each key of `given` that nobody would read."""
        if known.issuperset(given):
            return
        for key in islice((key for key in given if key not in known), MAX_PROBLEMS):
            fault = f"there is no field {quoted(key)}{did_you_mean(key, known)}; {have(known)}"
            self.add("CFG_UNKNOWN_FIELD", fault, where)


def shown(value: JsonValue) -> str:
    """A value as a sentence shows it: text in quotes, numbers as they are, of anything else its kind."""
    if isinstance(value, str):
        return quoted(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    return str(value) if abs(value) <= _LARGEST_SHOWN else "a number beyond all bounds"


def did_you_mean(name: str, names: Collection[str]) -> str:
    """`; did you mean X?` where one of `names` is like `name`, else nothing."""
    like = _closest(name, tuple(names)) if len(name) <= _LONGEST_COMPARED else ""
    return f"; did you mean {like!r}?" if like else ""


@lru_cache(maxsize=1_024)  # the same slips come again and again
def _closest(name: str, names: tuple[str, ...]) -> str:
    folded = {known.casefold(): known for known in names}
    close = get_close_matches(name.casefold(), folded, n=1)
    return folded[close[0]] if close else ""
