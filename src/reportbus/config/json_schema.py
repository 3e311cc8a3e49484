"""JSON Schemas of the configuration files, for editors: names, values and help while one writes.

`python -m reportbus.config.json_schema FOLDER` writes them there.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reportbus.config.loading import FILES, file_of
from reportbus.config.options import Declaration, Default, Entries, Records, Section, Written, declarations
from reportbus.config.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportbus.config.options import Declared
    from reportbus.core.model import JsonValue

_DIALECT: Final = "http://json-schema.org/draft-07/schema#"


def schemas() -> Mapping[str, dict[str, JsonValue]]:
    """The schema of each configuration file, by the schema's own file name."""
    return {f"{Path(file).stem}.schema.json": _file(file) for file in FILES}


def write(folder: Path) -> None:
    """Write them all into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas().items():
        (folder / name).write_text(f"{json.dumps(schema, indent=1, ensure_ascii=False)}\n")


def _file(file: str) -> dict[str, JsonValue]:
    declared = {name: item for name, item in declarations(Settings).items() if file_of(name) == file}
    definitions: dict[str, JsonValue] = {}
    root = _Schemas(definitions).table(declared)
    return {"$schema": _DIALECT, "title": f"config/{file}", **root, "definitions": definitions}


class _Schemas:
    """Makes the schemas of one file; those of entries stand among its definitions, once each."""

    def __init__(self, definitions: dict[str, JsonValue]) -> None:
        self._definitions = definitions

    def table(self, declared: Mapping[str, Declared], *, more: bool = False) -> dict[str, JsonValue]:
        """The schema of a table with these names, and with others if there may be `more`."""
        found: dict[str, JsonValue] = {
            "type": "object",
            "additionalProperties": more,
            "properties": {name: self._item(item) for name, item in declared.items()},
        }
        required: list[JsonValue] = [name for name, item in declared.items() if _is_required(item)]
        return found | {"required": required} if required else found

    def _item(self, declared: Declared) -> JsonValue:
        match declared:
            case Declaration():
                return _option(declared)
            case Section(cls):
                return _described(cls) | self.table(declarations(cls))
            case Records(cls, help_):
                return {"type": "array", "description": help_, "items": self.table(declarations(cls))}
            case Entries():
                return self._entries(declared)

    def _entries(self, declared: Entries) -> JsonValue:
        """Named tables, each of the type it says or, without saying it, of the type that its name is."""
        for type_ in declared.types:
            self._definitions[f"{declared.what}-{type_}"] = self._of_type(declared, type_)
        self._definitions[declared.what] = self._by_selector(declared)
        by_selector = _reference(declared.what)
        by_name: dict[str, JsonValue] = {
            type_: {
                "if": {"required": [declared.selector]},
                "then": by_selector,
                "else": _reference(f"{declared.what}-{type_}"),
            }
            for type_ in declared.types
        }
        named = by_name if declared.named_by_type else {}
        return {"type": "object", "properties": named, "additionalProperties": by_selector}

    def _by_selector(self, declared: Entries) -> JsonValue:
        selector, types = declared.selector, list(declared.types)
        choice: JsonValue = {"enum": list(types), "description": f"Which {declared.what} it is."}
        branches: list[JsonValue] = [
            {
                "if": {"required": [selector], "properties": {selector: {"const": type_}}},
                "then": _reference(f"{declared.what}-{type_}"),
            }
            for type_ in types
        ]
        return {"required": [selector], "properties": {selector: choice}, "allOf": branches}

    def _of_type(self, declared: Entries, type_: str) -> JsonValue:
        """An entry of one type; what a type without an adapter takes is not known yet."""
        cls = declared.types[type_]
        found = self.table(declarations(cls or declared.common), more=cls is None)
        properties = found["properties"]
        if isinstance(properties, dict):
            properties[declared.selector] = {"const": type_}
        return _described(cls or declared.common) | found


def _reference(definition: str) -> JsonValue:
    return {"$ref": f"#/definitions/{definition}"}


def _is_required(declared: Declared) -> bool:
    return isinstance(declared, Declaration) and declared.default is Default.REQUIRED


def _option(declared: Declaration) -> JsonValue:
    kind = declared.kind
    allowed = f" Allowed: {kind.allowed}." if kind.allowed else ""
    found: dict[str, JsonValue] = {"description": f"{declared.help}{allowed}", **kind.schema()}
    match declared.default:
        case Written(text):
            found["default"] = text
        case bool() | int() | float() | str() as value:
            found["default"] = value
        case tuple() as values:
            found["default"] = list(values)
    return found


def _described(cls: type[object]) -> dict[str, JsonValue]:
    return {"description": (cls.__doc__ or "").partition("\n")[0]}


if __name__ == "__main__":
    write(Path(sys.argv[1]))
