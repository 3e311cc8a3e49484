"""All settings together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reportbus.config.destinations import (
    CHANNELS,
    DESTINATIONS,
    ChannelSettings,
    DestinationSettings,
    NotifyDefault,
)
from reportbus.config.engines import ENGINES, EngineSettings
from reportbus.config.kinds import Choice, Switch
from reportbus.config.options import entries, option, records, section
from reportbus.config.pace import (
    IntakeSettings,
    PollSettings,
    RetrySettings,
    StopSettings,
    SweepSettings,
    WorkerSettings,
    WriteBackSettings,
)
from reportbus.config.services import (
    AwsSettings,
    KafkaSettings,
    MailSettings,
    SnowflakeSettings,
    TelemetrySettings,
)
from reportbus.config.stores import (
    BusSettings,
    LedgerSettings,
    SecretsSettings,
    StagingSettings,
    WorktableSettings,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reportbus.config.effective import Effective
    from reportbus.config.reports import ReportFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that was configured, checked. Engines and channels are known by their names in capitals.

    `home` and `config` are the absolute folders for data and for configuration files. `reports` are the
    definitions of reports by Python engine, `secrets_given` the variables that hold secrets, `effective` is
    every option with its value, without secrets, and where it came from; `hints` say what is set without
    having an effect.
    """

    home: Path
    config: Path
    mode: str = option(
        Choice(("production", "development")),
        "In development, engines may be asked over plain http.",
        default="production",
    )
    wakeups: bool = option(
        Switch(),
        "Whether notifications hurry waiting roles; without them everything still happens, later.",
        default=True,
    )
    worktable: WorktableSettings = section(WorktableSettings)
    bus: BusSettings = section(BusSettings)
    ledger: LedgerSettings = section(LedgerSettings)
    staging: StagingSettings = section(StagingSettings)
    secrets: SecretsSettings = section(SecretsSettings)
    poll: PollSettings = section(PollSettings)
    intake: IntakeSettings = section(IntakeSettings)
    worker: WorkerSettings = section(WorkerSettings)
    sweep: SweepSettings = section(SweepSettings)
    write_back: WriteBackSettings = section(WriteBackSettings)
    stop: StopSettings = section(StopSettings)
    retry: RetrySettings = section(RetrySettings)
    mail: MailSettings = section(MailSettings)
    snowflake: SnowflakeSettings = section(SnowflakeSettings)
    aws: AwsSettings = section(AwsSettings)
    kafka: KafkaSettings = section(KafkaSettings)
    telemetry: TelemetrySettings = section(TelemetrySettings)
    channels: Mapping[str, ChannelSettings] = entries(CHANNELS, ChannelSettings)
    notify: tuple[NotifyDefault, ...] = records(
        NotifyDefault,
        "Whom to tell of requests that do not say it themselves.",
        default=({"channel": "LOG", "on": ["FAILED"]},),
    )
    engines: Mapping[str, EngineSettings] = entries(ENGINES, EngineSettings)
    destinations: Mapping[str, DestinationSettings] = entries(DESTINATIONS, DestinationSettings)
    reports: Mapping[str, tuple[ReportFile, ...]] = field(default_factory=dict)
    secrets_given: Mapping[str, str] = field(default_factory=dict, repr=False)
    effective: tuple[Effective, ...] = ()
    hints: tuple[str, ...] = ()
