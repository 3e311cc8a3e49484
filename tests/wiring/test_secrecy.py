"""What the line's redactor knows, and since when."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from entry.command_line import CommandLine
from reportbus.core.redact import MASK

if TYPE_CHECKING:
    from pathlib import Path

CANARY = "CANARY-s3cr3t-7f3a"

CONNECTIONS = """
engines:
  python:
    connections:
      warehouse: {kind: postgresql, url: "postgresql://ann:${WAREHOUSE}@db/x"}
      other: {kind: sqlalchemy, url: "postgresql+psycopg://ann:${OTHER}@db/x"}
      driver: {kind: adbc, driver: d, options: {uri: "x://ann:${URI}@db", api_key: "${KEY}", mode: readonly}}
"""


@pytest.fixture
def shell(tmp_path: Path) -> CommandLine:
    """A configuration of its own."""
    return CommandLine(tmp_path)


def test_the_fields_of_a_secret_in_a_variable_are_known_from_the_beginning(shell: CommandLine) -> None:
    shell.variables["REPORTBUS_SECRET_ACME"] = json.dumps({"username": "reports", "password": CANARY})
    shell.variables["REPORTBUS_SECRET_TOKEN"] = "plain-text-token"
    with shell.parts() as parts:
        said = parts.redactor.redact(f"reports: {CANARY}, plain-text-token")
    assert said == f"reports: {MASK}, {MASK}"


def test_a_secret_in_a_file_is_known_from_when_it_is_read(shell: CommandLine) -> None:
    path = shell.home / "secrets/acme.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"password": CANARY}))
    path.chmod(0o600)
    with shell.parts() as parts:
        assert parts.secrets.get("acme")["password"] == CANARY
        assert parts.redactor.redact(f"refused {CANARY}") == f"refused {MASK}"


def test_what_variables_put_into_urls_and_options_is_known(shell: CommandLine) -> None:
    shell.write("engines.yaml", CONNECTIONS)
    given = {"WAREHOUSE": "pass-one", "OTHER": "p%40ss-two", "URI": "pass-three", "KEY": "key-four"}
    shell.variables |= given
    shell.variables["REPORTBUS_LEDGER__URL"] = "postgresql://rb:hunter%3222@127.0.0.1:1/rb"
    with shell.parts() as parts:
        for value in (*given.values(), "p@ss-two", "hunter222", "hunter%3222"):
            assert parts.redactor.redact(f"with {value}!") == f"with {MASK}!"
        assert parts.redactor.redact("ann readonly db") == "ann readonly db"


@pytest.mark.parametrize("words", [("config", "check"), ("doctor",)])
def test_a_command_that_makes_no_parts_masks_secrets_too(shell: CommandLine, words: tuple[str, ...]) -> None:
    shell.variables["REPORTBUS_SECRET_ACME"] = json.dumps({"password": CANARY})
    shell.write("reports/two.yaml", f"name: two\nconnection: {CANARY}\nsql: select 1 as a\n")
    result = shell.run(*words, code=78 if words[0] == "config" else 1)
    assert MASK in result.output
    assert CANARY not in result.output
    assert CANARY not in shell.run(*words, "-o", "json", code=result.exit_code).output


REFERENCES = """
engines:
  python:
    connections:
      local: {kind: duckdb}
      driver: {kind: adbc, driver: adbc_driver_sqlite, options: {uri: "secret:place", mode: readonly}}
"""


@pytest.mark.parametrize("stored", ["{path}", '{{"uri": "{path}", "value": "elsewhere"}}'])
def test_an_option_that_names_a_secret_reaches_the_driver_as_its_value_and_is_masked(
    shell: CommandLine, stored: str
) -> None:
    path = str(shell.folder / f"{CANARY}.db")
    shell.variables["REPORTBUS_SECRET_PLACE"] = stored.format(path=path)
    shell.write("engines.yaml", REFERENCES.replace(", mode: readonly", ""))
    with shell.parts() as parts:
        assert parts.engines["PYTHON"].test().ok
        assert parts.redactor.redact(f"cannot open {path}") == f"cannot open {MASK}"
        assert parts.redactor.redact("see secret:place") == "see secret:place"
    assert (shell.folder / f"{CANARY}.db").exists(), "the driver has made it"


@pytest.mark.parametrize("words", [("config", "check"), ("doctor",)])
def test_a_secret_that_a_connection_names_and_nobody_has_is_a_problem(
    shell: CommandLine, words: tuple[str, ...]
) -> None:
    shell.write("engines.yaml", REFERENCES)
    result = shell.run(*words, code=78 if words[0] == "config" else 1)
    assert "SEC_SECRET_NOT_FOUND" in result.output
    assert "driver" in result.output
    if words[0] == "config":
        assert "engines.yaml:6: engines.python.connections.driver.options" in result.output


def test_a_reference_that_is_no_name_of_a_secret_is_refused_unseen(shell: CommandLine) -> None:
    shell.write("engines.yaml", REFERENCES.replace("secret:place", f"secret:{CANARY}!"))
    output = shell.run("config", "check", code=78).output
    assert "SEC_INLINE_SECRET" in output
    assert CANARY not in output
