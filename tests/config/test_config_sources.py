"""Where values come from, which one wins, and how `config show` tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reportbus.config.connections import DuckDbConnection
from reportbus.config.destinations import EmailSettings, NasSettings
from reportbus.config.engines import PowerBiSettings, PythonSettings

if TYPE_CHECKING:
    from config.working_directory import WorkingDirectory
    from reportbus.config import Settings


def where(settings: Settings, name: str) -> tuple[str, str]:
    """The value and the place of an option, as `config show` prints them."""
    found = next(option for option in settings.effective if option.name == name)
    return found.value, str(found.where)


def test_with_nothing_configured_everything_is_embedded(here: WorkingDirectory) -> None:
    settings = here.load()
    home = here.folder / "reportbus-data"

    assert settings.home == home
    assert settings.worktable.path == home / "worktable.db"
    assert settings.bus.path == home / "bus.db"
    assert settings.ledger.url == f"sqlite:///{home}/ledger.db"
    assert settings.staging.root == home / "staging"
    assert set(settings.engines) == {"PYTHON"}
    assert set(settings.channels) == {"EMAIL", "LOG"}
    delivered, mail = settings.destinations["delivered"], settings.destinations["mail"]
    assert isinstance(delivered, NasSettings)
    assert delivered.root == home / "delivered"
    assert isinstance(mail, EmailSettings)
    assert mail.maildir == home / "mail"
    assert where(settings, "ledger.url") == (f"sqlite:///{home}/ledger.db", "default")


def test_the_default_retry_policy_is_the_specifications(here: WorkingDirectory) -> None:
    retry = here.load().retry

    assert (retry.max_retries, retry.backoff_base, retry.max_backoff) == (3, 2, 300)
    assert retry.retryable_errors == (
        "ConnectionTimeout",
        "ServiceUnavailable",
        "ThrottlingException",
        "TemporaryFailure",
    )


def test_a_variable_beats_dotenv_beats_a_file_beats_the_default(here: WorkingDirectory) -> None:
    assert where(here.load(), "poll.batch") == ("500", "default")

    here.file("reportbus.yaml", "poll:\n  batch: 1\n")
    assert where(here.load(), "poll.batch") == ("1", "config/reportbus.yaml:2")

    here.file(".env", "# more\nREPORTBUS_POLL__BATCH=2\n")
    assert where(here.load(), "poll.batch") == ("2", ".env:2")

    settings = here.load(REPORTBUS_POLL__BATCH="3")
    assert where(settings, "poll.batch") == ("3", "environment REPORTBUS_POLL__BATCH")
    assert settings.poll.batch == 3


def test_the_specifications_variables_have_their_places(here: WorkingDirectory) -> None:
    settings = here.load(
        SNOWFLAKE_ACCOUNT="your_account",
        SNOWFLAKE_USER="service_user",
        SNOWFLAKE_WAREHOUSE="REPORTING_WH",
        SNOWFLAKE_DATABASE="REPORTING_DB",
        SNOWFLAKE_SCHEMA="PUBLIC",
        AWS_REGION="us-east-1",
        STAGING_BUCKET="report-staging-bucket",
        TARGET_BUCKET="report-archive-bucket",
        KAFKA_BOOTSTRAP_SERVERS="kafka:9092, kafka2:9092",
        KAFKA_TOPIC="requests",
        SMTP_HOST="email-smtp.us-east-1.amazonaws.com",
        SMTP_PORT="2525",
        NOTIFICATION_EMAIL="reports@company.com",
    )

    assert settings.snowflake.account == "your_account"
    assert settings.snowflake.schema == "PUBLIC"
    assert (settings.aws.region, settings.aws.target_bucket) == ("us-east-1", "report-archive-bucket")
    assert settings.kafka.bootstrap_servers == ("kafka:9092", "kafka2:9092")
    assert settings.bus.topic == "requests"
    assert (settings.mail.host, settings.mail.port) == ("email-smtp.us-east-1.amazonaws.com", 2525)
    assert settings.mail.sender == "reports@company.com"


def test_what_is_set_without_an_effect_is_said(here: WorkingDirectory) -> None:
    settings = here.load(KAFKA_BOOTSTRAP_SERVERS="kafka:9092", SMTP_HOST="mail.example.com")

    bus = here.folder / "reportbus-data" / "bus.db"
    assert settings.hints == (
        f"kafka is set, but has no adapter yet: the bus is {bus}",
        "mail.host is set, but SMTP has no adapter yet: mails are put into a Maildir",
    )


def test_two_names_of_one_option_have_to_agree(here: WorkingDirectory) -> None:
    assert here.load(KAFKA_TOPIC="a", REPORTBUS_BUS__TOPIC="a").bus.topic == "a"
    assert here.problems(KAFKA_TOPIC="a", REPORTBUS_BUS__TOPIC="b") == [
        (
            "CFG_INCONSISTENT: environment REPORTBUS_BUS__TOPIC: bus.topic: "
            "REPORTBUS_BUS__TOPIC and KAFKA_TOPIC say different things; set one of them"
        )
    ]


def test_home_and_config_can_be_anywhere(here: WorkingDirectory) -> None:
    here.file(".env", "REPORTBUS_HOME=data/here\n")
    here.file("reportbus.yaml", "poll: {batch: 7}\n").parent.rename(here.folder / "etc")

    settings = here.load(REPORTBUS_CONFIG=str(here.folder / "etc"))

    assert settings.home == here.folder / "data" / "here"
    assert settings.poll.batch == 7
    assert where(settings, "home") == (str(here.folder / "data" / "here"), ".env:1")


def test_a_config_folder_that_was_asked_for_has_to_be_there(here: WorkingDirectory) -> None:
    assert here.problems(REPORTBUS_CONFIG="etc") == [
        (
            f"CFG_FILE: environment REPORTBUS_CONFIG: REPORTBUS_CONFIG: '{here.folder}/etc' "
            "is no folder that can be read"
        )
    ]


def test_an_entry_of_a_file_can_be_set_by_a_variable(here: WorkingDirectory) -> None:
    here.file("destinations.yaml", "destinations:\n  acme-eu:\n    type: NAS\n    root: /srv/acme\n")

    settings = here.load(
        REPORTBUS_DESTINATIONS__ACME_EU__TIMEOUT_SECONDS="5",
        REPORTBUS_ENGINES__PYTHON__CONNECTIONS__LOCAL__THREADS="3",
    )

    assert settings.destinations["acme-eu"].timeout_seconds == 5
    python = settings.engines["PYTHON"]
    assert isinstance(python, PythonSettings)
    local = python.connections["local"]
    assert isinstance(local, DuckDbConnection)
    assert local.threads == 3


@pytest.mark.parametrize(
    ("variable", "hint"),
    [
        ("REPORTBUS_WORKR__THREADS", "; did you mean 'REPORTBUS_WORKER__THREADS'?"),
        ("REPORTBUS_LEDGER_URL", "; did you mean 'REPORTBUS_LEDGER__URL'?"),
        ("REPORTBUS_ENGINES__SSRS__ENABLED", "; did you mean 'REPORTBUS_ENGINES__PYTHON__ENABLED'?"),
        ("REPORTBUS_NOTIFY", ""),
    ],
)
def test_a_variable_that_sets_nothing_is_refused(here: WorkingDirectory, variable: str, hint: str) -> None:
    (found,) = here.problems(**{variable: "1"})

    assert found.startswith(f"CFG_UNKNOWN_FIELD: environment {variable}: no option is set by {variable}")
    assert found.endswith(hint)


def test_variables_of_others_are_left_alone(here: WorkingDirectory) -> None:
    settings = here.load(PATH="/bin", REPORTBUS_TEST_STRICT="1", REPORTBUS_SECRET_ACME='{"password": "x"}')

    assert settings.secrets_given == {"REPORTBUS_SECRET_ACME": '{"password": "x"}'}


def test_variables_are_put_into_values(here: WorkingDirectory) -> None:
    here.file(".env", "CLIENT=from-dotenv\n")
    here.file(
        "engines.yaml",
        "engines:\n"
        "  powerbi:\n"
        "    tenant_id: ${TENANT}\n"
        "    client_id: app-${CLIENT}-1\n"
        "    workspace_id: 'costs $${TENANT}'\n"
        "    timeout_seconds: ${SECONDS}\n",
    )

    settings = here.load(TENANT="NO", SECONDS="45")

    engine = settings.engines["POWERBI"]
    assert isinstance(engine, PowerBiSettings)
    assert (engine.tenant_id, engine.client_id, engine.workspace_id) == (
        "NO",
        "app-from-dotenv-1",
        "costs ${TENANT}",
    )
    assert engine.timeout_seconds == 45
    assert where(settings, "engines.powerbi.tenant_id") == ("NO", "config/engines.yaml:3 (TENANT)")


def test_every_variable_that_is_not_set_is_named_with_its_line(here: WorkingDirectory) -> None:
    here.file(
        "destinations.yaml",
        "destinations:\n"
        "  a: {type: NAS, root: '${ROOT}'}\n"
        "  b: {type: NAS, root: '/srv/${EMPTY}'}\n"
        "  c: {type: NAS, root: '/srv/${not closed'}\n",
    )

    assert here.problems(EMPTY="") == [
        (
            "CFG_UNSET_VARIABLE: config/destinations.yaml:2: destinations.a.root: "
            "${ROOT} is not set; set it in the environment or in .env"
        ),
        (
            "CFG_UNSET_VARIABLE: config/destinations.yaml:3: destinations.b.root: "
            "${EMPTY} is set but empty; set it in the environment or in .env"
        ),
        (
            "CFG_UNSET_VARIABLE: config/destinations.yaml:4: destinations.c.root: "
            "'${not closed' is no variable; takes ${NAME}, and $${ for the characters themselves"
        ),
    ]


def test_a_relative_path_is_below_the_home(here: WorkingDirectory) -> None:
    (here.folder / "reports").mkdir()

    settings = here.load(
        REPORTBUS_STAGING__ROOT="../staging",
        REPORTBUS_LEDGER__URL="sqlite:///db/ledger.db",
        REPORTBUS_ENGINES__PYTHON__REPORTS="../reports",
        REPORTBUS_ENGINES__PYTHON__CONNECTIONS__LOCAL__PATH="flights.duckdb",
    )

    home = here.folder / "reportbus-data"
    assert settings.staging.root == here.folder / "staging"
    assert settings.ledger.url == f"sqlite:///{home}/db/ledger.db"
    python = settings.engines["PYTHON"]
    assert isinstance(python, PythonSettings)
    assert python.reports == here.folder / "reports"
    local = python.connections["local"]
    assert isinstance(local, DuckDbConnection)
    assert local.path == f"{home}/flights.duckdb"


def test_the_home_stands_for_its_whole_path_however_it_was_named(here: WorkingDirectory) -> None:
    settings = here.load(REPORTBUS_HOME="data/../mine", REPORTBUS_STAGING__ROOT="${REPORTBUS_HOME}/staged")

    home = here.folder / "mine"
    assert settings.home == home
    assert settings.worktable.path == home / "worktable.db"
    assert settings.ledger.url == f"sqlite:///{home}/ledger.db"
    assert settings.staging.root == home / "staged"


def test_dotenv_takes_quotes_comments_and_export(here: WorkingDirectory) -> None:
    here.file(
        ".env",
        "# the usual\n"
        "\n"
        "export KAFKA_TOPIC=x\n"
        "SNOWFLAKE_ACCOUNT='a # b'\n"
        'SNOWFLAKE_USER="say \\"hi\\""\n'
        "SNOWFLAKE_WAREHOUSE=a b   # why\n"
        "SNOWFLAKE_DATABASE=x#y\n"
        "SNOWFLAKE_SCHEMA=$HOME\r\n",
    )

    settings = here.load()

    assert settings.bus.topic == "x"
    assert settings.snowflake.account == "a # b"
    assert settings.snowflake.user == 'say "hi"'
    assert settings.snowflake.warehouse == "a b"
    assert settings.snowflake.database == "x#y"
    assert settings.snowflake.schema == "$HOME"


def test_every_bad_line_of_dotenv_is_named(here: WorkingDirectory) -> None:
    here.file(".env", "KAFKA_TOPIC=a\nhello\n1A=b\nX='open\nKAFKA_TOPIC=b\nY=a 'b\n")

    assert here.problems() == [
        "CFG_ENV_FILE: .env:2: the line is not NAME=value, with quotes closed",
        "CFG_ENV_FILE: .env:3: the line is not NAME=value, with quotes closed",
        "CFG_ENV_FILE: .env:4: the line is not NAME=value, with quotes closed",
        "CFG_DUPLICATE_KEY: .env:5: 'KAFKA_TOPIC' is set twice, on lines 1 and 5",
    ]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\xff\xfeA\x00", "CFG_ENV_FILE: .env:1: is UTF-16; save it as UTF-8"),
        (b"A=1\nB=\xe4\n", "CFG_ENV_FILE: .env:2: is not UTF-8"),
        (b"A=" + b"x" * 1_100_000, "CFG_LIMIT: .env: has 1100002 bytes; at most 1048576 are allowed"),
    ],
)
def test_a_dotenv_that_is_no_text_is_refused(here: WorkingDirectory, data: bytes, expected: str) -> None:
    here.file(".env", data)

    assert here.problems() == [expected]


def test_report_definitions_are_read_as_they_stand(here: WorkingDirectory) -> None:
    here.file("reports/b.yaml", "name: b\nlimit: 3\nsql: SELECT ${x}\n")
    here.file("reports/a.yml", "name: a\n")
    here.file("reports/notes.txt", "not yaml: [")

    found = here.load().reports["PYTHON"]

    assert [(file.where, file.values) for file in found] == [
        ("config/reports/a.yml", {"name": "a"}),
        ("config/reports/b.yaml", {"name": "b", "limit": 3, "sql": "SELECT ${x}"}),
    ]
    assert found[1].lines["limit"] == 2


def test_bad_report_definitions_are_told_with_everything_else(here: WorkingDirectory) -> None:
    here.file("reports/a.yaml", "name: a\nname: b\n")
    here.file("reports/b.yaml", "")
    here.file("reportbus.yaml", "poll: {batch: 0}\n")

    assert here.problems() == [
        "CFG_RANGE: config/reportbus.yaml:1: poll.batch: '0' is out of range; allowed: 1 to 10000 rows",
        "CFG_DUPLICATE_KEY: config/reports/a.yaml:2: 'name' stands twice in one place, on lines 1 and 2",
        "CFG_YAML: config/reports/b.yaml:1: is empty; write a setting, or remove the file",
    ]


def test_the_reports_of_an_engine_that_is_off_are_not_read(here: WorkingDirectory) -> None:
    here.file("reports/a.yaml", "")

    assert here.load(REPORTBUS_ENGINES__PYTHON__ENABLED="false").reports == {}
