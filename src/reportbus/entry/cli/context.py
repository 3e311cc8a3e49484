"""What commands share: the settings, the parts, the exit codes, and how an error is told."""

from __future__ import annotations

import os
import pwd
from typing import IO, TYPE_CHECKING, Any, ClassVar, Final

import click
from click.exceptions import Exit

from reportbus.core.errors import Refused, ReportbusError
from reportbus.core.failure import failure as answer_of
from reportbus.core.redact import Redactor
from reportbus.entry.cli.lazy import LazyGroup

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reportbus.config import Settings
    from reportbus.core.errors import Problem
    from reportbus.ports import Engine
    from reportbus.wiring.parts import Parts

FAILED: Final = 1
MISCONFIGURED: Final = 78

_QUIET: Final = "WARNING"
"""The level of the log of commands that answer and end."""

_PARTS: Final = "reportbus.parts"
_REDACTOR: Final = "reportbus.redactor"


class Failure(click.ClickException):
    """The thing failed: one line per problem on standard error."""

    exit_code: ClassVar[int] = FAILED

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(lines))

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the lines as they are."""
        click.echo(self.message, file=file, err=file is None)


class Misconfigured(Failure):
    """The configuration is wrong."""

    exit_code: ClassVar[int] = MISCONFIGURED


class Root(LazyGroup):
    """The group above all: errors of ours end a command with their code and sentence, without a trace."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's own
        """Run the command named."""
        if os.environ.get("NO_COLOR"):
            ctx.color = False
        try:
            return super().invoke(ctx)
        except ReportbusError as error:
            raise failure(error) from error
        except (BrokenPipeError, click.ClickException, Exit, click.Abort):  # click's own; it ends quietly
            raise
        except OSError as error:
            what = f"{error.filename}: " if error.filename else ""
            raise Failure([redact(f"SYS_FILE: {what}{error.strerror or error}")]) from error
        except Exception as error:
            fault = answer_of(error, redact)
            raise Failure([f"{fault.code}: {fault.text}", *fault.trace.splitlines()]) from error


def failure(error: ReportbusError) -> Failure:
    """The error as the command line tells it."""
    from reportbus.config import ConfigurationRefused

    if isinstance(error, ConfigurationRefused):
        return misconfigured(error.problems)
    if isinstance(error, Refused):
        return failed(error.problems)
    return Failure([redact(str(error))])


def failed(problems: Sequence[Problem]) -> Failure:
    """What is wrong with an input, all of it."""
    return Failure([redact(str(problem)) for problem in problems])


def misconfigured(problems: Sequence[Problem]) -> Failure:
    """What is wrong with the configuration, all of it."""
    return Misconfigured([redact(str(problem)) for problem in problems])


def redactor() -> Redactor:
    """The one that knows what has been read of secrets so far."""
    context = click.get_current_context(silent=True)
    known: Redactor | None = context.meta.get(_REDACTOR) if context else None
    return known or Redactor()


def redact(text: str) -> str:
    """The text without what is a secret, or looks like one."""
    return redactor().redact(text)


def settings() -> Settings:
    """The settings in force."""
    from reportbus.config import load
    from reportbus.wiring.secrecy import redactor_of

    found = load()
    click.get_current_context().meta[_REDACTOR] = redactor_of(found)
    return found


def parts(*, serving: bool = False) -> Parts:
    """The parts of the line, closed when the command ends; with the log of a command, or of a role."""
    from reportbus import telemetry
    from reportbus.wiring.parts import Parts

    context = click.get_current_context()
    if _PARTS in context.meta:
        already: Parts = context.meta[_PARTS]
        return already
    found = settings()
    made = context.meta[_PARTS] = context.with_resource(Parts(found))
    context.meta[_REDACTOR] = made.redactor
    level = found.telemetry.log_level
    telemetry.configure(
        level if serving else max(level, _QUIET, key=_severity), found.telemetry.log_format, made.redactor
    )
    return made


def engines(parts: Parts) -> Mapping[str, Engine]:
    """The engines; where a report's definition is no good, the configuration is wrong."""
    try:
        return parts.engines
    except Refused as refusal:
        raise misconfigured(refusal.problems) from refusal


def operator() -> str:
    """Who gives the command: the login name of this process's user."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user often has no name
        return f"uid {os.getuid()}"


def _severity(level: str) -> int:
    return ["DEBUG", "INFO", "WARNING", "ERROR"].index(level)
