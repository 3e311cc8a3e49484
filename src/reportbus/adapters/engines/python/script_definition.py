"""The definition of a registered script, as a file `config/reports/<name>.yaml` holds it."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from reportbus.adapters.engines.python.declared import read_parameter
from reportbus.adapters.engines.python.fields import Fields, hint
from reportbus.adapters.engines.python.launcher.order import Limits
from reportbus.core.errors import Permanent, Problem
from reportbus.core.formats import FORMATS
from reportbus.core.names import check_report_name
from reportbus.core.text import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reportbus.adapters.engines.python.fields import DefinitionFile
    from reportbus.adapters.engines.python.parameters import Parameter
    from reportbus.core.model import JsonValue

_LARGEST_SCRIPT: Final = 1 << 20
_MEBIBYTE: Final = 1 << 20
_DAY: Final = 86_400
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ScriptSource:
    """A registered file: `path` is relative to `folder`, `sha256` its hash in hexadecimal, "" for any."""

    folder: Path
    path: str
    sha256: str = ""

    def read(self) -> bytes:
        """The bytes of the file. No link is followed on the way to it from the folder.

        Permanent PY_NOT_REGISTERED where there is no such file, PY_HASH_MISMATCH where it is another one than
        was registered.
        """
        try:
            content = _read_below(self.folder, self.path)
        except (OSError, ValueError) as error:
            raise Permanent(
                "PY_NOT_REGISTERED", f"no script {quoted(self.path)} in the scripts' folder"
            ) from error
        found = hashlib.sha256(content).hexdigest()
        if self.sha256 and found != self.sha256:
            raise Permanent(
                "PY_HASH_MISMATCH",
                f"script {quoted(self.path)} has SHA-256 {found}; registered is {self.sha256}",
            )
        return content


@dataclass(frozen=True, slots=True)
class ScriptDefinition:
    """One registered script. `readable` are files and folders it may read where its view is limited."""

    name: str
    source: ScriptSource
    formats: tuple[str, ...]
    limits: Limits
    description: str = ""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    readable: tuple[str, ...] = ()
    network: bool = False

    @classmethod
    def parse(
        cls, mapping: Mapping[str, JsonValue], file: DefinitionFile, *, folder: Path, hash_required: bool
    ) -> ScriptDefinition:
        """The definition in a decoded file. Raises Refused with every problem found.

        `folder` holds the scripts. With `hash_required` a script without `sha256` is refused.
        """
        fields = Fields(dict(mapping), file)
        definition = cls(
            name=_name(fields),
            source=_source(fields, folder, hash_required=hash_required),
            formats=_formats(fields),
            limits=_limits(fields),
            description=fields.text("description"),
            parameters=_parameters(fields),
            environment=_environment(fields),
            readable=_readable(fields),
            network=fields.flag("network", default=False),
        )
        fields.done()
        fields.refuse()
        return definition


def _name(fields: Fields) -> str:
    name = check_report_name(fields.text("name", required=True))
    if isinstance(name, Problem):
        fields.note("CFG_RANGE", name.text, "name")
        return ""
    return name


def _source(fields: Fields, folder: Path, *, hash_required: bool) -> ScriptSource:
    source = ScriptSource(folder, fields.text("script", required=True), fields.text("sha256").lower())
    if source.sha256 and not _SHA256.fullmatch(source.sha256):
        fields.note("CFG_RANGE", "has to be 64 hexadecimal digits", "sha256")
    elif hash_required and not source.sha256:
        fields.note("CFG_MISSING", "is required here: the SHA-256 of the reviewed script", "sha256")
    elif source.path:
        try:
            source.read()
        except Permanent as error:
            fields.note(error.code, error.text, "script")
    return source


def _formats(fields: Fields) -> tuple[str, ...]:
    formats = fields.texts("formats")
    if not formats:
        fields.note("CFG_MISSING", "is required: the formats the script can write", "formats")
    for name in formats:
        if name not in FORMATS:
            fields.note("CFG_CHOICE", f"no format {quoted(name)}; {hint(name.upper(), FORMATS)}", "formats")
    return formats


def _limits(fields: Fields) -> Limits:
    inner = fields.within("limits", dict(fields.items("limits")))
    seconds = inner.integer("seconds", 300, least=1, most=_DAY)
    output = inner.integer("output_mb", 1_024, least=1, most=1 << 20)
    limits = Limits(
        wall_seconds=seconds,
        cpu_seconds=inner.integer("cpu_seconds", seconds, least=1, most=_DAY),
        memory=inner.integer("memory_mb", 2_048, least=64, most=1 << 20) * _MEBIBYTE,
        processes=inner.integer("processes", 64, least=1, most=10_000),
        file_size=output * _MEBIBYTE,
        disk=inner.integer("disk_mb", 2 * output, least=1, most=1 << 21) * _MEBIBYTE,
        files=inner.integer("files", 1_000, least=10, most=1_000_000),
    )
    if limits.disk < limits.file_size:
        inner.note("CFG_INCONSISTENT", "has to be at least output_mb: the output counts", "disk_mb")
    inner.done()
    return limits


def _parameters(fields: Fields) -> dict[str, Parameter]:
    declared = fields.items("parameters")
    for name in declared:
        if not (name.isidentifier() and name.isascii()):
            fields.note("CFG_RANGE", "a parameter's name is letters, digits and _", f"parameters.{name}")
    return {
        name: read_parameter(name, fields.within(f"parameters.{name}", keys))
        for name, keys in declared.items()
    }


def _environment(fields: Fields) -> dict[str, str]:
    inner = fields.within("environment", dict(fields.items("environment")))
    names = tuple(fields.items("environment"))
    for name in names:
        if not _VARIABLE.fullmatch(name):
            inner.note("CFG_RANGE", "a variable's name is letters, digits and _", name)
    return {name: inner.text(name, longest=100_000) for name in names}


def _readable(fields: Fields) -> tuple[str, ...]:
    paths = fields.texts("reads")
    for path in paths:
        if not path.startswith("/") or os.path.normpath(path) == "/":
            fields.note("CFG_PATH", f"{quoted(path)} is no absolute path of a file or folder", "reads")
    return paths


def _read_below(folder: Path, path: str) -> bytes:
    """The file at `path` below `folder`. OSError or ValueError where it is not there, a link, or large."""
    parts = path.split("/")
    if "\0" in path or {"", ".", ".."} & set(parts):
        raise ValueError(path)
    opened = [os.open(folder, os.O_RDONLY | os.O_DIRECTORY)]
    try:
        for part in parts[:-1]:
            opened.append(os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=opened[-1]))
        fd = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=opened[-1])
        with os.fdopen(fd, "rb") as file:
            content = file.read(_LARGEST_SCRIPT + 1)
    finally:
        for folder_fd in opened:
            os.close(folder_fd)
    if len(content) > _LARGEST_SCRIPT:
        raise ValueError(path)
    return content
