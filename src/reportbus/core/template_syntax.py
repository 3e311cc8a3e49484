"""Jinja's syntax, read by Jinja's own parser and cut down to text and placeholders.

Nothing of Jinja is run: the parsed tree is walked once, and what is not text, a name, a constant or one of
our filters is refused. Importing this module imports Jinja, so `template` does it only when it must.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING, Final

from jinja2 import TemplateSyntaxError, nodes
from jinja2.filters import FILTERS as JINJA_FILTERS
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from reportbus.core.errors import Problem, Refused
from reportbus.core.placeholders import FILTERS, Part, Placeholder, Step, TemplateFault
from reportbus.core.text import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reportbus.core.model import JsonValue

_ENVIRONMENT: Final = ImmutableSandboxedEnvironment(keep_trailing_newline=True)
_COUNTED_FROM_0: Final = re.compile(r" at [0-9]+\Z")
_TAG: Final = re.compile(r"\{[{%#]")

# What could grow without end, or take time without end; everything else that is refused is merely forbidden.
_UNBOUNDED: Final = frozenset({"For", "Add", "Sub", "Mul", "Div", "FloorDiv", "Mod", "Pow"})
_UNBOUNDED_FILTERS: Final = frozenset({"batch", "center", "format", "indent", "slice", "wordwrap"})
_SPOKEN: Final = {
    "Getattr": "attributes",
    "Getitem": "subscripts",
    "Call": "calls",
    "For": "loops",
    "Concat": "concatenation",
    "FromImport": "imports",
    "CondExpr": "conditions",
    "If": "conditions",
    "Neg": "arithmetic",
    "Pos": "arithmetic",
} | dict.fromkeys(("Add", "Sub", "Mul", "Div", "FloorDiv", "Mod", "Pow"), "arithmetic")


def parse(source: str, field: str) -> tuple[Part, ...]:
    """The parts of a template. Refused: every TPL_SYNTAX, TPL_FORBIDDEN, TPL_LIMIT and TPL_TZ in it."""
    parts: list[Part] = []
    problems: list[Problem] = []
    for node in _nodes(source, field):
        try:
            parts.append(_part(node, source, leading=_begins_a_name(parts)))
        except TemplateFault as fault:
            problems.append(Problem(fault.code, fault.text, field))
    if problems:
        raise Refused(problems)
    return tuple(parts)


def _nodes(source: str, field: str) -> Iterator[nodes.Node]:
    """The tree's statements, with output taken apart."""
    try:
        body = _tree(source).body
    except RecursionError:
        raise Refused([Problem("TPL_LIMIT", "has expressions too deep in one another", field)]) from None
    except (TemplateSyntaxError, SyntaxError, ValueError) as error:
        jinjas = error.message if isinstance(error, TemplateSyntaxError) else None
        message = _COUNTED_FROM_0.sub("", jinjas or "a literal that cannot be read")
        where = f" (line 1, column {_failing_place(source) + 1})"
        raise Refused([Problem("TPL_SYNTAX", f"{message}{where}", field)]) from None
    for statement in body:
        yield from statement.nodes if isinstance(statement, nodes.Output) else [statement]


def _tree(source: str) -> nodes.Template:
    return Parser(_ENVIRONMENT, source).parse()


def _failing_place(source: str) -> int:
    """Where no token can be read, or else where the first tag begins that makes the template unreadable."""
    read = 0
    try:
        for _, _, token in _ENVIRONMENT.lexer.tokeniter(source, None):
            read += len(token)
    except TemplateSyntaxError:
        return read
    starts = [tag.start() for tag in _TAG.finditer(source)]
    ends = [*starts[1:], len(source)]
    return starts[bisect_left(ends, 1, key=lambda end: int(_unreadable(source[:end])))]


def _unreadable(source: str) -> bool:
    try:
        _tree(source)
    except (TemplateSyntaxError, SyntaxError, ValueError, RecursionError):
        return True
    return False


def _begins_a_name(parts: list[Part]) -> bool:
    last = parts[-1] if parts else "/"
    return isinstance(last, str) and last.endswith("/")


def _part(node: nodes.Node, source: str, *, leading: bool) -> Part:
    if isinstance(node, nodes.TemplateData):
        return node.data
    steps: list[Step] = []
    optional = False
    while isinstance(node, nodes.Filter) and node.node is not None:
        steps.insert(0, _step(node, source))
        optional = node.name == "default"
        node = node.node
    if isinstance(node, nodes.Name):
        return Placeholder(node.name, tuple(steps), optional=optional, leading=leading)
    if isinstance(node, nodes.Const):
        constant: JsonValue = node.value
        return Placeholder(str(constant), (lambda _: constant, *steps), optional=True, leading=leading)
    raise _refusal(node)


def _step(node: nodes.Filter, source: str) -> Step:
    known = FILTERS.get(node.name)
    if known is None:
        raise _filter_refusal(node.name, source)
    if node.kwargs or node.dyn_args or node.dyn_kwargs:
        raise TemplateFault("TPL_SYNTAX", f"filters take constants, in order; write {known.usage}")
    for argument in node.args:
        if not isinstance(argument, nodes.Const):
            raise _refusal(argument)
    return known.with_arguments(
        [argument.value for argument in node.args if isinstance(argument, nodes.Const)]
    )


def _refusal(node: nodes.Node) -> TemplateFault:
    kind = type(node).__name__
    code = "TPL_LIMIT" if kind in _UNBOUNDED else "TPL_FORBIDDEN"
    spoken = _SPOKEN.get(kind, f"'{kind.lower()}'")
    return TemplateFault(code, f"holds {spoken}; a template takes names and the filters {', '.join(FILTERS)}")


def _filter_refusal(name: str, source: str) -> TemplateFault:
    if name in _UNBOUNDED_FILTERS:
        code = "TPL_LIMIT"
    else:
        code = "TPL_FORBIDDEN" if name in JINJA_FILTERS else "TPL_SYNTAX"
    filtered = re.search(rf"\|\s*{re.escape(name)}", source)
    where = f"line 1, column {filtered.start() + 1}" if filtered else "line 1"
    return TemplateFault(code, f"there is no filter {quoted(name)} ({where}); have {', '.join(FILTERS)}")
