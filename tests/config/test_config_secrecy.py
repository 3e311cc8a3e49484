"""No secret shows: not in `config show`, not in a refusal, not in what Python prints."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.working_directory import WorkingDirectory
from reportbus.config import ConfigurationRefused

if TYPE_CHECKING:
    from reportbus.config import Settings

CANARY = "CANARY-s3cr3t"

secrets = st.text(
    alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cf", "Zl", "Zp", "Zs")),
    max_size=20,
).map(lambda text: CANARY + text)

ENGINES = """
engines:
  python:
    connections:
      a: {kind: postgresql, url: '${PG}'}
      b: {kind: sqlalchemy, url: 'snowflake://me:${PASSWORD}@account/db?token=${PASSWORD}'}
      c: {kind: adbc, driver: adbc_driver_x, options: {uri: '${URI}', anything: '${PASSWORD}'}}
"""


def printed(settings: Settings) -> str:
    """Everything that any part of the platform could print of the settings."""
    return repr(settings) + "".join(
        f"{option.name} {option.value} {option.where}" for option in settings.effective
    )


@given(secret=secrets)
def test_no_value_of_a_secret_is_shown(secret: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        here = WorkingDirectory(Path(folder))
        here.file("engines.yaml", ENGINES)
        settings = here.load(
            PG=f"postgresql://me:{secret}@db.example.com/wh",
            PASSWORD=secret,
            URI=f"grpc://me:{secret}@db.example.com",
            REPORTBUS_LEDGER__URL=f"postgresql://me:{secret}@db.example.com/ledger?sslpassword={secret}",
            REPORTBUS_SECRET_ACME=f'{{"password": "{secret}"}}',
        )

    assert secret in settings.ledger.url
    assert CANARY not in printed(settings)
    assert "postgresql://me:***@db.example.com/wh" in printed(settings)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("reportbus.yaml", f"ledger: {{url: 'postgresql://me:{CANARY}@db/ledger'}}\n"),
        ("reportbus.yaml", f"ledger: {{url: 'postgres://me:{CANARY}@db/ledger'}}\n"),
        ("reportbus.yaml", f"mail: {{sender: 'smtp://me:{CANARY}@mail'}}\n"),
        ("engines.yaml", f"engines: {{ssrs: {{endpoint: 'https://me:{CANARY}@x/y'}}}}\n"),
        ("engines.yaml", f"engines: {{ssrs: {{endpoint: 'https://x/y', password: '{CANARY}'}}}}\n"),
        ("engines.yaml", f"engines: {{midas: {{endpoint: 'https://x/y', api_key: '{CANARY}'}}}}\n"),
        ("engines.yaml", f"engines: {{midas: {{endpoint: 'https://x/y', api_key_secret: '{CANARY}!'}}}}\n"),
        (
            "engines.yaml",
            f"engines: {{python: {{connections: {{a: {{kind: sqlalchemy, url: 'x://me:{CANARY}@db'}}}}}}}}\n",
        ),
        (
            "engines.yaml",
            (
                "engines: {python: {connections: {a: {kind: adbc, driver: d, "
                f"options: {{uri: 'grpc://me:{CANARY}@db'}}}}}}}}}}\n"
            ),
        ),
        (
            "engines.yaml",
            (
                "engines: {python: {connections: {a: {kind: adbc, driver: d, "
                f"options: {{password: '{CANARY}'}}}}}}}}}}\n"
            ),
        ),
    ],
)
def test_a_secret_that_is_written_out_is_refused_without_showing_it(
    here: WorkingDirectory, file: str, text: str
) -> None:
    here.file(file, text)

    with pytest.raises(ConfigurationRefused) as refused:
        here.load()

    assert CANARY not in str(refused.value)
    assert CANARY not in repr(refused.value)
    assert CANARY not in "".join(map(repr, refused.value.problems))


def test_a_password_beside_a_variable_is_written_out_all_the_same(here: WorkingDirectory) -> None:
    here.file("reportbus.yaml", f"ledger: {{url: 'postgresql://${{USER}}:{CANARY}@db/ledger'}}\n")

    assert here.problems(USER="me") == [
        (
            "SEC_INLINE_SECRET: config/reportbus.yaml:1 (USER): ledger.url: "
            "holds a password; write ${VARIABLE} in its place"
        )
    ]


def test_what_a_variable_put_in_is_not_shown_by_a_refusal(here: WorkingDirectory) -> None:
    here.file("reportbus.yaml", "worker: {threads: '${PASSWORD}'}\nbus: {topic: 'a b ${PASSWORD}'}\n")

    assert here.problems(PASSWORD=CANARY) == [
        (
            "CFG_TYPE: config/reportbus.yaml:1 (PASSWORD): worker.threads: "
            "'${PASSWORD}' is not a whole number; allowed: 1 to 256 threads"
        ),
        (
            "CFG_TYPE: config/reportbus.yaml:2 (PASSWORD): bus.topic: "
            "'a b ${PASSWORD}' is not allowed; takes a topic: letters, digits, dots, _ and -"
        ),
    ]


def test_a_reference_to_a_secret_is_shown_as_one(here: WorkingDirectory) -> None:
    here.file(
        "engines.yaml",
        "engines:\n"
        "  midas: {endpoint: 'https://x/y', api_key_secret: 'secret:midas-api-key'}\n"
        "  python:\n"
        "    connections:\n"
        "      a: {kind: adbc, driver: d, options: {uri: 'grpc://db', password: 'secret:warehouse'}}\n",
    )

    shown = {option.name: option.value for option in here.load().effective}

    assert shown["engines.midas.api_key_secret"] == "midas-api-key"
    assert shown["engines.python.connections.a.options"] == "uri=***, password=secret:warehouse"
