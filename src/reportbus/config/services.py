"""What the platform leans on: mail, Snowflake, AWS, Kafka, and the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from reportbus.config.addresses import Host, HostAndPort, MailAddress, Port
from reportbus.config.kinds import Choice, Text
from reportbus.config.options import option
from reportbus.config.several import ListOf

_BUCKET: Final = r"(?!.*\.\.)(?![0-9]+(?:\.[0-9]+){3}$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
_BUCKET_IS: Final = "a bucket's name: 3 to 63 small letters, digits, dots and hyphens"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSettings:
    """Who mails are from, and the server that takes them."""

    sender: str = option(
        MailAddress(),
        "The address mails are from.",
        default="reportbus@localhost",
        variables=("NOTIFICATION_EMAIL",),
    )
    host: str | None = option(Host(), "The SMTP server.", default=None, variables=("SMTP_HOST",))
    port: int = option(Port(), "Its port.", default=587, variables=("SMTP_PORT",))


@dataclass(frozen=True, slots=True, kw_only=True)
class SnowflakeSettings:
    """The account that holds the worktable, when it is Snowflake."""

    account: str | None = option(Text(), "The account.", default=None, variables=("SNOWFLAKE_ACCOUNT",))
    user: str | None = option(Text(), "The user.", default=None, variables=("SNOWFLAKE_USER",))
    warehouse: str | None = option(Text(), "The warehouse.", default=None, variables=("SNOWFLAKE_WAREHOUSE",))
    database: str | None = option(Text(), "The database.", default=None, variables=("SNOWFLAKE_DATABASE",))
    schema: str | None = option(Text(), "The schema.", default=None, variables=("SNOWFLAKE_SCHEMA",))


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsSettings:
    """The region and the buckets, when staging and targets are S3."""

    region: str | None = option(
        Text(r"[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}", "a region, such as us-east-1"),
        "The region.", default=None, variables=("AWS_REGION",),
    )  # fmt: skip
    staging_bucket: str | None = option(
        Text(_BUCKET, _BUCKET_IS, "CFG_BUCKET"), "The bucket reports are staged in.",
        default=None, variables=("STAGING_BUCKET",),
    )  # fmt: skip
    target_bucket: str | None = option(
        Text(_BUCKET, _BUCKET_IS, "CFG_BUCKET"), "The bucket reports are delivered to.",
        default=None, variables=("TARGET_BUCKET",),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaSettings:
    """The brokers, when the bus is Kafka."""

    bootstrap_servers: tuple[str, ...] = option(
        ListOf(HostAndPort()), "The brokers.", default=(), variables=("KAFKA_BOOTSTRAP_SERVERS",)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetrySettings:
    """What is logged."""

    log_level: str = option(
        Choice(("DEBUG", "INFO", "WARNING", "ERROR")),
        "The least severe message that is logged.",
        default="INFO",
    )
    log_format: str = option(Choice(("json", "text")), "Lines for programs or for people.", default="json")
