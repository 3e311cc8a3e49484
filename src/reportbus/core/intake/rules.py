"""What intake holds a request against: the engines, destinations and channels there are, and the limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from reportbus.core.formats import FORMATS
from reportbus.core.model import TargetType
from reportbus.core.text import have

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reportbus.core.errors import Problem
    from reportbus.core.model import JsonValue, NotifyRule

    Check: TypeAlias = Callable[[str, Mapping[str, JsonValue], str], Sequence[Problem]]

VARIANTS: Final[dict[TargetType, tuple[TargetType, ...]]] = {
    TargetType.FTP: (TargetType.FTP, TargetType.SFTP, TargetType.FTPS),
    TargetType.NAS: (TargetType.NAS, TargetType.SMB),
}
"""Which destinations a target type may go to: the specification's FTP and NAS stand for all of theirs."""


@dataclass(frozen=True, slots=True)
class DestinationRule:
    """A configured destination, as far as a request is concerned.

    `default` is set for the one that targets of its type go to when they name none. `secret` names the
    credentials it uses: a request may name the same ones, and no others.
    """

    type: TargetType
    default: bool = False
    secret: str = ""


@dataclass(frozen=True, slots=True)
class IntakeRules:
    """Everything intake needs to judge a request; made once from the settings.

    `engines` maps each enabled report type to its engine's check (of name, parameters and format), `absent`
    the other types that are known to why they have none ("is switched off"). `channels` maps the name of
    each channel to whether it takes mail addresses. `notify` stands in where a request says nothing.
    `switched_off` names the destinations that are configured and not in use. `mail_domains` limits the
    recipients; None does not. In seconds: `max_age` since REQUESTED_AT, `max_ahead`
    of it in the future, and `deadline`, which a request has from its intake on.
    """

    engines: Mapping[str, Check]
    destinations: Mapping[str, DestinationRule] = field(default_factory=dict)
    switched_off: frozenset[str] = frozenset()
    channels: Mapping[str, bool] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)
    notify: tuple[NotifyRule, ...] = ()
    default_format: str = "PDF"
    mail_domains: frozenset[str] | None = None
    requester_required: bool = False
    max_targets: int = 50
    max_age: float = 7 * 86_400
    max_ahead: float = 300
    deadline: float = 86_400
    defaults: Mapping[TargetType, str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Look up once what every row asks for. ValueError for a default format there is not."""
        if self.default_format not in FORMATS:
            raise ValueError(f"no format {self.default_format!r}; {have(FORMATS)}")
        defaults = {type_: self._default_of(type_) for type_ in TargetType}
        object.__setattr__(self, "defaults", defaults)

    def _default_of(self, type_: TargetType) -> str:
        """The marked one of the first variant that has destinations; no other variant stands in for it."""
        there = {rule.type for rule in self.destinations.values()}
        first = next((kind for kind in VARIANTS.get(type_, (type_,)) if kind in there), None)
        marked = (name for name, rule in self.destinations.items() if rule.type is first and rule.default)
        return next(marked, "")
