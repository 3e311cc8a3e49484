"""The variables of the environment and of the `.env` file, and what they do in a configuration file."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from reportbus.config.nodes import Items, Node, Scalar, Style, Table
from reportbus.config.problems import unfit
from reportbus.core.text import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from re import Match

    from reportbus.core.where import Where

PREFIX: Final = "REPORTBUS_"
"""Variables of this prefix are options; one that no option has is a mistake."""

SECRETS: Final = "REPORTBUS_SECRET_"
"""Variables of this prefix hold secrets; they are handed to the secrets' store unread."""

TESTS: Final = "REPORTBUS_TEST_"
"""Variables of this prefix belong to the tests."""

_REFERENCE: Final = re.compile(r"\$(\$?)\{([^{}]*)(\}?)")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def option_variable(path: str) -> str:
    """The variable that sets the option at `path`: REPORTBUS_ENGINES__OBIEE__ENDPOINT."""
    return PREFIX + re.sub(r"[^A-Z0-9_]", "_", path.upper().replace(".", "__"))


@dataclass(frozen=True, slots=True)
class Variables:
    """Every variable as a value with its place.

    `always` are those with a value even when nobody set them; it is the whole path however it was written.
    """

    given: Mapping[str, Scalar]
    always: Mapping[str, str]

    def put_into(self, node: Node) -> Node:
        """The node with each `${NAME}` in its values replaced; `$${` stands for `${`.

        Raises Unfit CFG_UNSET_VARIABLE for a variable that is not set, or set but empty.
        """
        match node:
            case Scalar():
                return self._put_into_scalar(node) if "${" in node.text and not node.written else node
            case Items():
                return replace(node, items=tuple(map(self.put_into, node.items)))
            case Table():
                return replace(
                    node, entries={name: self.put_into(item) for name, item in node.entries.items()}
                )

    def _put_into_scalar(self, scalar: Scalar) -> Scalar:
        used: list[str] = []

        def value(match: Match[str]) -> str:
            escape, name, end = match.groups()
            if escape:
                return match[0][1:]
            used.append(name)
            return self._value(name if end else "", match[0], scalar.where)

        text = _REFERENCE.sub(value, scalar.text)
        if not used:
            return replace(scalar, text=text, written=scalar.text)
        via = tuple(name for name in dict.fromkeys(used) if name in self.given)
        return Scalar(replace(scalar.where, via=via), text, Style.GIVEN, scalar.text)

    def _value(self, name: str, written: str, where: Where) -> str:
        if not _NAME.fullmatch(name):
            fault = (
                f"{quoted(written)} is no variable; takes ${{NAME}}, and $${{ for the characters themselves"
            )
            raise unfit("CFG_UNSET_VARIABLE", fault, where)
        variable = self.given.get(name)
        text = self.always.get(name) or (variable.text if variable else "")
        if not text:
            state = "set but empty" if variable else "not set"
            raise unfit(
                "CFG_UNSET_VARIABLE", f"${{{name}}} is {state}; set it in the environment or in .env", where
            )
        return text


class Asked:
    """Which variables the options have asked for, and which nobody will."""

    def __init__(self, variables: Variables) -> None:
        self.names: dict[str, None] = {}
        self._variables = variables
        self._passed_over = [SECRETS, TESTS]

    def given(self, names: tuple[str, ...]) -> list[Scalar]:
        """Those of the variables that somebody set; an option has asked for all of them now."""
        self.names.update(dict.fromkeys(names))
        return [variable for name in names if (variable := self._variables.given.get(name))]

    def pass_over(self, prefix: str) -> None:
        """Leave alone the variables that begin with `prefix`."""
        self._passed_over.append(prefix)

    def unknown(self) -> Iterator[tuple[str, Where]]:
        """The REPORTBUS_ variables that no option asked for."""
        for name, variable in self._variables.given.items():
            passed_over = name.startswith(tuple(self._passed_over))
            if name.startswith(PREFIX) and name not in self.names and not passed_over:
                yield name, variable.where
