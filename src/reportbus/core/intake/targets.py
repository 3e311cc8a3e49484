"""The targets of a request: those of its column and those of its table rows, as one list."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from reportbus.core.intake.asked import Asked, from_column, from_table
from reportbus.core.intake.config import FIELD
from reportbus.core.intake.places import Context, place
from reportbus.core.intake.words import Problems, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reportbus.core.intake.rules import IntakeRules
    from reportbus.core.model import JsonValue, Target

    Key: TypeAlias = tuple[object, ...]

NONE: Final = "none"
"""What stands in place of targets where a report is to be staged and nothing more."""

_FIELD: Final = f"{FIELD}.targets"


@dataclass(frozen=True, slots=True)
class _Found:
    """A target without fault, beside what was asked for."""

    asked: Asked
    target: Target

    def recipient(self) -> Key:
        """Whom or where it is for: what makes two targets, one of each source, the same."""
        mail = self.target.mail
        if mail is None:
            return (self.target.destination, self.target.path.casefold())
        addresses = sorted(address.lower() for address in (*mail.to, *mail.cc, *mail.bcc))
        return (self.target.destination, *addresses)

    def place(self) -> Key:
        """Where the output ends up, with upper and lower case the same, as some targets have it."""
        target = self.target
        return (target.destination, target.path.casefold(), target.file_name.casefold(), target.mail)


def read_targets(
    column: JsonValue, table: Sequence[Mapping[str, JsonValue]], context: Context, problems: Problems
) -> tuple[Target, ...]:
    """The targets, numbered from 1; what is wrong with them is added to `problems`.

    A target that both sources name counts once where they agree, and is a conflict where they do not.
    """
    items = _items(column, problems)
    number = len(items) + len(table)
    if number > 2 * context.rules.max_targets:  # too many even if both sources name the same ones
        _add_too_many(number, context.rules, problems)
        return ()
    asked = [from_column(item, f"{_FIELD}[{position}]", problems) for position, item in enumerate(items)]
    asked += [from_table(row, position, problems) for position, row in enumerate(table)]
    found = []
    for one in asked:
        target = None if one is None else place(one, context, problems if one.enabled else Problems())
        if one is not None and target is not None:
            found.append(_Found(one, target))
    union = [item for item in _union(found, problems) if item.asked.enabled]
    _add_collisions(union, problems)
    return tuple([replace(item.target, number=number) for number, item in enumerate(union, start=1)])


def _items(column: JsonValue, problems: Problems) -> list[JsonValue]:
    if isinstance(column, list):
        return column
    if column is not None and column != NONE:
        problems.add("CFG_TYPE", f'must be a list of targets or "{NONE}", not {shown(column)}', _FIELD)
    return []


def _union(found: Sequence[_Found], problems: Problems) -> list[_Found]:
    """Without the table's targets that the column has as well."""
    if not any(item.asked.table for item in found):
        return list(found)
    named = {item.recipient(): item for item in found if not item.asked.table}
    union = []
    for item in found:
        same = named.get(item.recipient()) if item.asked.table else None
        if same is None:
            union.append(item)
        elif (same.target, same.asked.enabled) != (item.target, item.asked.enabled):
            fault = f"is the same target as {same.asked.where}, with other content; say it in one place"
            problems.add("CFG_TARGET_CONFLICT", fault, item.asked.where)
    return union


def _add_collisions(found: Sequence[_Found], problems: Problems) -> None:
    """CFG_NAME_COLLISION for each output that would overwrite another."""
    taken: dict[Key, _Found] = {}
    for item in found:
        first = taken.setdefault(item.place(), item)
        if first is not item:
            same = "the same mail" if item.target.mail else "a file of the same name in the same place"
            problems.add("CFG_NAME_COLLISION", f"asks for {same} as {first.asked.where}", item.asked.where)


def check_number(column: JsonValue, number: int, rules: IntakeRules, problems: Problems) -> None:
    """Add what is wrong with having so many targets, beside what the column says."""
    if column == NONE and number:
        fault = f'says "{NONE}", but the table DISTRIBUTION_CONFIG has targets; say it in one place'
        problems.add("CFG_TARGET_CONFLICT", fault, _FIELD)
    if column != NONE and not number:
        fault = f'no target is switched on; name one, or write "targets": "{NONE}" to have it staged only'
        problems.add("VAL_NO_TARGETS", fault, _FIELD)
    if number > rules.max_targets:
        _add_too_many(number, rules, problems)


def _add_too_many(number: int, rules: IntakeRules, problems: Problems) -> None:
    fault = f"has {number} targets; at most {rules.max_targets} are allowed"
    problems.add("CFG_TOO_MANY_TARGETS", fault, _FIELD)
