"""Test calls and what came of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

import click

from reportbus.core.errors import ReportbusError
from reportbus.core.text import have
from reportbus.entry.cli import context
from reportbus.entry.cli.output import print_json, print_table
from reportbus.entry.cli.table import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reportbus.ports import Verdict


Check: TypeAlias = tuple[str, bool | None, str]
"""What was tested, whether it is well, and a sentence; None of what there is no adapter for."""

_WORDS: Final = {True: "ok", False: "failed", None: "no adapter"}


class Tested(Protocol):
    """What can be tested."""

    def test(self) -> Verdict:
        """Whether it works, and what to mend where it does not."""


def test_all(
    what: str,
    all_: Mapping[str, Tested],
    names: Sequence[str],
    absence: Callable[[str], str],
    *,
    without: Sequence[Check],
    as_json: bool,
) -> None:
    """Test those named, or all; ends the command with 1 where one does not work.

    `absence` says why there is none of a name, `without` what is said beside all of those that cannot be
    tested.
    """
    unknown = [name for name in names if name not in all_]
    if unknown:
        raise click.BadParameter(f"the {what} {unknown[0]!r} {absence(unknown[0])}; {have(all_)}")
    verdicts = [(name, *verdict_of(all_[name])) for name in names or all_]
    print_verdicts(what, [*verdicts, *([] if names else without)], as_json=as_json)


def verdict_of(tested: Tested) -> tuple[bool, str]:
    """Whether it works, in a sentence; an error is a verdict, too."""
    try:
        verdict = tested.test()
    except ReportbusError as error:
        return False, str(error)
    return verdict.ok, verdict.text


def print_verdicts(what: str, verdicts: Sequence[Check], *, as_json: bool) -> None:
    """The verdicts; ends the command with 1 where one is bad."""
    ok = all(good is not False for _, good, _ in verdicts)
    verdicts = [(name, good, context.redact(text)) for name, good, text in verdicts]
    if as_json:
        print_json(
            {
                "ok": ok,
                "verdicts": [{"name": name, "ok": good, "text": text} for name, good, text in verdicts],
            }
        )
    else:
        columns = (Column(what.upper()), Column("VERDICT"), Column("WHAT WAS FOUND", gives=True))
        print_table(columns, [(name, _WORDS[good], text) for name, good, text in verdicts])
    if not ok:
        click.get_current_context().exit(context.FAILED)
