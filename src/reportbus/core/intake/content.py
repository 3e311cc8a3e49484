"""A row as it is kept: its content in one form, the digest of it, and its texts fit for their columns."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from reportbus.core.inline_secrets import without_secrets
from reportbus.core.intake.heading import MAX_REQUESTER
from reportbus.core.intake.message import BODY, DISTRIBUTION, HEADING, RawRow, storable
from reportbus.core.intake.words import shown
from reportbus.core.names import MAX_REPORT_NAME
from reportbus.core.strict_json import canonical
from reportbus.core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportbus.core.model import JsonValue

WIDTHS: Final = {"REPORT_TYPE": 50, "REPORT_NAME": MAX_REPORT_NAME, "REQUESTED_BY": MAX_REQUESTER}
"""Characters that are kept of what a request is about."""

_TEXT: Final = re.compile(r'"((?:[^"\\]|\\.)*)"')


def content_of(row: RawRow, request_id: str, decoded: Mapping[str, JsonValue]) -> tuple[str, str]:
    """What the row asks for as canonical JSON, and the SHA-256 of that.

    `request_id` stands in for the row's own where it is good, `decoded` for the texts of its JSON columns.
    What the worktable writes into the row itself, its status and times, is no part of it.
    """
    asked: dict[str, JsonValue] = {name: row.columns.get(name) for name in (*HEADING, *BODY)}
    asked |= decoded
    if request_id:
        asked["REQUEST_ID"] = request_id
    if row.cut:
        asked["BYTES_READ"] = row.cut
    rows: list[JsonValue] = [{name: item.get(name) for name in DISTRIBUTION} for item in row.distribution]
    try:
        if len(rows) > 1:
            rows.sort(key=canonical)
        content = canonical({**asked, "DISTRIBUTION": rows})
        octets = content.encode()
    except (ValueError, RecursionError):  # half a character, NaN, or too deep: no JSON, and refused for that
        content = json.dumps([storable(item) for item in (asked, *row.distribution)], sort_keys=True)
        octets = content.encode()
    return content, row.cut_digest or sha256(octets).hexdigest()


def without_secrets_in(content: str) -> str:
    """Canonical JSON with what may be a secret in any of its texts masked; for rows that nobody will run."""
    return _TEXT.sub(lambda text: f'"{without_secrets(text[1])}"', content)


def made_up_id(ref: str, digest: str) -> str:
    """An id for a row that has none, so that it is on record: the same row gets the same one."""
    return f"invalid-{sha256(f'{ref} {digest}'.encode('utf-8', 'replace')).hexdigest()[:24]}"


def text_of(row: RawRow, name: str) -> str:
    """A column that is no good, as far as it can be shown."""
    raw = row.columns.get(name)
    text = without_secrets(raw) if isinstance(raw, str) else shown(raw)
    return "" if raw is None else one_line(text, WIDTHS[name])
