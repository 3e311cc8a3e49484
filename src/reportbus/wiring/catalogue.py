"""Destinations and channels, each adapter by the type its settings have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportbus.adapters.folder_errors import folder_error
from reportbus.config.destinations import EmailSettings, LogChannel, MaildirChannel, NasSettings

if TYPE_CHECKING:
    from pathlib import Path
    from typing import TextIO

    from reportbus.config.destinations import ChannelSettings, DestinationSettings
    from reportbus.config.settings import Settings
    from reportbus.ports import Channel, Clock, Destination


def destinations(settings: Settings, clock: Clock) -> dict[str, Destination]:
    """The enabled destinations, by name."""
    return {
        name: made
        for name, target in settings.destinations.items()
        if target.enabled and (made := _destination(target, settings, clock)) is not None
    }


def channels(settings: Settings, log: TextIO) -> dict[str, Channel]:
    """The enabled channels, by name; the LOG channel writes to `log`."""
    return {
        name: made
        for name, channel in settings.channels.items()
        if channel.enabled and (made := _channel(channel, settings, log)) is not None
    }


def _destination(target: DestinationSettings, settings: Settings, clock: Clock) -> Destination | None:
    match target:
        case NasSettings():
            from reportbus.adapters.destinations.folder import FolderDestination, FolderOptions

            if target.root.is_relative_to(settings.home):
                _make(target.root)
            return FolderDestination(
                FolderOptions(
                    root=str(target.root),
                    mkdirs=target.mkdirs,
                    mounted=target.mounted,
                    replace=target.replace,
                    verify="hash" if target.verify == "hash" else "size",
                    temporary_folder=target.temporary_folder,
                    temporary_prefix=target.temporary_prefix,
                    temporary_suffix=target.temporary_suffix,
                    stale_after=target.stale_after_seconds,
                )
            )
        case EmailSettings():
            from reportbus.adapters.destinations.maildir import MaildirDestination, MaildirOptions

            return MaildirDestination(
                MaildirOptions(str(target.maildir), settings.mail.sender, target.size_limit_bytes), clock
            )
        case _:
            return None


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise folder_error(error, f"making {folder}") from error


def _channel(channel: ChannelSettings, settings: Settings, log: TextIO) -> Channel | None:
    match channel:
        case MaildirChannel():
            from reportbus.adapters.channels.maildir import MaildirChannel as Mails

            return Mails(str(channel.maildir), settings.mail.sender)
        case LogChannel():
            from reportbus.adapters.channels.log import LogChannel as Lines

            return Lines(log)
        case _:
            return None
