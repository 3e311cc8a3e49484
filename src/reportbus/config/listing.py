"""Every option there is, in words: for the reference page, and for whoever wants to know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reportbus.config.loading import FOLDERS, file_of
from reportbus.config.options import Declaration, Default, Entries, Records, Section, Written, declarations
from reportbus.config.settings import Settings
from reportbus.config.variables import option_variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_NAME: Final = "<name>"
_OR_BY_NAME: Final = "; its name says it otherwise"


@dataclass(frozen=True, slots=True)
class Option:
    """One option. `name` is its path in `file`: `<name>` is a name of one's own, `[]` each entry of a list.

    `only_for` are the types (of engine, connection, destination, channel) that have it; empty for all.
    `default` is as one would write it, "" for none. `variables` set it in the environment. A `secret` one is
    not shown whole.
    """

    name: str
    file: str
    type: str
    help: str
    unit: str
    allowed: str
    default: str
    required: bool
    secret: bool
    variables: tuple[str, ...]
    only_for: tuple[str, ...] = ()


def options() -> Sequence[Option]:
    """All of them, in the order of the reference page."""
    folders = [
        Option(
            name=variable,
            file="",
            type="path",
            help=help_,
            unit="",
            allowed="absolute, or below the working directory",
            default=f"./{FOLDERS[variable]}",
            required=False,
            secret=False,
            variables=(variable,),
        )
        for variable, help_ in (
            ("REPORTBUS_HOME", "The folder for data."),
            ("REPORTBUS_CONFIG", "The folder with the configuration files; without it, the defaults hold."),
        )
    ]
    return [*folders, *_of(Settings, "", ())]


def _of(
    cls: type, path: str, only_for: tuple[str, ...], *, left_out: frozenset[str] = frozenset()
) -> Iterator[Option]:
    for name, declared in declarations(cls).items():
        full = f"{path}.{name}" if path else name
        if name in left_out:
            continue
        match declared:
            case Declaration():
                yield _option(declared, full, only_for)
            case Section(section):
                yield from _of(section, full, only_for)
            case Records(record):
                yield from _of(record, f"{full}[]", only_for)
            case Entries():
                yield from _of_entries(declared, f"{full}.{_NAME}", only_for)


def _of_entries(declared: Entries, path: str, only_for: tuple[str, ...]) -> Iterator[Option]:
    yield Option(
        name=f"{path}.{declared.selector}",
        file=file_of(path.partition(".")[0]),
        type="choice",
        help=f"Which {declared.what} it is{_OR_BY_NAME if declared.named_by_type else ''}.",
        unit="",
        allowed=", ".join(name for name, cls in declared.types.items() if cls is not None),
        default="",
        required=not declared.named_by_type,
        secret=False,
        variables=(),
        only_for=only_for,
    )
    yield from _of(declared.common, path, only_for)
    common = frozenset(declarations(declared.common))
    for type_, cls in declared.types.items():
        if cls is not None:
            yield from _of(cls, path, (*only_for, type_), left_out=common)


def _option(declared: Declaration, path: str, only_for: tuple[str, ...]) -> Option:
    kind = declared.kind
    settable = "[]" not in path
    variables = (option_variable(path.replace(_NAME, "NAME")), *declared.variables) if settable else ()
    return Option(
        name=path,
        file=file_of(path.partition(".")[0]),
        type=kind.name,
        help=declared.help,
        unit=kind.unit,
        allowed=kind.allowed,
        default=_default(declared),
        required=declared.default is Default.REQUIRED,
        secret=declared.secret,
        variables=tuple(variable.replace("__NAME__", "__<NAME>__") for variable in variables),
        only_for=only_for,
    )


def _default(declared: Declaration) -> str:
    match declared.default:
        case Written(text):
            return text
        case None | Default.REQUIRED:
            return ""
        case value:
            return declared.kind.shown(value)
