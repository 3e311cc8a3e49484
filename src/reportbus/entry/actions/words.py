"""What sentences about requests are made of."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportbus.core.model import JsonValue, Request, Target

_MINUTE: Final = 60.0


def seconds(value: float) -> str:
    """A duration: 40 ms, 3.2 s, 0:02:05."""
    if value < 1:
        return f"{value * 1000:.0f} ms"
    return f"{value:.1f} s" if value < _MINUTE else str(timedelta(seconds=round(value)))


def count(number: int, noun: str) -> str:
    """So many of them: 1 target, 3 targets."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def first_line(text: str) -> str:
    """The text's first line, with a sign where there are more."""
    first, _, rest = text.strip().partition("\n")
    return f"{first} …" if rest else first


def number_of(value: JsonValue) -> int:
    """A whole number of a record's particulars; 0 where there is none."""
    return value if isinstance(value, int) else 0


def target_words(target: Target) -> str:
    """A target: its number, its destination and the place there."""
    where = ", ".join(target.mail.to) if target.mail else f"{target.path}/{target.file_name}".lstrip("/")
    return f"target {target.number} ({target.destination}: {where})"


def subject_words(lane: str, subject: int, request: Request | None) -> str:
    """What a job is about: its engine or channel, or the target it delivers to."""
    kind, _, place = lane.partition(":")
    if kind != "target":
        return f"{kind} {place}"
    targets = {target.number: target for target in request.targets} if request else {}
    return target_words(targets[subject]) if subject in targets else f"target {subject} ({place})"


def rule_words(details: Mapping[str, JsonValue]) -> str:
    """The rule of the life cycle that decided what followed from a failed attempt, by its record."""
    again = "again_in" in details
    match details.get("kind"):
        case "TRANSIENT":
            return (
                "a passing fault is tried again" if again else "a passing fault, and its retries are used up"
            )
        case "UNKNOWN" if again:
            return "nobody can tell whether it happened: tried once more, marked as a possible duplicate"
        case "UNKNOWN":
            return "nobody can tell whether it happened: not tried again by itself"
        case "PERMANENT":
            return "the same attempt would fail again: not tried again by itself"
        case _:
            return "too many workers were lost on it: not tried again by itself"
