"""From what was given to settings: follows the declarations of the settings classes, notes what is wrong."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeVar, cast

from reportbus.config.effective import Effective
from reportbus.config.nodes import BUILT_IN, Items, Node, Scalar, Table, built_in, kind_of
from reportbus.config.options import Declaration, Default, Entries, Records, Section, Written, declarations
from reportbus.config.plain import mistaken
from reportbus.config.problems import NO_ADAPTER, Unfit
from reportbus.config.secrecy import looks_secret
from reportbus.config.suggest import suggestion
from reportbus.config.variables import Asked, option_variable
from reportbus.core.text import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from reportbus.config.kinds import Bases
    from reportbus.config.problems import Problems
    from reportbus.config.variables import Variables
    from reportbus.core.where import Where

T = TypeVar("T")

_ENTRY_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,49}")
_ABSENT: Final = object()


class Reader:
    """Reads one configuration. What cannot be read is noted, and the reading goes on with the default."""

    def __init__(self, variables: Variables, bases: Bases, problems: Problems) -> None:
        self.effective: dict[str, Effective] = {}
        self.broken: set[str] = set()
        self._variables = variables
        self._bases = bases
        self._problems = problems
        self._asked = Asked(variables)

    def section(
        self,
        cls: type[T],
        table: Table,
        path: str = "",
        given: Mapping[str, object] | None = None,
        selector: str = "",
    ) -> T | None:
        """An object of the settings class; None where something is wrong that has no default.

        `given` are the fields the class does not declare; `selector` is a name in the table that was read
        before.
        """
        values = dict(given or {})
        for name, declared in declarations(cls).items():
            node, full = table.entries.get(name), f"{path}.{name}" if path else name
            match declared:
                case Declaration():
                    values[name] = self._option(declared, node, full, table.where)
                case Section():
                    body = self._table(node, full) if node else None
                    values[name] = _present(self.section(declared.cls, body or Table(BUILT_IN), full))
                case Entries():
                    values[name] = self._entries(declared, node, full)
                case Records():
                    values[name] = self._records(declared, node, full)
        self._refuse_unknown(table, [*declarations(cls), *filter(None, (selector,))], path)
        if _ABSENT in values.values():
            return None
        return cast("Callable[..., T]", cls)(**values)

    def take(self, effective: Effective, variable: str) -> None:
        """Note an option that was read elsewhere, and the variable that sets it."""
        self.effective[effective.name] = effective
        self._asked.given((variable,))

    def pass_over(self, path: str) -> None:
        """Leave alone the variables for what is under `path`: it could not be read."""
        self._asked.pass_over(option_variable(path))

    def refuse_unknown_variables(self) -> None:
        """Note each REPORTBUS_ variable that no option asked for."""
        for name, where in self._asked.unknown():
            fault = f"no option is set by {name}{suggestion(name, self._asked.names)}"
            self._problems.add("CFG_UNKNOWN_FIELD", fault, where)

    # -- one option ------------------------------------------------------------------------------------------

    def _option(self, declared: Declaration, node: Node | None, path: str, above: Where) -> object:
        given = self._variable(declared, path) or node
        if given is None:
            return self._default(declared, path, above)
        where = given.where
        try:
            given = self._variables.put_into(given)
            where = given.where
            value = declared.kind.read(given, self._bases)
        except Unfit as error:
            self._problems.add_all(error, where, path)
            self.broken.add(path)
            return self._fallback(declared, path)
        self._take(declared, path, value, where)
        return value

    def _variable(self, declared: Declaration, path: str) -> Scalar | None:
        names = (option_variable(path), *declared.variables)
        found = self._asked.given(names)
        if len({variable.text for variable in found}) > 1:
            fault = f"{' and '.join(names)} say different things; set one of them"
            self._problems.add("CFG_INCONSISTENT", fault, found[0].where, path)
        return found[0] if found else None

    def _default(self, declared: Declaration, path: str, above: Where) -> object:
        if declared.default is Default.REQUIRED:
            self._problems.add("CFG_MISSING", f"is missing; takes a {declared.kind.name}", above, path)
            self.broken.add(path)
            return _ABSENT
        value = self._fallback(declared, path)
        if value is not _ABSENT:
            self._take(declared, path, value, BUILT_IN)
        return value

    def _fallback(self, declared: Declaration, path: str) -> object:
        """The option's default; _ABSENT where it has none, or none that the folders allow."""
        if not isinstance(declared.default, Written):
            return _ABSENT if declared.default is Default.REQUIRED else declared.default
        try:
            node = self._variables.put_into(Scalar(BUILT_IN, declared.default.text))
            return declared.kind.read(node, self._bases)
        except Unfit as error:
            self._problems.add_all(error, BUILT_IN, path)
            return _ABSENT

    def _take(self, declared: Declaration, path: str, value: object, where: Where) -> None:
        kind = declared.kind
        shown, data = ("", None) if value is None else (kind.shown(value), kind.data(value))
        self.effective[path] = Effective(path, shown, where, data)

    # -- tables, entries and records -------------------------------------------------------------------------

    def _table(self, node: Node, path: str) -> Table | None:
        if isinstance(node, Table):
            return node
        if isinstance(node, Scalar) and not node.text:
            fault = "has nothing under it; write {} for nothing, or remove the line"
        else:
            fault = f"is {kind_of(node)}; takes names with values"
        self._problems.add("CFG_TYPE", fault, node.where, path)
        self.broken.add(path)
        return None

    def _entries(self, declared: Entries, node: Node | None, path: str) -> Mapping[str, object]:
        table = self._table(node or built_in(dict(declared.default)), path) or Table(BUILT_IN)
        found: dict[str, object] = {}
        places: dict[str, Where] = {}
        for written, item in table.entries.items():
            where = table.keys.get(written, item.where)
            full = f"{path}.{written.lower() if declared.capitals else written}"
            variable = option_variable(full)
            if not _ENTRY_NAME.fullmatch(written):
                fault = f"{quoted(written)} is no name; takes up to 50 letters, digits, dots, _ and -"
                self._problems.add("CFG_NAME", fault, where, path)
            elif written in table.odd:
                self._problems.add("CFG_TYPE", mistaken(table.odd[written]), where, path)
            elif variable in places:
                lines = f"on lines {places[variable].line} and {where.line}"
                fault = f"{quoted(written)} differs from another {declared.what} by case or marks alone"
                self._problems.add("CFG_DUPLICATE_KEY", f"{fault}, {lines}", where, path)
            else:
                places[variable] = where
                name = written.upper() if declared.capitals else written
                entry = self._entry(declared, name, self._table(item, full), full)
                if entry is None:
                    self.broken.add(full)
                else:
                    found[name] = entry
        return MappingProxyType(found)

    def _entry(self, declared: Entries, name: str, table: Table | None, path: str) -> object | None:
        type_ = self._type(declared, name, table, path) if table else None
        if table is None or type_ is None:
            self.pass_over(path)
            return None
        cls = declared.types[type_]
        chosen, where = f"{path}.{declared.selector}", table.entries.get(declared.selector, table).where
        self.effective[chosen] = Effective(chosen, type_, where, type_)
        known = {"name": name, declared.selector: type_}
        if cls is not None:
            return self.section(cls, table, path, known, declared.selector)
        return self._without_adapter(declared, table, path, known)

    def _type(self, declared: Entries, name: str, table: Table, path: str) -> str | None:
        node = table.entries.get(declared.selector)
        if node is None and not declared.named_by_type:
            fault = f"is missing; takes one of {', '.join(declared.types)}"
            self._problems.add("CFG_MISSING", fault, table.where, f"{path}.{declared.selector}")
            return None
        text = name if node is None else node.text if isinstance(node, Scalar) else ""
        for type_ in declared.types:
            if type_.lower() == text.lower():
                return type_
        where = node.where if node else table.where
        fault = f"{quoted(text)} is no type of {declared.what}{suggestion(text, declared.types)}"
        self._problems.add("CFG_CHOICE", fault, where, f"{path}.{declared.selector}")
        return None

    def _without_adapter(
        self, declared: Entries, table: Table, path: str, known: Mapping[str, object]
    ) -> object | None:
        """An entry of a type without an adapter, fine while it is off; its own options are not read."""
        self.pass_over(path)
        shared = {name: node for name, node in table.entries.items() if name in declarations(declared.common)}
        entry = self.section(declared.common, Table(table.where, shared), path, known)
        if getattr(entry, "enabled", True):
            ready = ", ".join(type_ for type_, cls in declared.types.items() if cls is not None)
            fault = f"{known[declared.selector]} {NO_ADAPTER}; have {ready}; enabled: false keeps it"
            self._problems.add("CFG_NO_ADAPTER", fault, table.where, path)
        return entry

    def _records(self, declared: Records, node: Node | None, path: str) -> Sequence[object]:
        given = built_in(list(declared.default)) if node is None else node
        if not isinstance(given, Items):
            self._problems.add("CFG_TYPE", f"is {kind_of(given)}; takes a list", given.where, path)
            return ()
        found: list[object] = []
        for position, item in enumerate(given.items):
            full = f"{path}[{position}]"
            table = self._table(item, full)
            record = self.section(declared.cls, table, full) if table else None
            if record is not None:
                found.append(record)
        return tuple(found)

    def _refuse_unknown(self, table: Table, known: Collection[str], path: str) -> None:
        for name in (name for name in table.entries if name not in known):
            where = table.keys.get(name, table.where)
            if looks_secret(name):
                named = suggestion(name, filter(looks_secret, known))
                fault = f"{quoted(name)} is not written here; name the secret instead{named}"
                self._problems.add("SEC_INLINE_SECRET", fault, where, path)
            else:
                fault = f"{quoted(name)} is not known{suggestion(name, known)}"
                self._problems.add("CFG_UNKNOWN_FIELD", fault, where, path)


def _present(value: object) -> object:
    return _ABSENT if value is None else value
