"""Options as data: settings classes declare them on their fields, and everything else is made from that.

A field of a settings class is one of four things: an `option`; a `section`, another settings class;
`entries`, named things each of a settings class chosen by its type; or `records`, a list of them. Reading,
masking, `config show`, the reference page and the JSON Schemas all follow these declarations. Other fields
the reader fills in.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar, cast, overload

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from reportbus.config.kinds import Kind
    from reportbus.core.model import JsonValue

T = TypeVar("T")

_DECLARED: Final = "declared"


class Default(Enum):
    """What stands for the absence of a default."""

    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class Written:
    """A default as it would stand in a file, with variables in it."""

    text: str


@dataclass(frozen=True, slots=True)
class Declaration:
    """An option. `variables` are names it has in the environment beside the one made of its own name."""

    kind: Kind[object]
    help: str
    default: object
    secret: bool = False
    variables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A settings class within another."""

    cls: type[object]


@dataclass(frozen=True, slots=True)
class Entries:
    """Named things, each of one of some types; `what` is what a person calls one of them.

    `types` maps a type to its settings class: None where the type is known but has no adapter. `common` is
    the class of what all share. An entry says its type under `selector`, or by its name where `named_by_type`
    is set. `default` is what there is when nothing is configured. With `capitals`, names are taken in
    capitals.
    """

    what: str
    types: Mapping[str, type[object] | None]
    common: type[object]
    default: Mapping[str, JsonValue]
    selector: str = "type"
    named_by_type: bool = False
    capitals: bool = False


@dataclass(frozen=True, slots=True)
class Records:
    """A list of tables of one settings class; `default` is the list when nothing is configured."""

    cls: type[object]
    help: str
    default: tuple[JsonValue, ...] = ()


Declared: TypeAlias = Declaration | Section | Entries | Records


@overload
def option(kind: Kind[T], help_: str, *, secret: bool = ..., variables: tuple[str, ...] = ...) -> T: ...
@overload
def option(
    kind: Kind[T], help_: str, *, default: T | Written, secret: bool = ..., variables: tuple[str, ...] = ...
) -> T: ...
@overload
def option(
    kind: Kind[T], help_: str, *, default: None, secret: bool = ..., variables: tuple[str, ...] = ...
) -> T | None: ...
def option(
    kind: Kind[T],
    help_: str,
    *,
    default: T | Written | Default | None = Default.REQUIRED,
    secret: bool = False,
    variables: tuple[str, ...] = (),
) -> T | None:
    """A field that is an option: without `default` it has to be given, with None it may be left open.

    A field with a plain default has it in its class, too. A `secret` is left out of what `repr` shows.
    """
    declaration = Declaration(cast("Kind[object]", kind), help_, default, secret, variables)
    metadata = {_DECLARED: declaration}
    if isinstance(default, Written | Default):
        field = dataclasses.field(repr=not secret, metadata=metadata)
    elif isinstance(default, Mapping):
        field = dataclasses.field(default_factory=lambda: default, repr=not secret, metadata=metadata)
    else:
        field = dataclasses.field(default=default, repr=not secret, metadata=metadata)
    return cast("T | None", field)


def section(cls: type[T]) -> T:
    """A field that is another settings class."""
    return cast("T", dataclasses.field(metadata={_DECLARED: Section(cls)}))


def entries(declared: Entries, of: type[T]) -> Mapping[str, T]:
    """A field that holds named things by their names; `of` is the type its holders know them by."""
    del of
    return cast("Mapping[str, T]", dataclasses.field(metadata={_DECLARED: declared}))


def records(cls: type[T], help_: str, *, default: tuple[JsonValue, ...] = ()) -> tuple[T, ...]:
    """A field that is a list of tables."""
    return cast("tuple[T, ...]", dataclasses.field(metadata={_DECLARED: Records(cls, help_, default)}))


def declarations(cls: type[object]) -> Mapping[str, Declared]:
    """What a settings class declares, by field."""
    return {
        field.name: field.metadata[_DECLARED]
        for field in dataclasses.fields(cast("type[DataclassInstance]", cls))
        if field.metadata
    }
