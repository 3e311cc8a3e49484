"""Options that say where something is: URLs, hosts, ports, mail addresses, and the names of secrets."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from reportbus.config.kinds import WITH_VARIABLE, Bases, Kind, any_text, scalar, text_of
from reportbus.config.problems import unfit
from reportbus.config.secrecy import REFERENCE, holds_a_password, looks_secret
from reportbus.core.redact import MASK
from reportbus.core.text import quoted

if TYPE_CHECKING:
    from reportbus.config.nodes import Node
    from reportbus.core.model import JsonValue

_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
_BYTE: Final = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_ADDRESS: Final = rf"{_BYTE}(?:\.{_BYTE}){{3}}|\[[0-9A-Fa-f:.]{{2,45}}\]"
_END: Final = r"(?![A-Za-z0-9._-])"
_NAME: Final = rf"(?=[A-Za-z0-9._-]{{1,253}}{_END})(?:{_LABEL}\.)*(?![0-9]+{_END}){_LABEL}{_END}"
_HOST: Final = rf"(?:{_ADDRESS}|{_NAME})"
_PORT: Final = r"(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
_PATH: Final = r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?"
_LAST_PORT: Final = 65_535

_SCHEME: Final = re.compile(r"https?://")
_ENDPOINT: Final = re.compile(rf"https?://{_HOST}(?::{_PORT})?{_PATH}")
_PLAIN_HTTP: Final = re.compile(
    r"http://(?!(?:localhost|127(?:\.[0-9]+){3}|\[::1\])(?:[:/]|\Z))", re.IGNORECASE
)
_DATABASE: Final = re.compile(r"(?P<scheme>[a-z][a-z0-9]*)(?:\+[a-z0-9_]+)?://[^\x00-\x1f\x7f]*")
_SECRET_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9/_+=.@-]{0,511}")
_MAILBOX: Final = re.compile(rf"[A-Za-z0-9._%+-]{{1,64}}@{_NAME}")


class Endpoint(Kind[str]):
    """The base URL of a service, without user, query and fragment. Whether http will do is decided later."""

    name = "URL"
    allowed = "https://host/path; http:// only to this machine, or where mode is development"

    def read(self, node: Node, bases: Bases) -> str:
        value = scalar(node, "https://host/path")
        text, shown = value.text, quoted(value.shown)
        rest = text.partition("://")[2]
        if "@" in rest.partition("/")[0]:
            fault = "holds a user before the host; name a secret with user and password instead"
            raise unfit("SEC_INLINE_SECRET", fault)
        if text != text.strip():
            raise unfit("CFG_URL", f"{shown} has blanks around it; remove them")
        if _SCHEME.match(text) is None:
            raise unfit("CFG_URL", f"{shown} is no address of a service; takes https://host/path")
        if "#" in rest or "?" in rest:
            raise unfit("CFG_URL", f"{shown} has a query or fragment; end it with the path")
        if _ENDPOINT.fullmatch(text) is None:
            raise unfit("CFG_URL", f"{shown} has no valid host, port or path; takes https://host/path")
        return text

    def schema(self) -> dict[str, JsonValue]:
        return {"type": "string", "pattern": rf"^https?://[^@?#\s]+$|{WITH_VARIABLE}"}


def is_plain_http(endpoint: str) -> bool:
    """Whether what is sent there can be read on the way: http to another machine."""
    return _PLAIN_HTTP.match(endpoint) is not None


class DatabaseUrl(Kind[str]):
    """Where a database is: `scheme://user@host/name`. A relative SQLite file is below REPORTBUS_HOME.

    A password may come with a variable, never written out in a file; it is never shown.
    """

    name = "database URL"

    def __init__(self, schemes: tuple[str, ...] = ()) -> None:
        self.allowed = " or ".join(f"{scheme}://…" for scheme in schemes)
        self._schemes = schemes

    def read(self, node: Node, bases: Bases) -> str:
        value = scalar(node, self.allowed or self.name)
        found = _DATABASE.fullmatch(value.text)
        if found is None or (self._schemes and found["scheme"] not in self._schemes):
            raise unfit("CFG_URL", f"is no database URL; takes {self.allowed or 'scheme://host/name'}")
        if holds_a_password(value):
            raise unfit("SEC_INLINE_SECRET", "holds a password; write ${VARIABLE} in its place")
        return _sqlite(value.text, bases) if found["scheme"] == "sqlite" else value.text

    def schema(self) -> dict[str, JsonValue]:
        scheme = "|".join(self._schemes) or "[a-z][a-z0-9]*"
        return {"type": "string", "pattern": rf"^(?:{scheme})(?:\+[a-z0-9_]+)?://|{WITH_VARIABLE}"}

    def shown(self, value: str) -> str:
        """The URL without its password, and without parameters that may hold one."""
        scheme, mark, rest = value.partition("://")
        user, at, place = rest.rpartition("@")
        name, colon, _ = user.partition(":")
        place, question, query = place.partition("?")
        parameters = "&".join(map(_masked, query.split("&")))
        return f"{scheme}{mark}{name}{colon}{MASK if colon else ''}{at}{place}{question}{parameters}"


def _masked(parameter: str) -> str:
    name, equals, _ = parameter.partition("=")
    return f"{name}{equals}{MASK}" if looks_secret(name) else parameter


def _sqlite(url: str, bases: Bases) -> str:
    start, _, path = url.partition("://")
    path, question, query = path.partition("?")
    if not path.startswith("/") or path == "/":
        raise unfit("CFG_URL", f"{quoted(url)} names no file; takes sqlite:///file.db")
    return f"{start}:///{os.path.normpath(bases.home / path[1:])}{question}{query}"


class Host(Kind[str]):
    """A host's name or address."""

    name = "host"
    _pattern = re.compile(_HOST)

    def read(self, node: Node, bases: Bases) -> str:
        value = text_of(node, f"a {self.name}")
        if self._pattern.fullmatch(value.text) is None:
            raise unfit("CFG_HOST", f"{quoted(value.shown)} is no {self.name}")
        return value.text

    def schema(self) -> dict[str, JsonValue]:
        return any_text()


