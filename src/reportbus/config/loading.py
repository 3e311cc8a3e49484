"""The one place that looks at the environment and at configuration files, once."""

from __future__ import annotations

import os
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from reportbus.config import dotenv, relations
from reportbus.config.effective import Effective
from reportbus.config.engines import PythonSettings
from reportbus.config.files import is_folder, read_text
from reportbus.config.kinds import Bases, Location
from reportbus.config.nodes import BUILT_IN, Node, Scalar, Table
from reportbus.config.options import declarations
from reportbus.config.problems import Problems, Unfit
from reportbus.config.reading import Reader
from reportbus.config.reports import read_reports
from reportbus.config.settings import Settings
from reportbus.config.strict_yaml import read
from reportbus.config.suggest import suggestion
from reportbus.config.variables import SECRETS, Variables
from reportbus.core.text import quoted
from reportbus.core.where import Where

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HOME: Final = "REPORTBUS_HOME"
CONFIG: Final = "REPORTBUS_CONFIG"
FOLDERS: Final = {HOME: "reportbus-data", CONFIG: "config"}
"""The variables that name the two folders, and what they are, below the working directory, when not set."""

FILES: Final = ("reportbus.yaml", "engines.yaml", "destinations.yaml")
"""The configuration files; the last two hold one thing each, under its name."""

_DOTENV: Final = ".env"


def load(environment: Mapping[str, str] | None = None, folder: Path | None = None) -> Settings:
    """The settings in force: defaults, files, `.env` and environment, the last one winning.

    `environment` is the process's own unless given, `folder` the working directory. Raises
    ConfigurationRefused with every problem of all of them.
    """
    here = Path.cwd() if folder is None else folder
    called = partial(_called, here)
    problems = Problems()
    given = _variables(os.environ if environment is None else environment, here, problems)
    home, config = (_folder(name, given, here, problems) for name in (HOME, CONFIG))
    variables = Variables(given, {HOME: str(home), CONFIG: str(config)})
    reader = Reader(variables, Bases(home, config), problems)
    _take_folders(reader, given, home, config)
    table = _files(config, given.get(CONFIG), called, reader, problems)
    settings = reader.section(Settings, table, given={"home": home, "config": config})
    reader.refuse_unknown_variables()
    if settings is not None:
        relations.check(settings, reader, problems)
        settings = _complete(settings, reader, given, called, problems)
    if settings is None or problems:
        raise problems.refusal(settings, reader.broken)
    return settings


def _variables(environment: Mapping[str, str], here: Path, problems: Problems) -> dict[str, Scalar]:
    """All variables, those of the environment before those of `.env`."""
    found: dict[str, Scalar] = {}
    path = here / _DOTENV
    if path.exists():
        try:
            found = dotenv.parse(read_text(path, _DOTENV, "CFG_ENV_FILE"), _DOTENV, problems)
        except Unfit as error:
            problems.add_all(error)
    for name, text in environment.items():
        found[name] = Scalar(Where(f"environment {name}"), text)
    return found


def _called(here: Path, path: Path) -> str:
    """What messages call a file: its path below the working directory, or else the whole."""
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _folder(name: str, given: Mapping[str, Scalar], here: Path, problems: Problems) -> Path:
    node = given.get(name, Scalar(BUILT_IN, FOLDERS[name]))
    try:
        path = Location().read(node, Bases(here, here))
    except Unfit as error:
        problems.add_all(error, node.where, name)
        return here / FOLDERS[name]
    if "?" in str(path):
        problems.add("CFG_PATH", "holds a ?, which no database URL can", node.where, name)
    there = next(each for each in (path, *path.parents) if os.path.lexists(each))
    if name == HOME and not there.is_dir():
        problems.add("CFG_FILE", f"'{there}' is no folder; name one, or a place for one", node.where, name)
    return path


def _take_folders(reader: Reader, given: Mapping[str, Scalar], home: Path, config: Path) -> None:
    for name, variable, path in (("home", HOME, home), ("config", CONFIG, config)):
        where = given[variable].where if variable in given else BUILT_IN
        reader.take(Effective(name, str(path), where, str(path)), variable)


def _files(
    config: Path, chosen: Scalar | None, called: Callable[[Path], str], reader: Reader, problems: Problems
) -> Table:
    """What stands in all configuration files together, under the names that Settings has."""
    if not is_folder(config):
        if chosen is not None or config.exists():
            where = chosen.where if chosen else Where(called(config))
            problems.add("CFG_FILE", f"'{config}' is no folder that can be read", where, CONFIG)
        return Table(BUILT_IN)
    _refuse_misnamed(config, called, problems)
    entries: dict[str, Node] = {}
    keys: dict[str, Where] = {}
    for file in FILES:
        path = config / file
        if not path.is_symlink() and not path.exists():
            continue
        table = read(path, called(path), problems)
        if table is None:
            reader.pass_over("channels" if file == FILES[0] else Path(file).stem)
            reader.broken.add(Path(file).stem)
            continue
        _refuse_misplaced(file, table, problems)
        entries |= {name: node for name, node in table.entries.items() if file_of(name) == file}
        keys |= table.keys
    return Table(BUILT_IN, entries, keys)


def file_of(name: str) -> str:
    """The file that the setting `name` stands in."""
    file = f"{name}.yaml"
    return file if file in FILES[1:] else FILES[0]


def _refuse_misplaced(file: str, table: Table, problems: Problems) -> None:
    for name, where in table.keys.items():
        if file_of(name) == file:
            continue
        if file == FILES[0] or name in declarations(Settings):
            fault = f"'{name}' stands in {file_of(name)}, not here"
        else:
            fault = f"{quoted(name)} is not known{suggestion(name, [Path(file).stem])}"
        problems.add("CFG_UNKNOWN_FIELD", fault, where)


def _refuse_misnamed(config: Path, called: Callable[[Path], str], problems: Problems) -> None:
    """A file that nobody reads, with a name that looks as if somebody would."""
    for path in sorted(config.iterdir()):
        near = get_close_matches(path.stem.lower(), [Path(file).stem for file in FILES], n=1, cutoff=0.8)
        if near and path.suffix in {".yaml", ".yml"} and path.name not in FILES:
            problems.add("CFG_FILE", f"is not read; did you mean {near[0]}.yaml?", Where(called(path)))


def _complete(
    settings: Settings,
    reader: Reader,
    given: Mapping[str, Scalar],
    called: Callable[[Path], str],
    problems: Problems,
) -> Settings:
    """The settings with the reports' definitions, the variables that hold secrets, and what came out."""
    reports = {}
    for name, engine in settings.engines.items():
        if isinstance(engine, PythonSettings) and engine.enabled:
            option = reader.effective.get(f"engines.{name.lower()}.reports")
            if option and option.where != BUILT_IN and not is_folder(engine.reports):
                fault = f"'{engine.reports}' is no folder that can be read"
                problems.add("CFG_FILE", fault, option.where, option.name)
            reports[name] = read_reports(engine.reports, called, problems)
    secrets = {name: variable.text for name, variable in given.items() if name.startswith(SECRETS)}
    return replace(
        settings,
        reports=MappingProxyType(reports),
        secrets_given=MappingProxyType(secrets),
        effective=tuple(reader.effective.values()),
        hints=relations.hints(settings),
    )
