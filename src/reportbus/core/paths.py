"""Folder paths and file names that every target takes, whatever system it runs.

Paths are relative and joined by "/". The rules are those of the strictest target, so that a request does not
depend on where its report goes: no way out of the root, no second meaning on Windows, in a URL or on a
command line, and lengths any file system stores. Nothing is decoded here: who reads a URL decodes it once,
before. Unicode is judged in its compatible form (NFKC) too, so that no look-alike of a dot or slash passes,
and kept in NFC.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from unicodedata import category, normalize

from reportbus.core.errors import Problem
from reportbus.core.text import kind_of, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_PATH: Final = 500
"""Characters of a whole path."""

MAX_COMPONENT: Final = 255
"""Bytes, in UTF-8, of one folder's or file's name."""

UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode's categories of the characters that nobody sees."""

_DEVICE: Final = r"(?i:con|prn|aux|nul|conin\$|conout\$|clock\$|(?:com|lpt)[0-9])"
_PLAIN_COMPONENT: Final = rf"(?!{_DEVICE}(?:[ ./]|\Z))\w(?:[\w .,()+=@#&-]*[\w)+=@#&-])?"
_PLAIN: Final = re.compile(rf"{_PLAIN_COMPONENT}(?:/{_PLAIN_COMPONENT})*", re.ASCII)

_RESERVED: Final = re.compile(rf"{_DEVICE} *(?:\..*)?", re.DOTALL)
_NOT_ON_WINDOWS: Final = re.compile(r'[<>"|?*]')
_PERCENT_ENCODED: Final = re.compile(r"%[0-9A-Fa-f]{2}")

# In a value that becomes part of a name: what has a meaning of its own in a path, a URL or a shell.
_UNSAFE_RUN: Final = re.compile(r'(?:[\x00-\x1f\x7f-\x9f<>:"/\\|?*%~]|\.\.+)+')
_LEADING_HYPHENS: Final = re.compile(r"\A-[-. ]*")
_PLAIN_VALUE: Final = re.compile(r"\w[\w-]*(?:[ .][\w-]+)*", re.ASCII)


def check_path(raw: object, *, field: str) -> tuple[str | None, list[Problem]]:
    """A folder path below a destination's root, in its one form; or None and everything wrong with it.

    "" is the root itself; one "/" at the end is dropped. Problems: SEC_PATH (leads or may lead out of the
    root, or is not what it looks like), CFG_SMB_NAME (no such name on Windows), CFG_PATH_TOO_LONG, CFG_TYPE.
    """
    if not isinstance(raw, str):
        return None, [Problem("CFG_TYPE", f"must be text, not {kind_of(raw)}", field)]
    if not raw or (len(raw) <= MAX_COMPONENT and _PLAIN.fullmatch(raw)):
        return raw, []
    written = raw.removesuffix("/") or raw
    problems = [Problem(code, text, field) for code, text in dict.fromkeys(_faults(written))]
    return (None if problems else normalize("NFC", written)), problems


def name_faults(name: str) -> list[str]:
    """What is wrong with `name` as a file's name, with or without folders before it; a sentence each."""
    if len(name) <= MAX_COMPONENT and _PLAIN.fullmatch(name):
        return []
    if not name:
        return ["is empty"]
    return list(dict.fromkeys(text for _, text in _faults(name)))


def as_component(value: str, *, leading: bool) -> str:
    """`value` as a part of one file's or folder's name, `leading` where the name begins with it.

    Compatible forms are resolved (NFKC); runs of characters with a meaning in paths, of dots and of unseen
    characters become one "_" between others and nothing at the ends, as do blanks and dots there; "-" at the
    beginning of a name becomes "_". The result may be empty; it never holds a "/".
    """
    if _PLAIN_VALUE.fullmatch(value):
        return value
    text = value
    if not text.isascii():
        text = "".join("/" if category(char) in UNSEEN else char for char in normalize("NFKC", text))
    text = _UNSAFE_RUN.sub("/", text).strip("/. ").replace("/", "_")
    return _LEADING_HYPHENS.sub("_", text) if leading else text


def _faults(written: str) -> Iterator[tuple[str, str]]:
    """Code and sentence of each fault, judged in every form in which another system may see the path."""
    if len(written) > MAX_PATH:
        yield "CFG_PATH_TOO_LONG", f"has {len(written)} characters; at most {MAX_PATH} are allowed"
        return
    unseen = next((char for char in written if category(char) in UNSEEN), None)
    if unseen is not None:
        yield "SEC_PATH", f"holds the unseen character U+{ord(unseen):04X}"
        return
    for form in dict.fromkeys((written, normalize("NFC", written), normalize("NFKC", written))):
        yield from _whole_faults(form)
        for component in form.split("/"):
            yield from _component_faults(component)


def _whole_faults(path: str) -> Iterator[tuple[str, str]]:
    if path.startswith("/"):
        yield "SEC_PATH", f"{quoted(path)} is absolute; a path begins below the root"
    if "\\" in path or ":" in path:
        yield "SEC_PATH", f'{quoted(path)} holds a backslash or colon; folders are joined by "/"'
    if _PERCENT_ENCODED.search(path):
        yield "SEC_PATH", f"{quoted(path)} is percent-encoded; write the name as it is"


def _component_faults(name: str) -> Iterator[tuple[str, str]]:
    if name in {"", ".", ".."}:
        yield "SEC_PATH", f"{quoted(name)} is not the name of a file or folder"
    elif name[0] in ".-~":
        yield "SEC_PATH", f"{quoted(name)} begins with '{name[0]}', which is not allowed"
    elif name[-1] in ". " or name[0] == " ":
        yield "CFG_SMB_NAME", f"{quoted(name)} begins or ends with a blank or ends with a dot"
    elif _NOT_ON_WINDOWS.search(name):
        yield "CFG_SMB_NAME", f'{quoted(name)} holds one of < > " | ? *'
    elif _RESERVED.fullmatch(name):
        yield "CFG_SMB_NAME", f"{quoted(name)} is the name of a device on Windows"
    size = len(name.encode())
    if size > MAX_COMPONENT:
        yield "CFG_PATH_TOO_LONG", f"{quoted(name)} takes {size} bytes; at most {MAX_COMPONENT} are allowed"
