"""Test calls and what came of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import click

from reportbus.core.errors import ReportbusError
from reportbus.entry.cli import context
from reportbus.entry.cli.output import print_json, print_table
from reportbus.entry.cli.table import Column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reportbus.ports import Verdict


class Tested(Protocol):
    """What can be tested."""

    def test(self) -> Verdict:
        """Whether it works, and what to mend where it does not."""


def test_all(what: str, all_: Mapping[str, Tested], names: Sequence[str], *, as_json: bool) -> None:
    """Test those named, or all; ends the command with 1 where one does not work."""
    unknown = [name for name in names if name not in all_]
    if unknown:
        have = ", ".join(sorted(all_)) or "none"
        raise click.BadParameter(f"no {what} {unknown[0]!r} is enabled; have {have}")
    verdicts = [(name, *verdict_of(all_[name])) for name in names or all_]
    print_verdicts(what, verdicts, as_json=as_json)


def verdict_of(tested: Tested) -> tuple[bool, str]:
    """Whether it works, in a sentence; an error is a verdict, too."""
    try:
        verdict = tested.test()
    except ReportbusError as error:
        return False, str(error)
    return verdict.ok, verdict.text


def print_verdicts(what: str, verdicts: Sequence[tuple[str, bool, str]], *, as_json: bool) -> None:
    """The verdicts; ends the command with 1 where one is bad."""
    ok = all(good for _, good, _ in verdicts)
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
        print_table(columns, [(name, "ok" if good else "failed", text) for name, good, text in verdicts])
    if not ok:
        click.get_current_context().exit(context.FAILED)
