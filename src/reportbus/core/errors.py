"""What can go wrong, as data.

```
ReportbusError
├── Transient   the same call may work later; only core/lifecycle/ decides whether it is made again
├── Permanent   the same call will fail again
├── Unknown     the effect may or may not have happened (a connection lost after a mail's final dot)
└── Refused     input that breaks the rules: every problem at once
```

Adapters raise the first three and nothing else; `Transient` takes one of the four codes of
`TRANSIENT_CODES`, the others take a code of `reportbus.core.codes.CODES`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reportbus.core.where import Where

TRANSIENT_CODES: Final = frozenset(
    {"ConnectionTimeout", "ServiceUnavailable", "ThrottlingException", "TemporaryFailure"}
)
"""The errors of the retry strategy: all that an attempt which surely had no effect is repeated for.

What Unknown tells is tried once more, and what was lost with its worker by another one.
"""

MAX_PROBLEMS: Final = 20
"""At most this many problems of one request are reported together."""


class ReportbusError(Exception):
    """A failure with a stable `code` and one sentence, `text`, that names what, where and what is allowed."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


class Transient(ReportbusError):
    """The same call may work later. `retry_after` is the other side's wish in seconds, where it gave one."""

    def __init__(self, code: str, text: str, *, retry_after: float | None = None) -> None:
        if code not in TRANSIENT_CODES:
            msg = f"no transient code {code!r}; have {sorted(TRANSIENT_CODES)}"
            raise ValueError(msg)
        super().__init__(code, text)
        self.retry_after = retry_after


class Permanent(ReportbusError):
    """The same call will fail again; it is never retried by itself."""


class Unknown(ReportbusError):
    """Nobody can tell whether the effect happened; it is recorded as just that."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with an input: a stable code, one sentence, and the field it is about."""

    code: str
    text: str
    field: str = ""

    def __str__(self) -> str:
        where = f"{self.field}: " if self.field else ""
        return f"{self.code}: {where}{self.text}"


@dataclass(frozen=True, slots=True)
class PlacedProblem(Problem):
    """A problem of a configuration, with the place that has it; `field` is the setting it is about."""

    where: Where | None = None

    def __str__(self) -> str:
        said = (self.code, str(self.where or ""), self.field, self.text)
        return ": ".join(part for part in said if part)


class Refused(ReportbusError):
    """Input that breaks the rules.

    `problems` holds up to `MAX_PROBLEMS` of them; `code` is the first one's.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)[:MAX_PROBLEMS]
        if not self.problems:
            msg = "a refusal needs at least one problem"
            raise ValueError(msg)
        super().__init__(self.problems[0].code, "; ".join(str(problem) for problem in self.problems))
