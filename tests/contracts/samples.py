"""Requests, files and deliveries as the suites of several ports need them."""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, BinaryIO

from reportbus.adapters.clock import ManualClock
from reportbus.core.errors import Permanent
from reportbus.core.model import Artifact, Mail, Request, Target, TargetType
from reportbus.ports import Deadline, Delivery

if TYPE_CHECKING:
    from collections.abc import Mapping

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def request(number: int = 1, *, at: datetime = NOON, targets: tuple[Target, ...] = ()) -> Request:
    return Request(
        request_id=f"R-{number}",
        report_type="PYTHON",
        report_name="Monthly sales",
        format="CSV",
        file_name="sales.csv",
        requested_at=at,
        expires_at=at + timedelta(days=1),
        targets=targets,
        requested_by="ada",
    )


def artifact(content: bytes, *, number: int = 1, name: str = "sales.csv") -> Artifact:
    return Artifact(
        f"reports/R-{number}/1/1/{name}", name, "CSV", len(content), hashlib.sha256(content).hexdigest()
    )


def deadline(seconds: float = 60.0) -> Deadline:
    """A deadline on a clock that stands still."""
    return Deadline(seconds, ManualClock())


def staged(contents: Mapping[str, bytes], file: Artifact) -> BinaryIO:
    """What staging answers when it holds `contents`, by key."""
    if file.key not in contents:
        raise Permanent("STG_MISSING", f"nothing is staged under {file.key}")
    return io.BytesIO(contents[file.key])


def file_delivery(
    content: bytes,
    *,
    number: int = 1,
    path: str = "",
    name: str = "sales.csv",
    at: datetime = NOON,
    stands: bytes | None = None,
    seconds: float = 60.0,
) -> Delivery:
    """A delivery of one file; `stands` is what staging really holds, where that is not `content`."""
    file = artifact(content, number=number)
    target = Target(1, TargetType.NAS, "archive", path, name)
    held = {file.key: content if stands is None else stands}
    return Delivery(
        f"R-{number}-1",
        request(number, at=at, targets=(target,)),
        target,
        (file,),
        lambda each: staged(held, each),
        deadline(seconds),
    )


def mail_delivery(
    content: bytes, *, number: int = 1, stands: bytes | None = None, possible_duplicate: bool = False
) -> Delivery:
    """A delivery by mail."""
    file = artifact(content, number=number)
    mail = Mail(("cfo@example.com", "ceo@example.com"), "Sales in März", "Good morning", ("ops@example.com",))
    target = Target(1, TargetType.EMAIL, "mail", mail=mail)
    held = {file.key: content if stands is None else stands}
    return Delivery(
        f"R-{number}-1",
        request(number, targets=(target,)),
        target,
        (file,),
        lambda each: staged(held, each),
        deadline(),
        possible_duplicate,
    )
