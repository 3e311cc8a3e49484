"""The definitions of the Python engine's reports, as files hold them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reportbus.config.plain import dotted, json_values
from reportbus.config.strict_yaml import read
from reportbus.core.where import Where

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from reportbus.config.problems import Problems
    from reportbus.core.model import JsonValue

_SUFFIXES: Final = {".yaml", ".yml"}


@dataclass(frozen=True, slots=True)
class ReportFile:
    """One file: `where` is its name in messages, `values` what it says, `lines` where, by key."""

    where: str
    values: Mapping[str, JsonValue]
    lines: Mapping[str, int]


def read_reports(folder: Path, called: Callable[[Path], str], problems: Problems) -> tuple[ReportFile, ...]:
    """Every YAML file of the folder, by name; none where there is no such folder. What is wrong is noted."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix in _SUFFIXES)
    except FileNotFoundError:
        return ()
    except OSError as error:
        problems.add("CFG_FILE", f"cannot be read: {error.strerror}", Where(called(folder)))
        return ()
    found = []
    for path in paths:
        table = read(path, called(path), problems)
        if table is not None:
            values, lines = json_values(table, problems)
            found.append(ReportFile(called(path), values, {dotted(key): line for key, line in lines.items()}))
    return tuple(found)
