"""Targets as they were asked for, in the column and in the table, brought into one shape."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reportbus.core.inline_secrets import holds_login, without_secrets
from reportbus.core.intake.rules import VARIANTS
from reportbus.core.intake.words import Problems, shown
from reportbus.core.model import TargetType
from reportbus.core.text import have, one_line, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportbus.core.model import JsonValue

_COMMON: Final = frozenset({"type", "destination", "file_name", "credentials_secret", "enabled"})
FILE_FIELDS: Final = _COMMON | {"path"}
MAIL_FIELDS: Final = _COMMON | {"to", "cc", "bcc", "subject", "body"}
"""What a target in the column's JSON may say; `FILE_FIELDS` of a file, `MAIL_FIELDS` of a mail."""

_TABLE: Final = "DISTRIBUTION_CONFIG"
_COLUMN_OF: Final = {"type": "TARGET_TYPE", "credentials_secret": "CREDENTIALS_SECRET"} | dict.fromkeys(
    ("destination", "path", "to"), "TARGET_PATH"
)

# The protocols of the specification's table of targets are taken for the types that use them.
_PROTOCOLS: Final = {"NFS": TargetType.NAS, "SMTP": TargetType.EMAIL, "SES": TargetType.EMAIL}
_TYPES: Final = {type_.value: type_ for type_ in TargetType} | _PROTOCOLS
_TYPE_NAMES: Final = tuple(TargetType)

LOGIN: Final = (
    "holds a user with a password, or what looks like them; name a destination, which knows its log-in"
)
"""What is said of a log-in within a place. Nothing of the place: a password may stand anywhere in it."""

_URL: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/]*)/?(.*)", re.DOTALL)
_ENCODED: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_BETWEEN_ADDRESSES: Final = re.compile(r"[,;]")
_ID_WIDTH: Final = 36


@dataclass(frozen=True, slots=True)
class Asked:
    """One target as it was asked for: its type, and its other fields still unchecked.

    `where` is the place of its fields in problems, `table` whether that is a row of the table. What is not
    `enabled` may be as broken as it likes.
    """

    where: str
    type: TargetType
    fields: Mapping[str, JsonValue]
    enabled: bool
    table: bool = False

    def field(self, name: str) -> str:
        """How problems name the field `name` of this target."""
        return f"{self.where}.{_COLUMN_OF.get(name, name) if self.table else name}"


def from_column(item: JsonValue, where: str, problems: Problems) -> Asked | None:
    """A target of the column's JSON; None where its type is no good."""
    if not isinstance(item, dict):
        problems.add("CFG_TYPE", f"a target is an object, not {shown(item)}", where)
        return None
    raw = item.get("enabled")
    if raw is not None and not isinstance(raw, bool):
        _add_no_boolean(raw, f"{where}.enabled", problems)
    wrong = Problems() if raw is False else problems
    type_ = _target_type(item.get("type"), f"{where}.type", wrong)
    if type_ is None:
        return None
    wrong.add_unknown_fields(item, MAIL_FIELDS if type_ is TargetType.EMAIL else FILE_FIELDS, where)
    return Asked(where, type_, item, raw is not False)


def from_table(row: Mapping[str, JsonValue], position: int, problems: Problems) -> Asked | None:
    """A target of the table DISTRIBUTION_CONFIG; None where its type or its URL is no good."""
    name = row.get("CONFIG_ID")
    shown_name = one_line(without_secrets(name), _ID_WIDTH) if isinstance(name, str) else position
    where = f"{_TABLE}[{shown_name}]"
    raw = row.get("ENABLED")
    # Some databases write a boolean as 0 or 1.
    if raw is not None and not (isinstance(raw, int) and raw in {0, 1}):
        _add_no_boolean(raw, f"{where}.ENABLED", problems)
    enabled = raw is None or raw != 0
    wrong = problems if enabled else Problems()
    type_ = _target_type(row.get("TARGET_TYPE"), f"{where}.TARGET_TYPE", wrong)
    if type_ is None:
        return None
    fields: dict[str, JsonValue] = {"credentials_secret": row.get("CREDENTIALS_SECRET")}
    pointed = _add_place(fields, type_, row.get("TARGET_PATH"), f"{where}.TARGET_PATH", wrong)
    return None if pointed is None else Asked(where, pointed, fields, enabled, table=True)


def _add_place(
    fields: dict[str, JsonValue], type_: TargetType, raw: JsonValue, field: str, problems: Problems
) -> TargetType | None:
    """Add what TARGET_PATH says to `fields`: a path, a URL or addresses. The type, as far as a URL tells."""
    if isinstance(raw, str) and holds_login(raw) and (type_ is not TargetType.EMAIL or "://" in raw):
        problems.add("SEC_INLINE_SECRET", LOGIN, field)
        return None
    if type_ is TargetType.EMAIL:
        fields["to"] = [*_BETWEEN_ADDRESSES.split(raw)] if isinstance(raw, str) else raw
        return type_
    url = _URL.fullmatch(raw) if isinstance(raw, str) else None
    if url is None:
        fields["path"] = raw
        return type_
    pointed = _TYPES.get(url[1].upper())
    if pointed not in VARIANTS.get(type_, (type_,)):
        problems.add(
            "CFG_TARGET_TYPE", f"a URL of {quoted(url[1])} is no place for a target of type {type_}", field
        )
        return None
    fields["destination"] = url[2]
    fields["path"] = _decoded(url[3], field, problems)
    return pointed


def _add_no_boolean(raw: JsonValue, field: str, problems: Problems) -> None:
    problems.add("CFG_BOOL", f"{shown(raw)} is neither true nor false; none means true", field)


def _target_type(raw: JsonValue, field: str, problems: Problems) -> TargetType | None:
    if isinstance(raw, str):
        type_ = _TYPES.get(raw) or _TYPES.get(raw.strip().upper())
        if type_ is not None:
            return type_
    fault = "is missing" if raw is None else f"there is no target type {shown(raw)}"
    problems.add("CFG_TARGET_TYPE", f"{fault}; {have(_TYPE_NAMES)}", field)
    return None


def _decoded(path: str, field: str, problems: Problems) -> str:
    """The path of a URL, decoded once: what is still encoded after that is refused as a path."""
    if "?" in path or "#" in path:
        problems.add("CFG_URL", "a target's URL has no query and no fragment (? or #)", field)
        return ""
    if "%" not in path:
        return path
    try:
        return _ENCODED.sub(lambda code: bytes([int(code[1], 16)]), path.encode()).decode()
    except UnicodeError:
        problems.add("SEC_PATH", f"{quoted(path)} is not UTF-8 once it is decoded", field)
        return ""
