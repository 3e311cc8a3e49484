"""What commands share: the settings, the parts, the exit codes, and how an error is told."""

from __future__ import annotations

import os
import pwd
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any, ClassVar, Final

import click
from click.exceptions import Exit

from reportbus.core.errors import Problem, Refused, ReportbusError
from reportbus.core.failure import failure as answer_of
from reportbus.core.redact import Redactor
from reportbus.entry.cli.lazy import LazyGroup
from reportbus.entry.cli.output import answered, print_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reportbus.config import Settings
    from reportbus.wiring.parts import Parts

FAILED: Final = 1
MISCONFIGURED: Final = 78

_QUIET: Final = "WARNING"
"""The level of the log of commands that answer and end."""

_PARTS: Final = "reportbus.parts"
_REDACTOR: Final = "reportbus.redactor"
_FOR_PROGRAMS: Final = "reportbus.for_programs"


class Failure(click.ClickException):
    """The thing failed: one line per problem on standard error.

    Programs get the `problems` as JSON, in one document with what was done `beside` them.
    """

    exit_code: ClassVar[int] = FAILED

    def __init__(
        self,
        lines: Sequence[str],
        problems: Sequence[Problem] = (),
        beside: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__("\n".join(lines))
        self.problems = problems
        self.beside = beside or {}

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the lines as they are."""
        click.echo(self.message, file=file, err=file is None)


class Misconfigured(Failure):
    """The configuration is wrong."""

    exit_code: ClassVar[int] = MISCONFIGURED


class Root(LazyGroup):
    """The group above all: errors of ours end a command with their code and sentence, without a trace.

    With `-o json` the error is a document on standard output, too, of whatever kind it is.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Notice whether a program asks: what is wrong may be the very options behind that."""
        ctx.meta[_FOR_PROGRAMS] = _asks_for_json(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's own
        """Run the command named."""
        if os.environ.get("NO_COLOR"):
            ctx.color = False
        try:
            return super().invoke(ctx)
        except (BrokenPipeError, Exit, click.Abort):  # click's own; it ends quietly
            raise
        except Exception as error:
            told = _told(error)
            if ctx.meta[_FOR_PROGRAMS] and not answered(ctx):
                print_json(_document(told))
            if told is error:
                raise
            raise told from error


def _asks_for_json(words: Sequence[str]) -> bool:
    following = [*words[1:], ""]
    return any(
        word in {"-ojson", "--output=json"} or (word in {"-o", "--output"} and value == "json")
        for word, value in zip(words, following, strict=False)
    )


def _told(error: Exception) -> click.ClickException:
    """The error as the command line tells it."""
    match error:
        case click.ClickException():
            return error
        case ReportbusError():
            return failure(error)
        case OSError():
            what = f"{error.filename}: " if error.filename else ""
            return failed([Problem("SYS_FILE", f"{what}{error.strerror or error}")])
        case _:
            fault = answer_of(error, redact)
            problem = Problem(fault.code, fault.text)
            return Failure([str(problem), *fault.trace.splitlines()], [problem])


def _document(error: click.ClickException) -> Mapping[str, object]:
    """The error as programs read it."""
    problems = error.problems if isinstance(error, Failure) else ()
    problems = problems or [Problem("SYS_USAGE", error.format_message())]
    text = "; ".join(problem.text for problem in problems)
    beside = error.beside if isinstance(error, Failure) else {}
    return {**beside, "error": {"code": problems[0].code, "text": text, "problems": problems}}


def failure(error: ReportbusError) -> Failure:
    """The error as the command line tells it."""
    from reportbus.config import ConfigurationRefused

    if isinstance(error, ConfigurationRefused):
        return misconfigured(error.problems)
    if isinstance(error, Refused):
        return failed(error.problems)
    return failed([Problem(error.code, error.text)])


def failed(problems: Sequence[Problem], beside: Mapping[str, object] | None = None) -> Failure:
    """What is wrong, all of it; `beside` is what programs get with it."""
    shown = _redacted(problems)
    return Failure([str(problem) for problem in shown], shown, beside)


def misconfigured(problems: Sequence[Problem]) -> Failure:
    """What is wrong with the configuration, all of it."""
    shown = _redacted(problems)
    return Misconfigured([str(problem) for problem in shown], shown)


def _redacted(problems: Sequence[Problem]) -> list[Problem]:
    return [replace(each, text=redact(each.text), field=redact(each.field)) for each in problems]


def redactor() -> Redactor:
    """The one that knows what has been read of secrets so far."""
    context = click.get_current_context(silent=True)
    known: Redactor | None = context.meta.get(_REDACTOR) if context else None
    return known or Redactor()


def redact(text: str) -> str:
    """The text without what is a secret, or looks like one."""
    return redactor().redact(text)


def settings(*, sql: bool = False) -> Settings:
    """The settings in force.

    Raises ConfigurationRefused, with the problems of the reports among the others; with `sql` also those of
    their SQL.
    """
    from reportbus.config import ConfigurationRefused, load
    from reportbus.wiring.reports import complete
    from reportbus.wiring.secrecy import redactor_of

    known = click.get_current_context().meta
    try:
        found = load()
    except ConfigurationRefused as refusal:
        if refusal.settings is not None:
            known[_REDACTOR] = redactor_of(refusal.settings)
        raise complete(refusal, sql=sql) from None
    known[_REDACTOR] = redactor_of(found)
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


def say_nothing(text: str) -> None:
    """Say on standard error that there is nothing to show, and of a ledger that is not there yet, where."""
    found = parts()
    click.echo(text if found.has_ledger else f"nothing was taken in yet: {no_ledger(found)}", err=True)


def no_ledger(parts: Parts) -> str:
    """That the ledger was not made yet, and what makes it."""
    where = next(each.value for each in parts.settings.effective if each.name == "ledger.url")
    return f"there is no ledger yet at {where}; the line makes it when it starts (reportbus up)"


def either(ids: Sequence[str], *, everything: bool, what: str) -> None:
    """Wrong usage where `what` is neither named nor `--all`, or both."""
    if ids and everything:
        raise click.UsageError(f"Name {what}, or say --all; not both.")
    if not ids and not everything:
        raise click.UsageError(f"Name {what}, or say --all.")


def operator() -> str:
    """Who gives the command: the login name of this process's user."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user often has no name
        return f"uid {os.getuid()}"


def _severity(level: str) -> int:
    return ["DEBUG", "INFO", "WARNING", "ERROR"].index(level)
