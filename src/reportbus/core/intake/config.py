"""The JSON of the column DISTRIBUTION_CONFIG, but for its targets: the format, and whom to tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reportbus.core.errors import Problem
from reportbus.core.formats import FORMATS
from reportbus.core.intake.places import add_addresses
from reportbus.core.intake.words import Problems, shown
from reportbus.core.model import TERMINAL, NotifyRule, Status
from reportbus.core.text import have

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportbus.core.intake.rules import IntakeRules
    from reportbus.core.model import JsonValue

FIELD: Final = "DISTRIBUTION_CONFIG"
"""How problems name the column."""

_FIELDS: Final = frozenset({"format", "file_name", "targets", "notify"})
_NOTICE_FIELDS: Final = frozenset({"type", "to", "on"})
_MOST_NOTICES: Final = 20
_ENDS: Final = {str(status): status for status in TERMINAL}


def config_of(value: JsonValue, problems: Problems) -> Mapping[str, JsonValue]:
    """The column's object; a list is short for its targets."""
    if value is None:
        return {}
    if isinstance(value, list):
        return {"targets": value}
    if not isinstance(value, dict):
        problems.add("CFG_TYPE", f"must be an object or a list of targets, not {shown(value)}", FIELD)
        return {}
    problems.add_unknown_fields(value, _FIELDS, FIELD)
    return value


def format_of(config: Mapping[str, JsonValue], rules: IntakeRules, problems: Problems) -> str:
    """The format asked for, in capitals, whether there is such a one or not; empty where it is no name."""
    raw = config.get("format")
    if raw is None:
        return rules.default_format
    name = raw.strip().upper() if isinstance(raw, str) else ""
    if not name:
        problems.append(no_format(shown(raw)))
    return name


def no_format(name: str) -> Problem:
    """What is wrong with a format that not even an engine knows."""
    return Problem("VAL_FORMAT", f"there is no format {name}; {have(FORMATS)}", f"{FIELD}.format")


def notices_of(
    config: Mapping[str, JsonValue], rules: IntakeRules, problems: Problems
) -> tuple[NotifyRule, ...]:
    """Whom to tell; where the request says nothing, the rules' own."""
    raw = config.get("notify")
    field = f"{FIELD}.notify"
    if raw is None:
        return rules.notify
    if not isinstance(raw, list):
        problems.add("CFG_TYPE", f"must be a list, not {shown(raw)}", field)
        return ()
    if len(raw) > _MOST_NOTICES:
        problems.add("CFG_LIMIT", f"has {len(raw)} entries; at most {_MOST_NOTICES} are allowed", field)
        return ()
    found = [_notice(item, f"{field}[{position}]", rules, problems) for position, item in enumerate(raw)]
    return tuple([rule for rule in found if rule is not None])


def _notice(item: JsonValue, where: str, rules: IntakeRules, problems: Problems) -> NotifyRule | None:
    if not isinstance(item, dict):
        problems.add("CFG_TYPE", f"a notice is an object, not {shown(item)}", where)
        return None
    problems.add_unknown_fields(item, _NOTICE_FIELDS, where)
    raw = item.get("type")
    name = raw.strip() if isinstance(raw, str) else ""
    channel = name if name in rules.channels else name.upper()
    takes_addresses = rules.channels.get(channel)
    if takes_addresses is None:
        fault = "is missing" if raw is None else f"there is no channel {shown(raw)}"
        problems.add("CFG_CHANNEL", f"{fault}; {have(rules.channels)}", f"{where}.type")
        return None
    to: tuple[str, ...] = ()
    if takes_addresses:
        to = add_addresses(item.get("to"), f"{where}.to", rules, problems)
    elif item.get("to") is not None:
        fault = f"the channel {channel} goes where the operator has set it up to go, and takes no addresses"
        problems.add("CFG_UNKNOWN_FIELD", fault, f"{where}.to")
    return NotifyRule(channel, to, _statuses(item.get("on"), f"{where}.on", problems))


def _statuses(raw: JsonValue, field: str, problems: Problems) -> frozenset[Status]:
    """The ends of a run that are told; both where nothing is said."""
    if raw is None:
        return TERMINAL
    items = raw if isinstance(raw, list) else [raw]
    ends = [_ENDS.get(item.strip().upper()) if isinstance(item, str) else None for item in items]
    wrong = next((shown(item) for item, end in zip(items, ends, strict=True) if end is None), "an empty list")
    if not ends or None in ends:
        fault = f"{wrong} is no end of a request; {have(_ENDS)}, and nothing means both"
        problems.add("CFG_NOTIFY_ON", fault, field)
    return frozenset(filter(None, ends))
