"""A target that was asked for, checked and brought to the place it means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reportbus.core.errors import Problem
from reportbus.core.inline_secrets import holds_login
from reportbus.core.intake.asked import LOGIN
from reportbus.core.intake.rules import VARIANTS
from reportbus.core.intake.words import Problems, did_you_mean, shown
from reportbus.core.mail import MAX_RECIPIENTS, check_subject, parse_recipients
from reportbus.core.model import Mail, Target, TargetType
from reportbus.core.paths import MAX_PATH, check_path
from reportbus.core.text import have, quoted

if TYPE_CHECKING:
    from reportbus.core.intake.asked import Asked
    from reportbus.core.intake.naming import Naming
    from reportbus.core.intake.rules import IntakeRules
    from reportbus.core.model import JsonValue

DEFAULT_SUBJECT: Final = "{{ report }}"

MAX_TEXT: Final = 10_000
"""Characters of a mail's text."""

MAX_OBJECT_KEY: Final = 1_024
"""Bytes of the name of an object in a bucket, folders included."""

_MOST_READ: Final = 1_000  # recipients beyond which nobody looks which of them are the same
_WORD: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HOST: Final = re.compile(r"((?:[A-Za-z0-9_-]{1,63}\.){0,9}[A-Za-z0-9_-]{1,63})\.?(?:[:/?#].*)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Context:
    """What a target is read against. `file_name` is the request's own, with its folders, or empty."""

    rules: IntakeRules
    naming: Naming
    file_name: str


def place(asked: Asked, context: Context, problems: Problems) -> Target | None:
    """The target, not numbered yet; None where it is no good."""
    wrong = Problems()
    destination = _destination(asked, context.rules, wrong)
    name = context.file_name
    if asked.fields.get("file_name") is not None:
        name = context.naming.file_name(asked.fields["file_name"], asked.field("file_name"), wrong)
    folders, _, file_name = name.rpartition("/")
    if asked.type is TargetType.EMAIL:
        path, mail = "", _mail(asked, context, wrong)
    else:
        path, mail = _path(asked, folders, file_name, wrong), None
    if wrong:
        problems += wrong
        return None
    return Target(0, context.rules.destinations[destination].type, destination, path, file_name, mail)


def _destination(asked: Asked, rules: IntakeRules, problems: Problems) -> str:
    """The name of the configured destination; empty where there is none, or not for this target."""
    field = asked.field("destination")
    raw = asked.fields.get("destination")
    name = rules.defaults[asked.type] if raw is None else raw
    if raw is None and not name:
        problems.append(_no_default(asked, rules))
        return ""
    rule = rules.destinations.get(name) if isinstance(name, str) else None
    if rule is None or not isinstance(name, str):
        problems.append(_no_destination(name, asked, rules))
        return ""
    if rule.type not in _variants(asked.type):
        problems.add(
            "CFG_DESTINATION", f"the destination {name!r} takes {rule.type}, not {asked.type}", field
        )
        return ""
    secret = asked.fields.get("credentials_secret")
    if secret not in (None, "", rule.secret):
        fault = f"names other credentials than the destination {name!r} uses; leave it empty"
        problems.add("SEC_SECRET_FORBIDDEN", fault, asked.field("credentials_secret"))
    return name


def _variants(type_: TargetType) -> tuple[TargetType, ...]:
    return VARIANTS.get(type_, (type_,))


def _fitting(type_: TargetType, rules: IntakeRules) -> tuple[str, ...]:
    """The destinations that targets of the type may name."""
    return tuple(name for name, rule in rules.destinations.items() if rule.type in _variants(type_))


def _no_default(asked: Asked, rules: IntakeRules) -> Problem:
    """What is wrong with naming no destination: there are several to choose from, or none."""
    fitting = _fitting(asked.type, rules)
    if fitting:
        fault = f"no destination is named, and none is the default of {asked.type}; name one: {have(fitting)}"
        return Problem("CFG_DESTINATION", fault, asked.field("destination"))
    types = {str(rule.type) for rule in rules.destinations.values()}
    return Problem(
        "CFG_DESTINATION", f"no destination takes {asked.type}; {have(types)}", asked.field("type")
    )


def _no_destination(name: JsonValue, asked: Asked, rules: IntakeRules) -> Problem:
    """A slip of the pen, or an address: hosts come from the configuration and from nowhere else."""
    field = asked.field("destination")
    fitting = _fitting(asked.type, rules)
    if not isinstance(name, str):
        fault = f"there is no destination {shown(name)}"
    elif not name:
        fault = "the destination's name is empty"
    elif name in rules.switched_off:
        fault = f"the destination {name!r} is switched off"
    elif _WORD.fullmatch(name):
        fault = f"there is no destination {quoted(name)}{did_you_mean(name, fitting)}"
    elif holds_login(name):
        return Problem("SEC_INLINE_SECRET", LOGIN, field)
    else:
        return Problem("SEC_TARGET_FORBIDDEN", _no_address(name, rules), field)
    there = have(fitting) if fitting else f"none takes {asked.type}"
    return Problem("CFG_DESTINATION", f"{fault}; {there}", field)


def _no_address(name: str, rules: IntakeRules) -> str:
    """Names the host alone: what else stands in an address may be a secret."""
    host = _HOST.fullmatch(name.rpartition("@")[2])
    if host is None:
        fault = "is no configured destination"
    elif host[1] in rules.destinations:
        fault = f"says more than the name of the destination {host[1]!r}"
    else:
        fault = f"{quoted(host[1])} is no configured destination"
    return f"{fault}; users, hosts and ports cannot be asked for"


def _path(asked: Asked, folders: str, file_name: str, problems: Problems) -> str:
    """The folder below the destination's root: the one asked for, and in it the file name's own."""
    field = asked.field("path")
    raw = asked.fields.get("path")
    path: str | None = ""
    if isinstance(raw, str) and holds_login(raw):
        problems.add("SEC_INLINE_SECRET", LOGIN, field)
    elif raw is not None:
        path, wrong = check_path(raw, field=field)
        problems += wrong
    whole = f"{path}/{folders}" if path and folders else path or folders
    if len(whole) > MAX_PATH:
        fault = f"has {len(whole)} characters with the file name's folders; at most {MAX_PATH} are allowed"
        problems.add("CFG_PATH_TOO_LONG", fault, field)
    if asked.type is TargetType.S3 and len(f"{whole}/{file_name}".encode()) > MAX_OBJECT_KEY:
        fault = f"takes more than {MAX_OBJECT_KEY:,} bytes with the file name, too many for an object's name"
        problems.add("CFG_KEY", fault, field)
    return whole


def _mail(asked: Asked, context: Context, problems: Problems) -> Mail:
    fields, rules = asked.fields, context.rules
    to = add_addresses(fields.get("to"), asked.field("to"), rules, problems)
    cc = add_addresses(fields.get("cc"), asked.field("cc"), rules, problems, to)
    bcc = add_addresses(fields.get("bcc"), asked.field("bcc"), rules, problems, (*to, *cc))
    subject = _subject(asked, context.naming, problems)
    return Mail(to, subject, _text(asked, context.naming, problems), cc, bcc)


def add_addresses(
    raw: JsonValue, field: str, rules: IntakeRules, problems: Problems, already: tuple[str, ...] | None = None
) -> tuple[str, ...]:
    """The recipients in `raw`, an address or a list of them, without those of `already`.

    At least one is needed where no `already` is given.
    """
    if raw is None and already is not None:
        return ()
    items = [raw] if isinstance(raw, str) else raw
    if not isinstance(items, list):
        fault = "is missing" if raw is None else f"must be an address or a list of them, not {shown(raw)}"
        problems.add("VAL_EMAIL", fault, field)
        return ()
    if len(items) > _MOST_READ:
        fault = f"has {len(items)} recipients; a message takes at most {MAX_RECIPIENTS}"
        problems.add("VAL_TOO_MANY_RECIPIENTS", fault, field)
        return ()
    if not items:
        if already is None:
            problems.add("VAL_EMAIL", "is empty; at least one address is needed", field)
        return ()
    addresses, wrong = parse_recipients(
        items, field=field, allowed_domains=rules.mail_domains, already=already or ()
    )
    problems += wrong
    return addresses


def _subject(asked: Asked, naming: Naming, problems: Problems) -> str:
    """The subject: no line break in the template, and not too long once it is filled in."""
    field = asked.field("subject")
    raw = asked.fields.get("subject")
    source = DEFAULT_SUBJECT if raw is None else raw
    checked = check_subject(source, field=field)
    if isinstance(checked, str) and isinstance(source, str):
        checked = check_subject(naming.line(source, field, problems), field=field)
    if isinstance(checked, Problem):
        problems.append(checked)
        return ""
    return checked


def _text(asked: Asked, naming: Naming, problems: Problems) -> str:
    field = asked.field("body")
    raw = asked.fields.get("body")
    if raw is None:
        return ""
    if not isinstance(raw, str):
        problems.add("CFG_TYPE", f"must be text, not {shown(raw)}", field)
        return ""
    if len(raw) > MAX_TEXT:
        problems.add("TPL_LIMIT", f"has {len(raw)} characters; a mail's text has at most {MAX_TEXT:,}", field)
        return ""
    return "\n".join([naming.line(line, field, problems) for line in raw.splitlines()])
