"""Retry policies and limits, from the settings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reportbus.core.jobs import channel_lane, engine_lane, target_lane
from reportbus.core.lifecycle import NOTICE_SECONDS, Policies, Policy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportbus.config.settings import Settings


def policies(settings: Settings) -> Policies:
    """The platform's policy; an engine's or destination's own `retry_count` stands in for `max_retries`.

    Notices are tried for a day, whatever the waits are.
    """
    retry = settings.retry
    usual = Policy(
        max_retries=retry.max_retries,
        backoff_base=retry.backoff_base,
        max_backoff=retry.max_backoff,
        retryable_errors=frozenset(retry.retryable_errors),
    )
    counts = {engine_lane(name): engine.retry_count for name, engine in settings.engines.items()}
    counts |= {target_lane(name): target.retry_count for name, target in settings.destinations.items()}
    lanes = {lane: replace(usual, max_retries=count) for lane, count in counts.items() if count is not None}
    return Policies(usual, usual.lasting(NOTICE_SECONDS), lanes)


def limits(settings: Settings) -> Mapping[str, int]:
    """How many jobs of a lane may run at once, over all workers; lanes without a limit are left out."""
    found = {engine_lane(name): engine.max_concurrency for name, engine in settings.engines.items()}
    found |= {target_lane(name): target.max_concurrency for name, target in settings.destinations.items()}
    found |= {channel_lane(name): channel.max_concurrency for name, channel in settings.channels.items()}
    return {lane: limit for lane, limit in found.items() if limit is not None}


def timeouts(settings: Settings) -> Mapping[str, float]:
    """Seconds an attempt may take, by lane."""
    found = {engine_lane(name): engine.timeout_seconds for name, engine in settings.engines.items()}
    found |= {target_lane(name): target.timeout_seconds for name, target in settings.destinations.items()}
    return found | {
        channel_lane(name): channel.timeout_seconds for name, channel in settings.channels.items()
    }
