"""A document of YAML from its events: names with values, each with its place, within limits.

What can be passed over is noted, and the reading goes on; where there is no way on, `Unfit` is raised.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import yaml

from reportbus.config.files import UNPRINTABLE
from reportbus.config.nodes import Items, Node, Scalar, Style, Table
from reportbus.config.plain import Taken, taken_for
from reportbus.config.problems import unfit
from reportbus.core.text import quoted
from reportbus.core.where import Where

if TYPE_CHECKING:
    from reportbus.config.problems import Problems

MAX_DEPTH: Final = 32
MAX_ALIASES: Final = 50
MAX_VALUES: Final = 10_000
"""At most this many values are in a document, each alias counted with all it repeats."""

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class _Open:
    """A list or table whose end has not come yet.

    `size` counts the values in it; `key` is the name that still waits for its value.
    """

    where: Where
    anchor: str | None
    is_table: bool
    size: int = 1
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, Where] = field(default_factory=dict)
    odd: dict[str, Scalar] = field(default_factory=dict)
    key: Scalar | None = None

    def node(self) -> Node:
        """The finished list or table."""
        if self.is_table:
            return Table(self.where, self.entries, self.keys, self.odd)
        return Items(self.where, tuple(self.items))


class Composer:
    """Builds the document of one file from its events."""

    def __init__(self, name: str, problems: Problems) -> None:
        self._name = name
        self._problems = problems
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._aliases = 0
        self._values = 0
        self._root: Node | None = None
        self._documents = 0

    def compose(self, text: str) -> Table:
        """The document; raises Unfit and yaml.MarkedYAMLError where there is no way on."""
        for event in yaml.parse(text, Loader=_LOADER):
            self._take(event)
        root = self._root
        if root is None or (isinstance(root, Scalar) and not root.text):
            raise unfit("CFG_YAML", "is empty; write a setting, or remove the file", Where(self._name, 1))
        if not isinstance(root, Table):
            what = "a list" if isinstance(root, Items) else "one value"
            raise unfit("CFG_YAML", f"holds {what}; names with values are expected", root.where)
        return root

    def _take(self, event: yaml.Event) -> None:
        where = Where(self._name, event.start_mark.line + 1 if event.start_mark else 1)
        match event:
            case yaml.ScalarEvent():
                self._scalar(event, where)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._begin(event, where)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                done = self._open.pop()
                self._add(done.node(), done.size, done.anchor)
            case yaml.AliasEvent():
                self._alias(event, where)
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise unfit("CFG_YAML", "a second document begins; only one is read", where)

    def _scalar(self, event: yaml.ScalarEvent, where: Where) -> None:
        self._refuse_tag(event.tag, where)
        self._count(1, where)
        found = UNPRINTABLE.search(event.value) if event.style == '"' else None
        if found:
            fault = f"a text holds the character U+{ord(found[0]):04X}"
            self._problems.add("CFG_YAML", fault, where)
        plain = event.implicit[0]
        self._add(Scalar(where, event.value, Style.PLAIN if plain else Style.QUOTED), 1, event.anchor)

    def _begin(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent, where: Where) -> None:
        self._refuse_tag(event.tag, where)
        if len(self._open) == MAX_DEPTH:
            raise unfit("CFG_LIMIT", f"is nested more than {MAX_DEPTH} deep", where)
        self._refuse_as_key(where)
        self._count(1, where)
        self._open.append(_Open(where, event.anchor, isinstance(event, yaml.MappingStartEvent)))

    def _alias(self, event: yaml.AliasEvent, where: Where) -> None:
        self._aliases += 1
        if self._aliases > MAX_ALIASES:
            raise unfit("CFG_LIMIT", f"holds more than {MAX_ALIASES} aliases (*name)", where)
        if event.anchor not in self._anchors:
            raise unfit("CFG_YAML", f"*{event.anchor} refers to nothing that stands before it", where)
        node, size = self._anchors[event.anchor]
        self._count(size, where)
        self._add(node, size, None)

    def _count(self, values: int, where: Where) -> None:
        self._values += values
        if self._values > MAX_VALUES:
            fault = f"holds more than {MAX_VALUES} values, each alias counted with all it repeats"
            raise unfit("CFG_LIMIT", fault, where)

    def _add(self, node: Node, size: int, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = (node, size)
        if not self._open:
            self._root = node
            return
        parent = self._open[-1]
        parent.size += size
        if not parent.is_table:
            parent.items.append(node)
        elif parent.key is not None:
            self._set(parent, parent.key, node)
            parent.key = None
        elif isinstance(node, Scalar):
            parent.key = node
        else:
            self._refuse_as_key(node.where)

    def _set(self, table: _Open, key: Scalar, node: Node) -> None:
        name = key.text
        if name == "<<" and key.style is Style.PLAIN:
            self._problems.add("CFG_YAML", "merge keys (<<) are not read; write the entries out", key.where)
        elif name in table.entries:
            lines = f"on lines {table.keys[name].line} and {key.where.line}"
            fault = f"{quoted(name)} stands twice in one place, {lines}"
            self._problems.add("CFG_DUPLICATE_KEY", fault, key.where)
        else:
            table.entries[name] = node
            table.keys[name] = key.where
            if taken_for(key) is not Taken.TEXT:
                table.odd[name] = key

    def _refuse_as_key(self, where: Where) -> None:
        """A list or table where a name is due: there is no way on."""
        if self._open and self._open[-1].is_table and self._open[-1].key is None:
            fault = "a list or table stands where a name is expected; a text that begins with { needs quotes"
            raise unfit("CFG_YAML", fault, where)

    def _refuse_tag(self, tag: str | None, where: Where) -> None:
        if tag is not None:
            self._problems.add("CFG_YAML", f"the tag {quoted(tag)} is not read; write the value alone", where)
