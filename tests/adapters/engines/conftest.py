"""What tests of scripts may ask for; tests of exports have benches of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.engines.script_bench import ScriptBench, a_bench
from reportbus.adapters.engines.python.launcher.order import NAMESPACES, USER

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=[NAMESPACES, USER])
def bench(request: pytest.FixtureRequest) -> Iterator[ScriptBench]:
    """A sandbox of each strong kind. Whatever a test does in it, nothing is left behind."""
    bench = a_bench(request.param)
    yield bench
    assert bench.left_over() == []
    assert list(bench.scratch.glob("*")) == []
    bench.close()
