"""The real parts that some tests need: a server, a program. What happens where one of them cannot be had.

At home such a test is skipped with the reason, and the end of the run lists what was left out. With
`REPORTBUS_TEST_STRICT=1`, as in CI, a missing part is a failure: there nothing may be left out unnoticed.
"""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

STRICT_VARIABLE = "REPORTBUS_TEST_STRICT"


class PartMissing(Exception):
    """A real part cannot be started here; the text says which and why."""


def strict() -> bool:
    """Whether a missing part is a failure."""
    return os.environ.get(STRICT_VARIABLE, "") not in {"", "0"}


def leave_out(missing: PartMissing) -> NoReturn:
    """Skip the test that needs the part or, in a strict run, fail it."""
    if strict():
        pytest.fail(f"{missing} (a failure because {STRICT_VARIABLE} is set)", pytrace=False)
    pytest.skip(str(missing))
