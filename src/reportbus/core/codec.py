"""Requests as text, for the ledger. What was written by an older version is still read."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from reportbus.core.model import Mail, NotifyRule, Request, Status, Target, TargetType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reportbus.core.model import JsonValue

VERSION: Final = 1

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _prepared() -> Callable[[Any], str]:
    """The encoder's own routine, made once: `JSONEncoder.encode` makes it anew for each value."""
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return _ENCODER.encode
    string, sort, skip, nan = json.encoder.encode_basestring, True, False, True
    pieces = make(None, _ENCODER.default, string, None, ":", ",", sort, skip, nan)
    return lambda value: "".join(pieces(value, 0))


_encode: Final = _prepared()


def encode(value: JsonValue | Mapping[str, JsonValue]) -> str:
    """Canonical JSON: sorted keys, no blanks, no escapes beyond the needed."""
    return _encode(value)


def request_to_text(request: Request) -> str:
    """The request, whole. Fields that have their default are left out."""
    data: dict[str, Any] = {
        "v": VERSION,
        "id": request.request_id,
        "type": request.report_type,
        "name": request.report_name,
        "format": request.format,
        "file": request.file_name,
        "at": request.requested_at.isoformat(),
        "expires": request.expires_at.isoformat(),
        "parameters": dict(request.parameters),
        "targets": [_target_to_data(target) for target in request.targets],
        "priority": request.priority,
        "by": request.requested_by,
    }
    if request.notify:
        data["notify"] = [
            {"channel": rule.channel, "to": rule.to, "on": sorted(rule.on)} for rule in request.notify
        ]
    return _encode(data)


def request_from_text(text: str) -> Request:
    """What `request_to_text` wrote. Raises ValueError for another version's text."""
    data = json.loads(text)
    if data.get("v") != VERSION:
        msg = f"no request version {data.get('v')!r}; have {VERSION}"
        raise ValueError(msg)
    return Request(
        request_id=data["id"],
        report_type=data["type"],
        report_name=data["name"],
        format=data["format"],
        file_name=data["file"],
        requested_at=datetime.fromisoformat(data["at"]),
        expires_at=datetime.fromisoformat(data["expires"]),
        parameters=data["parameters"],
        targets=tuple([_target_from_data(target) for target in data["targets"]]),
        notify=tuple(
            [
                NotifyRule(
                    rule["channel"], tuple(rule["to"]), frozenset(Status(status) for status in rule["on"])
                )
                for rule in data.get("notify", ())
            ]
        ),
        priority=data["priority"],
        requested_by=data["by"],
    )


def _target_to_data(target: Target) -> dict[str, Any]:
    data: dict[str, Any] = {
        "n": target.number,
        "type": target.type,
        "to": target.destination,
        "path": target.path,
        "file": target.file_name,
    }
    if target.mail is not None:
        mail = target.mail
        data["mail"] = {
            "to": mail.to,
            "subject": mail.subject,
            "body": mail.body,
            "cc": mail.cc,
            "bcc": mail.bcc,
        }
    return data


def _target_from_data(data: Mapping[str, Any]) -> Target:
    mail = data.get("mail")
    return Target(
        number=data["n"],
        type=TargetType(data["type"]),
        destination=data["to"],
        path=data["path"],
        file_name=data["file"],
        mail=None
        if mail is None
        else Mail(tuple(mail["to"]), mail["subject"], mail["body"], tuple(mail["cc"]), tuple(mail["bcc"])),
    )
