"""Where reports may go, and how people are told: `destinations.yaml`, and `channels` in `reportbus.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from reportbus.config.addresses import MailAddress, SecretName
from reportbus.config.kinds import Capitals, Choice, Location, Switch, Text
from reportbus.config.numbers import Integer, Number
from reportbus.config.options import Entries, Written, option
from reportbus.config.several import ListOf
from reportbus.core.model import TERMINAL, TargetType

if TYPE_CHECKING:
    from pathlib import Path

_PART: Final = Text(
    "[^/]{1,40}", 'a part of a file\'s name: 1 to 40 characters, none of them "/"', "CFG_PATH"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationSettings:
    """What all destinations have. A request names one, and a path below its root.

    `adapter` is whether this version can reach destinations of the type.
    """

    adapter: ClassVar[bool] = False
    name: str
    type: str
    enabled: bool = option(Switch(), "Whether requests may name it.", default=True)
    default: bool = option(
        Switch(),
        "Whether targets that name no destination go to it; the only one of its type is the default anyway.",
        default=False,
    )
    credentials_secret: str | None = option(
        SecretName(),
        "The secret with what a log-in takes. A request may name this one too, and no other.",
        default=None,
    )
    timeout_seconds: float = option(
        Number(1, 86_400, "seconds"), "How long one attempt at a delivery may take.", default=120.0
    )
    retry_count: int | None = option(
        Integer(0, 20, "retries"),
        "Retries after a passing fault, in place of retry.max_retries.",
        default=None,
    )
    max_concurrency: int | None = option(
        Integer(1, 1_000, "deliveries"),
        "How many deliveries may be made at once, over all workers; no limit when left open.",
        default=None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NasSettings(DestinationSettings):
    """A folder: of this machine, or one that is mounted (NFS, CIFS)."""

    adapter: ClassVar[bool] = True
    root: Path = option(Location(), "The folder; no report goes anywhere above it.")
    mkdirs: bool = option(Switch(), "Whether missing folders below the root are made.", default=True)
    mounted: bool = option(
        Switch(),
        "Whether the root has to be a mount point, so that nothing is written below a share that is away.",
        default=False,
    )
    replace: bool = option(
        Switch(),
        "Whether another file under the final name is replaced, or the delivery refused.",
        default=True,
    )
    verify: str = option(
        Choice(("hash", "size")), "What is compared before a file gets its final name.", default="hash"
    )
    temporary_folder: str = option(
        Text(),
        "Where files grow until they are whole, below the root; beside their place when left open.",
        default="",
    )
    temporary_prefix: str = option(_PART, "How the names of growing files begin.", default=".reportbus-")
    temporary_suffix: str = option(_PART, "How the names of growing files end.", default=".part")
    stale_after_seconds: float = option(
        Number(60, 31_536_000, "seconds"), "When a left-over growing file is removed.", default=86_400.0
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailSettings(DestinationSettings):
    """Reports as attachments of mails, put into a Maildir."""

    adapter: ClassVar[bool] = True
    size_limit_bytes: int = option(
        Integer(1, 2**30, "bytes"),
        "The largest mail that is sent; mail servers refuse more.",
        default=25_000_000,
    )

    maildir: Path = option(
        Location(), "The Maildir the mails are put into.", default=Written("${REPORTBUS_HOME}/mail")
    )


DESTINATIONS: Final = Entries(
    what="destination",
    types={
        type_: {TargetType.NAS: NasSettings, TargetType.EMAIL: EmailSettings}.get(type_)
        for type_ in TargetType
    },
    common=DestinationSettings,
    default={
        "delivered": {"type": "NAS", "root": "${REPORTBUS_HOME}/delivered"},
        "mail": {"type": "EMAIL"},
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSettings:
    """What all channels have. `name` is in capitals."""

    name: str
    type: str
    enabled: bool = option(Switch(), "Whether notices go through it.", default=True)
    timeout_seconds: float = option(
        Number(1, 3_600, "seconds"), "How long one attempt at a notice may take.", default=30.0
    )
    max_concurrency: int | None = option(
        Integer(1, 1_000, "notices"),
        "How many notices may be sent at once, over all workers; no limit when left open.",
        default=None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MaildirChannel(ChannelSettings):
    """Mails, put into a Maildir."""

    maildir: Path = option(
        Location(), "The Maildir the mails are put into.", default=Written("${REPORTBUS_HOME}/mail")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LogChannel(ChannelSettings):
    """A line in the log."""


CHANNELS: Final = Entries(
    what="channel",
    types={
        "EMAIL": MaildirChannel,
        "LOG": LogChannel,
        "KAFKA": None,
        "SNS": None,
        "SQS": None,
        "AMQP": None,
        "WEBHOOK": None,
    },
    common=ChannelSettings,
    default={"EMAIL": {}, "LOG": {}},
    named_by_type=True,
    capitals=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifyDefault:
    """Whom to tell of requests that do not say it themselves."""

    channel: str = option(Capitals(), "The channel's name.")
    to: tuple[str, ...] = option(ListOf(MailAddress()), "The mail addresses told by EMAIL.", default=())
    on: tuple[str, ...] = option(
        ListOf(Choice(tuple(sorted(TERMINAL)))), "The endings that are told.", default=tuple(sorted(TERMINAL))
    )
