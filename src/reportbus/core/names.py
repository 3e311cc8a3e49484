"""Names that come from outside, in their one form: request ids, report names, keys on staging, file names.

Paths, file names and their templates have modules of their own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from unicodedata import category, normalize

from reportbus.core.errors import Problem
from reportbus.core.formats import FORMATS
from reportbus.core.paths import UNSEEN, name_faults
from reportbus.core.text import kind_of, quoted

MAX_REPORT_NAME: Final = 255

_REQUEST_ID: Final = r"(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._-]{1,36}"
_NUMBER: Final = r"[1-9][0-9]{0,9}"
_WHOLE_REQUEST_ID: Final = re.compile(_REQUEST_ID)
_STAGING_KEY: Final = re.compile(rf"reports/({_REQUEST_ID})/({_NUMBER})/({_NUMBER})/([^/]+)")

# A joiner between two pictures makes one of them; anywhere else it is an unseen character.
_PICTURE: Final = r"\u2190-\u2bff\U0001f000-\U0001faff"
_PICTURE_JOINER: Final = re.compile(rf"(?<=[{_PICTURE}\ufe0f])\u200d(?=[{_PICTURE}])")
_BLANK_LETTERS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")

# Endings that make a file's real kind unclear when they stand before the last one, or start a program.
_PROGRAMS: Final = frozenset(
    {"asp", "aspx", "bat", "cgi", "cmd", "cpl", "exe", "hta", "jar", "js", "jse", "jsp", "lnk", "msi", "php"}
    | {"pif", "pl", "ps1", "py", "scr", "vb", "vbe", "vbs", "wsf"}
)
_TELLING: Final = _PROGRAMS | {form.extension[1:] for form in FORMATS.values()}


@dataclass(frozen=True, slots=True)
class StagingKey:
    """What a key on staging says: the file `file_name` made by job `job` of run `run` of a request."""

    request_id: str
    run: int
    job: int
    file_name: str


def check_request_id(raw: object) -> str | Problem:
    """The request id without blanks around it, its case kept; VAL_REQUEST_ID for anything else."""
    if isinstance(raw, str):
        request_id = raw.strip(" ")
        if _WHOLE_REQUEST_ID.fullmatch(request_id):
            return request_id
    missing = raw is None or (isinstance(raw, str) and not raw.strip())
    fault = "is missing" if missing else f"{_shown(raw)} is no request id"
    return Problem("VAL_REQUEST_ID", f"{fault}; 1 to 36 of A-Z a-z 0-9 . _ - are allowed", "REQUEST_ID")


def check_report_name(raw: object) -> str | Problem:
    """The report name without blanks around it; VAL_REPORT_NAME if it is empty, long or not what it looks."""
    if not isinstance(raw, str):
        fault = "is missing" if raw is None else f"must be text, not {kind_of(raw)}"
        return Problem("VAL_REPORT_NAME", fault, "REPORT_NAME")
    name = raw.strip(" ")
    if name.isascii() and name.isprintable() and 0 < len(name) <= MAX_REPORT_NAME:
        return name
    fault = _report_name_fault(name)
    return Problem("VAL_REPORT_NAME", fault, "REPORT_NAME") if fault else normalize("NFC", name)


def check_extension(name: str, format_: str, *, field: str = "file_name") -> Problem | None:
    """TPL_EXT where the file name does not end in its format's extension, or in one more before it."""
    extension = FORMATS[format_].extension
    if not name.lower().endswith(extension):
        return Problem(
            "TPL_EXT", f"{quoted(name)} does not end in {extension}, as {format_} output must", field
        )
    _, dot, inner = name[: -len(extension)].lower().rpartition(".")
    if dot and inner in _TELLING:
        return Problem("TPL_EXT", f"{quoted(name)} has two extensions, .{inner} and {extension}", field)
    return None


def staging_key(request_id: str, run: int, job: int, file_name: str) -> str:
    """The key under which a job's file is staged. ValueError for parts that were not checked before."""
    key = f"reports/{request_id}/{run}/{job}/{file_name}"
    if parse_staging_key(key) is None:
        raise ValueError(f"no staging key can be made of {request_id!r}, {run!r}, {job!r}, {file_name!r}")
    return key


def parse_staging_key(key: object) -> StagingKey | None:
    """What `key` says; None for anything `staging_key` does not make. Never raises."""
    found = _STAGING_KEY.fullmatch(key) if isinstance(key, str) else None
    if found is None or name_faults(found[4]) or normalize("NFC", found[4]) != found[4]:
        return None
    return StagingKey(found[1], int(found[2]), int(found[3]), found[4])


def _report_name_fault(name: str) -> str:
    if not name.strip():
        return "is empty"
    if len(name) > MAX_REPORT_NAME:
        return f"has {len(name)} characters; at most {MAX_REPORT_NAME} are allowed"
    seen = _PICTURE_JOINER.sub("", name)
    unseen = next((char for char in seen if category(char) in UNSEEN or char in _BLANK_LETTERS), None)
    return f"holds the unseen character U+{ord(unseen):04X}" if unseen else ""


def _shown(raw: object) -> str:
    return quoted(raw) if isinstance(raw, str) else kind_of(raw)
