"""What intake judges requests by, from the settings and the engines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportbus.config.engines import absence
from reportbus.core.intake import DestinationRule, IntakeRules
from reportbus.core.model import NotifyRule, Status, TargetType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportbus.config.settings import Settings
    from reportbus.ports import Engine

REPORT_TYPES = frozenset({"OBIEE", "POWERBI", "MIDAS", "SSRS", "PYTHON"})
"""The specification's report types: one that is not set up is refused as such, not as unknown."""


def intake_rules(settings: Settings, engines: Mapping[str, Engine]) -> IntakeRules:
    """The rules in force."""
    intake = settings.intake
    usable = {name: target for name, target in settings.destinations.items() if target.enabled}
    types = [target.type for target in usable.values()]
    return IntakeRules(
        engines={name: engine.check for name, engine in engines.items()},
        destinations={
            name: DestinationRule(
                TargetType(target.type),
                default=target.default or types.count(target.type) == 1,
                secret=target.credentials_secret or "",
            )
            for name, target in usable.items()
        },
        switched_off=frozenset(settings.destinations.keys() - usable.keys()),
        channels={
            name: channel.type == "EMAIL" for name, channel in settings.channels.items() if channel.enabled
        },
        absent={
            name: absence(name, settings.engines)
            for name in (REPORT_TYPES | settings.engines.keys()) - engines.keys()
        },
        notify=tuple(
            NotifyRule(rule.channel, rule.to, frozenset(Status(status) for status in rule.on))
            for rule in settings.notify
        ),
        default_format=intake.default_format,
        mail_domains=frozenset(intake.mail_domains) or None,
        requester_required=intake.requested_by_required,
        max_targets=intake.max_targets,
        max_age=intake.max_age_seconds,
        max_ahead=intake.future_seconds,
        deadline=intake.request_deadline_seconds,
    )
