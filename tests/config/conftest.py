"""A working directory of its own for every test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from config.working_directory import WorkingDirectory

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def here(tmp_path: Path) -> WorkingDirectory:
    return WorkingDirectory(tmp_path)