class HostAndPort(Host):
    """A host with a port after a colon."""

    name = "host:port"
    _pattern = re.compile(rf"{_HOST}:{_PORT}")


class Domain(Host):
    """The domain of mail addresses."""

    name = "domain"
    _pattern = re.compile(_NAME)


class Port(Kind[int]):
    """The number of a port; in quotes it is good, too."""

    name = "port"
    allowed = f"1 to {_LAST_PORT}"

    def read(self, node: Node, bases: Bases) -> int:
        value = scalar(node, f"a port, {self.allowed}")
        if re.fullmatch(_PORT, value.text) is None:
            raise unfit("CFG_PORT", f"{quoted(value.shown)} is no port; takes {self.allowed}")
        return int(value.text)

    def schema(self) -> dict[str, JsonValue]:
        number: dict[str, JsonValue] = {"type": "integer", "minimum": 1, "maximum": _LAST_PORT}
        return {"anyOf": [number, {"type": "string", "pattern": rf"^{_PORT}$|{WITH_VARIABLE}"}]}

    def data(self, value: int) -> JsonValue:
        return value


class SecretName(Kind[str]):
    """The name under which the secrets' store holds a secret, with or without `secret:` before it."""

    name = "name of a secret"

    def read(self, node: Node, bases: Bases) -> str:
        name = scalar(node, self.name).text.removeprefix(REFERENCE)
        if not _SECRET_NAME.fullmatch(name):
            fault = "is no name of a secret (letters, digits, / _ + = . @ -); never write the secret itself"
            raise unfit("SEC_INLINE_SECRET", fault)
        return name

    def schema(self) -> dict[str, JsonValue]:
        return any_text()


class MailAddress(Kind[str]):
    """One mail address, without a name beside it."""

    name = "mail address"

    def read(self, node: Node, bases: Bases) -> str:
        value = text_of(node, "one mail address")
        if _MAILBOX.fullmatch(value.text) is None:
            raise unfit("CFG_EMAIL", f"{quoted(value.shown)} is no mail address; takes name@example.com")
        return value.text

    def schema(self) -> dict[str, JsonValue]:
        return any_text()
