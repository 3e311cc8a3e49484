"""A secret: fields with values that nobody sees by accident."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from reportbus.core.errors import Permanent
from reportbus.core.text import have


class FieldMissing(Permanent, KeyError):
    """A field that a secret lacks. It is a KeyError too: `in` and `get` of a mapping go by that."""

    __str__ = Exception.__str__


class Secret(Mapping[str, str]):
    """The fields of a secret; shown as text it has their names and no values.

    Looking up a field that is missing raises Permanent SEC_SECRET_FORMAT, which names it and those there are.
    """

    __slots__ = ("_fields", "_name")

    def __init__(self, name: str, fields: Mapping[str, str]) -> None:
        self._name = name
        self._fields = fields

    def __getitem__(self, field: str) -> str:
        try:
            return self._fields[field]
        except KeyError:
            text = f"secret {self._name!r} has no field {field!r}; {have(self._fields)}"
            raise FieldMissing("SEC_SECRET_FORMAT", text) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"<secret {self._name!r} with {sorted(self._fields)}>"


def parse(name: str, stored: str | bytes) -> Secret:
    """The secret in a JSON object of texts, whole numbers among them; else Permanent SEC_SECRET_FORMAT."""
    fields = _fields(stored)
    if fields is None:
        raise malformed(name, "is no JSON object")
    if not fields:
        raise malformed(name, "has no fields")
    for field, value in fields:
        if not isinstance(value, str):
            raise malformed(name, f"has a field {field!r} that is no text")
    repeated = [field for field, count in Counter(field for field, _ in fields).items() if count > 1]
    if repeated:
        raise malformed(name, f"has the field {repeated[0]!r} twice")
    return Secret(name, dict(fields))


def _fields(stored: str | bytes) -> list[tuple[str, Any]] | None:
    """The names and values of a JSON object; None for anything else.

    The decoders' errors go no further: they carry all that was read.
    """
    try:
        text = stored.decode("utf-8-sig") if isinstance(stored, bytes) else stored
        if not text.lstrip().startswith("{"):
            return None
        fields: list[tuple[str, Any]] = json.loads(text, object_pairs_hook=list, parse_int=str)
    except (ValueError, RecursionError):
        return None
    return fields


def malformed(name: str, fault: str) -> Permanent:
    """The error for a secret that is there and no good; `fault` says why without showing it."""
    return Permanent("SEC_SECRET_FORMAT", f"secret {name!r} {fault}; a JSON object of texts is needed")


def not_found(name: str, place: str) -> Permanent:
    """The error for a secret that is not there; `place` says where it was looked for."""
    return Permanent("SEC_SECRET_NOT_FOUND", f"there is no secret {name!r}: {place}")
