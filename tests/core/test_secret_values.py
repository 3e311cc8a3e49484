from __future__ import annotations

import json

import pytest

from reportbus.core.secret_values import PLAIN_FIELDS, secret_values


@pytest.mark.parametrize(
    ("value", "within"),
    [
        ("hunter2", []),
        ("postgresql://ann:hunter2@db/x", ["hunter2"]),
        ("postgresql+psycopg://:p%40ss@db", ["p%40ss", "p@ss"]),
        ("https://user:pa@ss@host/x", ["pa@ss"]),
        ("https://host:8443/a@b", []),
        ("Server=tcp:db;Database=x;User Id=ann;Password=hunter2;Encrypt=yes", ["hunter2"]),
        ("host=db password='a b c' user=ann", ["a b c"]),
        ('pwd="x y";', ["x y"]),
        ("DefaultEndpointsProtocol=https;AccountName=a;AccountKey=abc", ["abc"]),
        ("https://host/hook?api_key=abc&b=1", ["abc"]),
        (
            json.dumps({"private_key": "MII", "n": 12345, "deep": {"x": ["y", True, None]}}),
            ["MII", "12345", "y"],
        ),
        (json.dumps({"user": "ann", "password": "hunter2"}), ["hunter2"]),
        (json.dumps({"inner": json.dumps({"password": "hunter2"})}), ["hunter2"]),
        ('{"password": "cut off', []),
    ],
)
def test_what_is_within_a_value_is_found_beside_the_whole(value: str, within: list[str]) -> None:
    found = list(secret_values({"field": value}))

    assert found[0] == value
    assert set(found) >= {value, *within}
    if not within:
        assert found == [value]


@pytest.mark.parametrize("name", [*sorted(PLAIN_FIELDS), "Port", "USER"])
def test_who_and_where_is_no_secret(name: str) -> None:
    assert list(secret_values({name: "reports", "password": "hunter2"})) == ["hunter2"]


@pytest.mark.parametrize("opening", ['{"a":', '{"a":['])
def test_no_nesting_is_too_deep(opening: str) -> None:
    ending = "".join({"{": "}", "[": "]"}[mark] for mark in reversed(opening) if mark in "{[")
    text = opening * 400 + "1" + ending * 400

    assert list(secret_values({"value": text})) == [text]
    assert list(secret_values({"value": opening * 100_000})) == [opening * 100_000]
