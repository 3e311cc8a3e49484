"""What a request is, once it has been read and found good."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"


class Status(StrEnum):
    """The six statuses a request can show, in the worktable and in the ledger."""

    PENDING = "PENDING"
    IN_PROGRESS = "IN_PROGRESS"
    GENERATED = "GENERATED"
    DISTRIBUTED = "DISTRIBUTED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


TERMINAL: Final = frozenset({Status.COMPLETED, Status.FAILED})


class TargetType(StrEnum):
    """How a target is reached: the specification's four, and the three variants of its FTP and NAS."""

    FTP = "FTP"
    FTPS = "FTPS"
    SFTP = "SFTP"
    NAS = "NAS"
    SMB = "SMB"
    S3 = "S3"
    EMAIL = "EMAIL"


HIGHEST_PRIORITY: Final = 1
DEFAULT_PRIORITY: Final = 5
LOWEST_PRIORITY: Final = 9


@dataclass(frozen=True, slots=True)
class Mail:
    """Whom a mail goes to and what it says; the addresses are checked addr-specs."""

    to: tuple[str, ...]
    subject: str
    body: str = ""
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """One place a report goes to.

    `number` counts from 1 inside the request. `destination` names an entry of the destinations'
    configuration; `path` is a checked folder below its root, joined by "/", and `file_name` the final name.
    `mail` is set for EMAIL targets and for them only.
    """

    number: int
    type: TargetType
    destination: str
    path: str = ""
    file_name: str = ""
    mail: Mail | None = None


@dataclass(frozen=True, slots=True)
class NotifyRule:
    """Tell `to` through `channel` when the request ends in one of the statuses `on`."""

    channel: str
    to: tuple[str, ...] = ()
    on: frozenset[Status] = TERMINAL


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asked for: one worktable row, read, checked and complete.

    `format` is a key of `reportbus.core.formats.FORMATS`; `file_name` is the name of the staged file;
    times are UTC. `expires_at` is the deadline of the first run. A request never changes after intake.
    """

    request_id: str
    report_type: str
    report_name: str
    format: str
    file_name: str
    requested_at: datetime
    expires_at: datetime
    parameters: Mapping[str, JsonValue] = field(default_factory=dict)
    targets: tuple[Target, ...] = ()
    notify: tuple[NotifyRule, ...] = ()
    priority: int = DEFAULT_PRIORITY
    requested_by: str = ""


@dataclass(frozen=True, slots=True)
class Artifact:
    """One staged file of a run.

    `size` in bytes, `sha256` in hexadecimal; `rows` where the engine counts them.
    """

    key: str
    file_name: str
    format: str
    size: int
    sha256: str
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What proves an outside effect.

    `location` says where it stands (a path, a message id); `verified` how that was checked: "hash", "size",
    "reply", "name" where only the name of what stands there was looked at, or "superseded" where a newer
    request's file stands there and this one was not put in its place. `repeated` is set where an earlier
    attempt's effect was found and recognised.
    """

    location: str
    verified: str
    size: int = 0
    sha256: str = ""
    repeated: bool = False
    possible_duplicate: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: its terminal status and, for FAILED, the code and sentence that say why.

    `missing` are the targets that do not have the report.
    """

    status: Status
    code: str = ""
    text: str = ""
    missing: tuple[int, ...] = ()
