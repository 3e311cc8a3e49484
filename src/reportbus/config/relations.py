"""What has to hold between options, each of which is fine alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reportbus.config.addresses import is_plain_http
from reportbus.config.destinations import MaildirChannel, NasSettings
from reportbus.config.nodes import BUILT_IN
from reportbus.config.numbers import plain
from reportbus.config.suggest import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reportbus.config.problems import Problems
    from reportbus.config.reading import Reader
    from reportbus.config.settings import Settings
    from reportbus.core.where import Where

_DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Finding:
    """A relation between the options `paths` that does not hold; the sentence is about the first of them."""

    paths: tuple[str, ...]
    text: str
    code: str = "CFG_INCONSISTENT"


def check(settings: Settings, reader: Reader, problems: Problems) -> None:
    """Note each relation that does not hold; those of options that could not be read are passed over."""
    for find in (_times, _aws, _snowflake, _endpoints, _loops, _defaults, _notices):
        for finding in find(settings):
            if reader.broken.isdisjoint(finding.paths):
                problems.add(finding.code, finding.text, _place(finding, reader), finding.paths[0])


def _place(finding: Finding, reader: Reader) -> Where | None:
    """Where the first of the options was set that was set at all."""
    places = [reader.effective[path].where for path in finding.paths if path in reader.effective]
    return next((where for where in places if where != BUILT_IN), None)


def _times(settings: Settings) -> Iterator[Finding]:
    worker, poll, retry = settings.worker, settings.poll, settings.retry
    days, deadline = settings.staging.retention_days, settings.intake.request_deadline_seconds
    if worker.lease_seconds <= 2 * worker.heartbeat_seconds:
        yield Finding(
            ("worker.lease_seconds", "worker.heartbeat_seconds"),
            f"{plain(worker.lease_seconds)} has to be more than twice worker.heartbeat_seconds, which is "
            f"{plain(worker.heartbeat_seconds)}: one late heartbeat must not cost a worker its jobs",
        )
    if poll.republish_seconds < poll.interval_seconds:
        yield Finding(
            ("poll.republish_seconds", "poll.interval_seconds"),
            f"{plain(poll.republish_seconds)} has to be at least poll.interval_seconds, which is "
            f"{plain(poll.interval_seconds)}: or each look at the worktable publishes every row again",
        )
    if days * _DAY < deadline:
        yield Finding(
            ("staging.retention_days", "intake.request_deadline_seconds"),
            f"{plain(days)} days have to last at least intake.request_deadline_seconds, which is "
            f"{plain(deadline)}: or reports are removed before they are delivered",
        )
    if retry.max_backoff < retry.backoff_base:
        yield Finding(
            ("retry.max_backoff", "retry.backoff_base"),
            f"{plain(retry.max_backoff)} has to be at least retry.backoff_base, which is "
            f"{plain(retry.backoff_base)}: or no wait ever grows",
        )


def _aws(settings: Settings) -> Iterator[Finding]:
    aws = settings.aws
    if aws.staging_bucket is not None and aws.staging_bucket == aws.target_bucket:
        yield Finding(
            ("aws.target_bucket", "aws.staging_bucket"),
            f"'{aws.target_bucket}' is aws.staging_bucket, too: what is delivered would be delivered again",
            "CFG_LOOP",
        )
    if aws.region is None and (aws.staging_bucket or aws.target_bucket):
        fault = "is missing; AWS_REGION has to be set where STAGING_BUCKET or TARGET_BUCKET is"
        yield Finding(("aws.region", "aws.staging_bucket", "aws.target_bucket"), fault, "CFG_MISSING")


def _snowflake(settings: Settings) -> Iterator[Finding]:
    given = settings.snowflake
    parts = {
        "account": given.account,
        "user": given.user,
        "warehouse": given.warehouse,
        "database": given.database,
        "schema": given.schema,
    }
    missing = [name for name, value in parts.items() if value is None]
    if missing and len(missing) < len(parts):
        names = ", ".join(f"SNOWFLAKE_{name.upper()}" for name in missing)
        paths = tuple(
            f"snowflake.{name}" for name in (*missing, *(name for name in parts if name not in missing))
        )
        yield Finding(paths, f"is missing; set all of SNOWFLAKE_* or none: {names} not set", "CFG_MISSING")


def _endpoints(settings: Settings) -> Iterator[Finding]:
    if settings.mode == "development":
        return
    for name, engine in settings.engines.items():
        if is_plain_http(getattr(engine, "endpoint", "")):
            fault = "http:// can be read on the way; write https://, or set mode: development"
            yield Finding((f"engines.{name.lower()}.endpoint", "mode"), fault, "SEC_TLS_REQUIRED")


def _loops(settings: Settings) -> Iterator[Finding]:
    """Destinations that would deliver into the platform's own folder."""
    staging = settings.staging.root
    for name, destination in settings.destinations.items():
        if isinstance(destination, NasSettings):
            root = destination.root
            if root.is_relative_to(staging) or staging.is_relative_to(root):
                fault = f"'{root}' and staging.root, '{staging}', lie in one another; keep them apart"
                yield Finding((f"destinations.{name}.root", "staging.root"), fault, "CFG_LOOP")


def _defaults(settings: Settings) -> Iterator[Finding]:
    """Destinations of one type that are all its default."""
    first: dict[str, str] = {}
    for name, destination in settings.destinations.items():
        if destination.enabled and destination.default:
            other = first.setdefault(destination.type, name)
            if other != name:
                fault = f"'{name}' and '{other}' are both the default of {destination.type}; leave one"
                paths = (f"destinations.{name}.default", f"destinations.{other}.default")
                yield Finding(paths, fault)


def _notices(settings: Settings) -> Iterator[Finding]:
    for position, rule in enumerate(settings.notify):
        path = f"notify[{position}]"
        channel = settings.channels.get(rule.channel)
        if channel is None:
            fault = f"'{rule.channel}' is no channel{suggestion(rule.channel, settings.channels)}"
            yield Finding((f"{path}.channel",), fault, "CFG_CHOICE")
        elif isinstance(channel, MaildirChannel) and not rule.to:
            yield Finding(
                (f"{path}.to", f"{path}.channel"),
                f"is missing; {channel.name} needs addresses",
                "CFG_MISSING",
            )


def hints(settings: Settings) -> tuple[str, ...]:
    """What is set, but has no effect in this version: one sentence each."""
    given = {
        f"snowflake is set, but has no adapter yet: requests are taken from {settings.worktable.path}": (
            settings.snowflake.account
        ),
        f"kafka is set, but has no adapter yet: the bus is {settings.bus.path}": (
            settings.kafka.bootstrap_servers
        ),
        f"aws is set, but S3 has no adapter yet: reports are staged in {settings.staging.root}": (
            settings.aws.staging_bucket or settings.aws.target_bucket
        ),
        "mail.host is set, but SMTP has no adapter yet: mails are put into a Maildir": settings.mail.host,
    }
    return tuple(sentence for sentence, value in given.items() if value)
