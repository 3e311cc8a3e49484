"""What is told of faults comes through the redactor unchanged, and what leaks does not, whatever it is in."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportbus.core.codes import CODES
from reportbus.core.redact import MASK, Redactor

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
NAMED = "'reset-token'"


def written(folder: Path) -> Iterator[str]:
    """Every text in the folder's code that has words in it, with a name where something is put in."""
    for path in sorted(folder.rglob("*.py")):
        if path.name != "redact.py":
            for node in ast.walk(ast.parse(path.read_text())):
                match node:
                    case ast.JoinedStr():
                        yield "".join(map(filled, node.values))
                    case ast.Constant(value=str(text)):
                        yield text


def filled(part: ast.expr) -> str:
    match part:
        case ast.Constant():
            return str(part.value)
        case ast.FormattedValue():
            quoted = part.conversion == ord("r") or ast.unparse(part.value).startswith("quoted(")
            return NAMED if quoted else "acme"
        case _:
            raise AssertionError(part)


def changed(texts: Iterator[str]) -> list[str]:
    redactor = Redactor()
    return [text for text in texts if redactor.redact(text) != text]


def test_no_text_of_ours_looks_like_a_secret() -> None:
    assert changed(text for text in written(ROOT / "src") if " " in text) == []


def test_no_problem_that_a_test_expects_looks_like_a_secret() -> None:
    told = (text for text in written(ROOT / "tests") if text.partition(":")[0] in CODES and MASK not in text)

    assert changed(told) == []


@given(
    st.sampled_from(["report", "connection", "engine", "secret", "no such destination as"]),
    st.from_regex(r"[a-z]{0,12}[-_]?(secret|token|password|api_key)", fullmatch=True),
    st.sampled_from(sorted(text for info in CODES.values() for text in (info.meaning, info.remedy))),
)
def test_what_is_said_of_a_named_thing_stays_whatever_its_name_is(what: str, name: str, text: str) -> None:
    told = f"CFG_CHOICE: {what} {name!r}: {text}"

    assert Redactor().redact(told) == told


@pytest.mark.parametrize(
    "text",
    [
        "SYS_FILE: /etc/passwd: File exists",
        "CFG_TYPE: config/reports/b.yaml:3: parameters.password: has to be text; write it in quotes",
        "report 'reset-token': failed",
        "report 'reset-token': $region is no declared parameter",
        "no secret 'acme-password': 3 are there",
    ],
)
def test_a_path_or_a_name_before_a_sentence_is_no_assignment(text: str) -> None:
    assert Redactor().redact(text) == text


SECRETS = st.from_regex(r"[A-Za-z]{3,8}[0-9][A-Za-z0-9]{4,20}", fullmatch=True)


@pytest.mark.parametrize(
    "leak",
    [
        "password={}",
        "password: {}",
        "pwd: {}",
        "smtp.password: {}",
        "conf/smtp.passwd: {} next",
        "header 'X-Auth-Token': {}",
        "header 'X-Auth-Token': '{}'",
        'got {{"token": "{}", "a": 1}}',
        'got {{"token": {}}}',
        "got {{'a': 1, 'client_secret': '{}'}}",
        '{{\\"token\\": \\"{}\\"}}',
        "'token'={}",
        '"token": {}',
        'mail:\n  "password": {}\n',
        "mail:\n  - token: {}\n",
        "engine:\n  client_secret: '{}'  # of the application\n",
        "refresh_token: {}",
        "Authorization: Bearer {}",
        "X-API-Key: {}",
        "postgresql://ann:{}@db/x",
        "?sig={}&x=1",
    ],
)
@given(SECRETS)
def test_a_secret_is_masked_wherever_it_is_assigned(leak: str, secret: str) -> None:
    assert secret not in Redactor().redact(f"the server said:\n{leak.format(secret)}")


@pytest.mark.parametrize("leak", ["{{'token': {}}}", "password: {}", "password: {} x", "token: {}", "pwd={}"])
def test_a_secret_of_letters_alone_is_masked_where_a_key_stands(leak: str) -> None:
    assert "swordfish" not in Redactor().redact(leak.format("swordfish"))
