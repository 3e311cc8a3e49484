"""A request as the options of the command line say it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import click

from reportbus.core.errors import Refused
from reportbus.core.strict_json import decode
from reportbus.core.text import have

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reportbus.config import Settings
    from reportbus.core.model import JsonValue

_PARAMETER: Final = re.compile(r"(?P<key>[^=]+?)(?P<json>:)?=(?P<value>.*)", re.DOTALL)
_MAIL: Final = "mailto:"
_URL: Final = re.compile(r"(?P<type>[A-Za-z0-9]+)://(?P<destination>[^/]*)/?(?P<path>.*)", re.DOTALL)


class Parameter(click.ParamType[tuple[str, "JsonValue"]]):
    """`key=text` or `key:=JSON`, as a pair."""

    name = "KEY=VALUE"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, JsonValue]:
        """The pair."""
        found = _PARAMETER.fullmatch(str(value))
        if found is None:
            self.fail(f"{value!r} is no key=text and no key:=JSON", param, ctx)
        if found["json"] is None:
            return found["key"], found["value"]
        return found["key"], _json(found["value"], found["key"])


def request_of(
    settings: Settings,
    *,
    parameters: Sequence[tuple[str, JsonValue]],
    parameters_json: str | None,
    targets: Sequence[str],
    format_: str | None,
    file_name: str | None,
    **fields: JsonValue,
) -> Mapping[str, JsonValue]:
    """The request in the shape that JSON has it; what was left out is left out there, too."""
    config: dict[str, JsonValue] = {
        "format": format_,
        "file_name": file_name,
        "targets": _targets(targets, settings),
    }
    return {
        **fields,
        "parameters": _parameters(parameters, parameters_json),
        "distribution_config": {name: value for name, value in config.items() if value is not None},
    }


def _parameters(given: Sequence[tuple[str, JsonValue]], whole: str | None) -> JsonValue:
    value = {} if whole is None else _json(whole, "--parameters")
    if not given:
        return value
    if not isinstance(value, dict):
        raise click.BadParameter("takes a JSON object where -p is given as well", param_hint="--parameters")
    for key, item in given:
        if key in value:
            hint = f'{key!r} is given twice; for a list write {key}:=["...", "..."]'
            raise click.BadParameter(hint, param_hint="-p")
        value[key] = item
    return value


def _targets(given: Sequence[str], settings: Settings) -> JsonValue:
    if list(given) == ["none"]:
        return "none"
    if "none" in given and "none" not in settings.destinations:
        text = "none stands alone: a report that is staged only has no other target"
        raise click.BadParameter(text, param_hint="--target")
    return [_target(text, settings) for text in given] or None


def _target(text: str, settings: Settings) -> JsonValue:
    """A target as JSON has it; only its form is looked at here."""
    if text.startswith("{"):
        return _json(text, "--target")
    if text.startswith(_MAIL):
        return {"type": "EMAIL", "to": [*text.removeprefix(_MAIL).split(",")]}
    url = _URL.fullmatch(text)
    if url is not None:
        return {"type": url["type"].upper(), "destination": url["destination"], "path": url["path"]}
    name, _, path = text.partition("/")
    destination = settings.destinations.get(name)
    if destination is None:
        text = f"there is no destination {name!r}; {have(settings.destinations)}"
        raise click.BadParameter(text, param_hint="--target")
    return {"type": destination.type, "destination": name, "path": path}


def _json(text: str, what: str) -> JsonValue:
    try:
        return decode(text, what=what)
    except Refused as refusal:
        raise click.BadParameter(str(refusal.problems[0]), param_hint=what) from refusal
