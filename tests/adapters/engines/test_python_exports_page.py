"""The how-to page: its example works, and no key is left out."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from reportbus.adapters.engines.python.definition import FORMATS, ReportDefinition
from reportbus.adapters.engines.python.fields import DefinitionFile
from reportbus.adapters.engines.python.moments import MOMENTS, NOW
from reportbus.adapters.engines.python.parameters import Parameter
from reportbus.adapters.engines.python.settings import (
    AdbcSettings,
    DuckDbSettings,
    PostgresSettings,
    SqlAlchemySettings,
    SqliteSettings,
)
from reportbus.adapters.engines.python.styles import AGGREGATES, CHART_KINDS, COLUMN_TYPES, ColumnStyle
from reportbus.adapters.engines.python.values import TYPES

KINDS = ("duckdb", "sqlite", "postgresql", "adbc", "sqlalchemy")
PAGE = (Path(__file__).parents[3] / "docs" / "how-to" / "python-exports.md").read_text()
NAMED_OTHERWISE = {"statement": "sql", "many": "list", "name": "name"}


def test_the_pages_example_is_a_good_definition() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    definition = ReportDefinition.parse(yaml.safe_load(example), DefinitionFile("page"))
    assert "sales-by-region" == definition.name


@pytest.mark.parametrize(
    "kind",
    [
        ReportDefinition,
        Parameter,
        ColumnStyle,
        DuckDbSettings,
        SqliteSettings,
        PostgresSettings,
        AdbcSettings,
        SqlAlchemySettings,
    ],
)
def test_every_key_is_on_the_page(kind: type) -> None:
    names = {NAMED_OTHERWISE.get(field.name, field.name) for field in fields(kind)}
    assert set() == {name for name in names if f"`{name}`" not in PAGE}


def test_every_word_a_key_can_have_is_on_the_page() -> None:
    words = {*TYPES, *MOMENTS, NOW, *KINDS, *AGGREGATES, *CHART_KINDS, *COLUMN_TYPES}
    assert set() == {word for word in words if f"`{word}`" not in PAGE}
    assert all(name in PAGE for name in FORMATS)
