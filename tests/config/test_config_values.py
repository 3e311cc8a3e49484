"""Values that an option cannot have: each gets its code and a sentence that says what is allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reportbus.config.engines import SsrsSettings
from reportbus.core.text import quoted

if TYPE_CHECKING:
    from config.working_directory import WorkingDirectory

SECONDS = "allowed: 1 to 86400 seconds"
HOSTS_THAT_CANNOT_BE = (
    *("", "a b", "a..b", "-a", "a.", "ⓔxample.com", "999.1.1.1", "1.2.3", "[::1"),
    *("a:0", "a:99999", "a:x"),
)


def engine(option: str) -> str:
    return f"engines:\n  ssrs:\n    endpoint: https://ssrs.example.com/ReportServer\n    {option}\n"


@pytest.mark.parametrize(
    ("written", "code", "text"),
    [
        ("timeout_seconds: 0", "CFG_RANGE", f"'0' is out of range; {SECONDS}"),
        ("timeout_seconds: -1", "CFG_RANGE", f"'-1' is out of range; {SECONDS}"),
        ("timeout_seconds: 1e9", "CFG_RANGE", f"'1e9' is out of range; {SECONDS}"),
        ("timeout_seconds: 1e999", "CFG_RANGE", f"'1e999' is out of range; {SECONDS}"),
        (
            'timeout_seconds: "300"',
            "CFG_RANGE",
            "'300' is text; takes a number without quotes, 1 to 86400 seconds",
        ),
        ("timeout_seconds: .inf", "CFG_TYPE", f"'.inf' is not a number; {SECONDS}"),
        ("timeout_seconds: .nan", "CFG_TYPE", f"'.nan' is not a number; {SECONDS}"),
        ("timeout_seconds: 0777", "CFG_TYPE", f"'0777' is not a number; {SECONDS}"),
        ("timeout_seconds: 22:30", "CFG_TYPE", f"'22:30' is not a number; {SECONDS}"),
        ("timeout_seconds: 1_000", "CFG_TYPE", f"'1_000' is not a number; {SECONDS}"),
        ("timeout_seconds: ٣", "CFG_TYPE", f"'٣' is not a number; {SECONDS}"),
        ("timeout_seconds: on", "CFG_TYPE", f"'on' is not a number; {SECONDS}"),
        ("timeout_seconds:", "CFG_MISSING", "is empty; write a value"),
        ("timeout_seconds: [300]", "CFG_TYPE", "is a list; takes a number, 1 to 86400 seconds"),
        ("retry_count: -1", "CFG_RANGE", "'-1' is out of range; allowed: 0 to 20 retries"),
        ("retry_count: 1000", "CFG_RANGE", "'1000' is out of range; allowed: 0 to 20 retries"),
        ("retry_count: 2.5", "CFG_TYPE", "'2.5' is not a whole number; allowed: 0 to 20 retries"),
        (
            f"retry_count: {'9' * 5000}",
            "CFG_RANGE",
            f"{quoted('9' * 5000)} is out of range; allowed: 0 to 20 retries",
        ),
        ("enabled: 'false'", "CFG_TYPE", "'false' is no switch; write true or false without quotes"),
        ("enabled: 0", "CFG_TYPE", "'0' is no switch; write true or false"),
        ("auth_type: kerberos", "CFG_CHOICE", "'kerberos' is not known; takes one of ntlm, basic"),
        (
            "credentials_secret: hunter 2",
            "SEC_INLINE_SECRET",
            "is no name of a secret (letters, digits, / _ + = . @ -); never write the secret itself",
        ),
    ],
)
def test_an_option_refuses_what_it_cannot_be(
    here: WorkingDirectory, written: str, code: str, text: str
) -> None:
    here.file("engines.yaml", engine(written))

    option = f"engines.ssrs.{written.partition(':')[0]}"
    assert here.problems() == [f"{code}: config/engines.yaml:4: {option}: {text}"]


@pytest.mark.parametrize("option", ["temporary_prefix", "temporary_suffix"])
def test_temporary_names_lead_into_no_other_folder(here: WorkingDirectory, option: str) -> None:
    here.file(
        "destinations.yaml", f"destinations:\n  nas:\n    type: NAS\n    root: in\n    {option}: ../x-\n"
    )

    (problem,) = here.problems()
    assert problem.startswith(
        f"CFG_PATH: config/destinations.yaml:5: destinations.nas.{option}: '../x-' is not allowed"
    )


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (
            "timeout: 300",
            (
                "CFG_UNKNOWN_FIELD: config/engines.yaml:4: engines.ssrs: "
                "'timeout' is not known; did you mean 'timeout_seconds'?"
            ),
        ),
        (
            "password: hunter2",
            (
                "SEC_INLINE_SECRET: config/engines.yaml:4: engines.ssrs: "
                "'password' is not written here; name the secret instead; have credentials_secret"
            ),
        ),
    ],
)
def test_a_name_that_nobody_reads_is_refused(here: WorkingDirectory, written: str, expected: str) -> None:
    here.file("engines.yaml", engine(written))

    assert here.problems() == [expected]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("NO", "NO is read as false"),
        ("on", "on is read as true"),
        ("0777", "0777 is read as the number 511"),
        ("22:30", "22:30 is read as the number 1350"),
        ("1.10", "1.10 is read as the number 1.1"),
        ("1e3", "1e3 is read as a number by some"),
        ("2026-11-01", "2026-11-01 is read as a date"),
        ("300", "300 is read as the number 300"),
    ],
)
def test_text_that_is_read_as_something_else_has_to_be_quoted(
    here: WorkingDirectory, written: str, meant: str
) -> None:
    here.file("reportbus.yaml", f"bus: {{topic: {written}}}\n")

    assert here.problems() == [
        f'CFG_TYPE: config/reportbus.yaml:1: bus.topic: {meant}; quote it: "{written}"'
    ]


@pytest.mark.parametrize(
    ("written", "read"),
    [("NO", "false"), ("0777", "the number 511"), ("1.10", "the number 1.1"), ("2026-11-01", "a date")],
)
def test_a_name_that_yaml_takes_for_something_else_needs_quotes(
    here: WorkingDirectory, written: str, read: str
) -> None:
    fault = f'{written} is read as {read}; quote it: "{written}"'
    here.file("destinations.yaml", f"destinations:\n  {written}: {{type: EMAIL}}\n")
    here.file(
        "engines.yaml",
        f"engines:\n  python: {{connections: {{local: {{kind: duckdb, views: {{{written}: a.csv}}}}}}}}\n",
    )
    here.file("reports/a.yaml", f"columns:\n  {written}: {{width: 3}}\n")

    assert here.problems() == [
        f"CFG_TYPE: config/engines.yaml:2: engines.python.connections.local.views: {fault}",
        f"CFG_TYPE: config/destinations.yaml:2: destinations: {fault}",
        f"CFG_TYPE: config/reports/a.yaml:2: columns: {fault}",
    ]


def test_a_quoted_name_is_a_name(here: WorkingDirectory) -> None:
    here.file("destinations.yaml", 'destinations:\n  "0777": {type: EMAIL}\n')

    assert list(here.load().destinations) == ["0777"]


@pytest.mark.parametrize("written", ["22", "'22'", '"22"'])
def test_a_port_is_good_with_quotes_and_without(here: WorkingDirectory, written: str) -> None:
    here.file("reportbus.yaml", f"mail: {{host: mail.example.com, port: {written}}}\n")

    assert here.load().mail.port == 22


@pytest.mark.parametrize("written", ["22.0", "'22; ls'", "0", "65536", "'022'"])
def test_what_is_no_port_is_refused(here: WorkingDirectory, written: str) -> None:
    here.file("reportbus.yaml", f"mail: {{host: mail.example.com, port: {written}}}\n")

    shown = written.strip("'")
    assert here.problems() == [
        f"CFG_PORT: config/reportbus.yaml:1: mail.port: '{shown}' is no port; takes 1 to 65535"
    ]


@pytest.mark.parametrize("written", ["1.10", "22-30", "0777"])
def test_quoted_it_is_text(here: WorkingDirectory, written: str) -> None:
    here.file("reportbus.yaml", f'bus: {{topic: "{written}"}}\n')

    assert here.load().bus.topic == written


@pytest.mark.parametrize(("written", "meant"), [("on", "true"), ("No", "false"), ("OFF", "false")])
def test_a_switch_takes_no_word_that_is_text_to_some_readers(
    here: WorkingDirectory, written: str, meant: str
) -> None:
    here.file("reportbus.yaml", f"wakeups: {written}\n")

    assert here.problems() == [
        (
            f"CFG_TYPE: config/reportbus.yaml:1: wakeups: {written} is {meant} to some readers and text "
            f"to others; write {meant}"
        )
    ]


@pytest.mark.parametrize(("written", "expected"), [("true", True), ("True", True), ("FALSE", False)])
def test_a_switch_is_true_or_false_in_any_case(
    here: WorkingDirectory, written: str, *, expected: bool
) -> None:
    here.file("reportbus.yaml", f"wakeups: {written}\n")

    assert here.load().wakeups is expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (
            "backoff_base: 0",
            "CFG_RANGE: retry.backoff_base: '0' is out of range; allowed: more than 1, up to 10",
        ),
        (
            "backoff_base: 1",
            "CFG_RANGE: retry.backoff_base: '1' is out of range; allowed: more than 1, up to 10",
        ),
        ("max_backoff: 0", "CFG_RANGE: retry.max_backoff: '0' is out of range; allowed: 1 to 3600 seconds"),
        (
            "max_retries: 1000",
            "CFG_RANGE: retry.max_retries: '1000' is out of range; allowed: 0 to 20 retries",
        ),
        (
            "retryable_errors: [Timeout]",
            (
                "CFG_CHOICE: retry.retryable_errors: 'Timeout' is not known; takes one of "
                "ConnectionTimeout, ServiceUnavailable, TemporaryFailure, ThrottlingException"
            ),
        ),
        (
            "retryable_errors: ConnectionTimeout",
            "CFG_TYPE: retry.retryable_errors: is one value; takes a list, as in [ConnectionTimeout]",
        ),
    ],
)
def test_the_retry_policy_has_its_limits(here: WorkingDirectory, written: str, expected: str) -> None:
    here.file("reportbus.yaml", f"retry: {{{written}}}\n")

    code, _, text = expected.partition(": ")
    assert here.problems() == [f"{code}: config/reportbus.yaml:1: {text}"]


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        (
            "http://ssrs.example.com/ReportServer",
            "SEC_TLS_REQUIRED: http:// can be read on the way; write https://, or set mode: development",
        ),
        (
            "https://admin:hunter2@ssrs.example.com",
            "SEC_INLINE_SECRET: holds a user before the host; name a secret with user and password instead",
        ),
        (
            "https://ssrs.example.com@evil.example.com",
            "SEC_INLINE_SECRET: holds a user before the host; name a secret with user and password instead",
        ),
        (
            "https://ssrs.example.com\\@evil.example.com",
            "SEC_INLINE_SECRET: holds a user before the host; name a secret with user and password instead",
        ),
        (
            "file:///etc/passwd",
            "CFG_URL: 'file:///etc/passwd' is no address of a service; takes https://host/path",
        ),
        ("ssrs", "CFG_URL: 'ssrs' is no address of a service; takes https://host/path"),
        (
            "https://ssrs.example.com/a#b",
            "CFG_URL: 'https://ssrs.example.com/a#b' has a query or fragment; end it with the path",
        ),
        (
            "https://ssrs.example.com/a?b=c",
            "CFG_URL: 'https://ssrs.example.com/a?***' has a query or fragment; end it with the path",
        ),
        (
            '"https://ssrs.example.com/ "',
            "CFG_URL: 'https://ssrs.example.com/ ' has blanks around it; remove them",
        ),
        *(
            (
                f"https://{host}/a",
                f"CFG_URL: 'https://{host}/a' has no valid host, port or path; takes https://host/path",
            )
            for host in HOSTS_THAT_CANNOT_BE
        ),
    ],
)  # fmt: skip
def test_an_endpoint_is_https_and_nothing_but_an_address(
    here: WorkingDirectory, endpoint: str, expected: str
) -> None:
    here.file("engines.yaml", f"engines:\n  ssrs:\n    endpoint: {endpoint}\n")
    code, _, text = expected.partition(": ")

    assert here.problems() == [f"{code}: config/engines.yaml:3: engines.ssrs.endpoint: {text}"]


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://ssrs.internal.example.com:8443/ReportServer",
        "https://10.0.0.7/a",
        "https://[2001:db8::1]:443/a",
        "http://localhost:8080/xmlpserver",
        "http://127.0.0.1:8080",
        "http://[::1]:8080/",
    ],
)
def test_an_endpoint_may_be_any_https_address_or_this_machine(here: WorkingDirectory, endpoint: str) -> None:
    here.file("engines.yaml", f"engines: {{ssrs: {{endpoint: '{endpoint}'}}}}\n")

    engine = here.load().engines["SSRS"]
    assert isinstance(engine, SsrsSettings)
    assert engine.endpoint == endpoint


@pytest.mark.parametrize("endpoint", ["http://localhost.example.com/", "http://127.0.0.1.example.com/"])
def test_what_only_looks_like_this_machine_is_another_one(here: WorkingDirectory, endpoint: str) -> None:
    here.file("engines.yaml", f"engines: {{ssrs: {{endpoint: '{endpoint}'}}}}\n")

    assert here.problems()[0].startswith("SEC_TLS_REQUIRED: ")


def test_in_development_an_endpoint_may_be_plain_http(here: WorkingDirectory) -> None:
    here.file("engines.yaml", "engines: {ssrs: {endpoint: 'http://ssrs.test/ReportServer'}}\n")

    assert "SSRS" in here.load(REPORTBUS_MODE="development").engines


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (
            {"KAFKA_BOOTSTRAP_SERVERS": ""},
            (
                "CFG_MISSING: environment KAFKA_BOOTSTRAP_SERVERS: kafka.bootstrap_servers: "
                "is set but empty; give it a value or unset it"
            ),
        ),
        (
            {"KAFKA_BOOTSTRAP_SERVERS": "kafka:9092,"},
            (
                "CFG_MISSING: environment KAFKA_BOOTSTRAP_SERVERS: kafka.bootstrap_servers: "
                "'kafka:9092,' has an empty entry; write entries with commas between them"
            ),
        ),
        (
            {"KAFKA_BOOTSTRAP_SERVERS": "kafka"},
            "CFG_HOST: environment KAFKA_BOOTSTRAP_SERVERS: kafka.bootstrap_servers: 'kafka' is no host:port",
        ),
        (
            {"SMTP_PORT": "abc"},
            "CFG_PORT: environment SMTP_PORT: mail.port: 'abc' is no port; takes 1 to 65535",
        ),
        ({"SMTP_PORT": "0"}, "CFG_PORT: environment SMTP_PORT: mail.port: '0' is no port; takes 1 to 65535"),
        (
            {"SMTP_PORT": "22; ls"},
            "CFG_PORT: environment SMTP_PORT: mail.port: '22; ls' is no port; takes 1 to 65535",
        ),
        ({"SMTP_HOST": "a b"}, "CFG_HOST: environment SMTP_HOST: mail.host: 'a b' is no host"),
        (
            {"NOTIFICATION_EMAIL": "a@example.com\r\nBcc: evil@example.com"},
            (
                "CFG_TYPE: environment NOTIFICATION_EMAIL: mail.sender: "
                "'a@example.com\\r\\nBcc: evil@example.com' has line breaks or control characters; "
                "write one line"
            ),
        ),
        (
            {"NOTIFICATION_EMAIL": "Reports <a@example.com>"},
            (
                "CFG_EMAIL: environment NOTIFICATION_EMAIL: mail.sender: "
                "'Reports <a@example.com>' is no mail address; takes name@example.com"
            ),
        ),
        (
            {"STAGING_BUCKET": "My_Bucket", "AWS_REGION": "us-east-1"},
            (
                "CFG_BUCKET: environment STAGING_BUCKET: aws.staging_bucket: 'My_Bucket' is not allowed; "
                "takes a bucket's name: 3 to 63 small letters, digits, dots and hyphens"
            ),
        ),
        (
            {"TARGET_BUCKET": "127.0.0.1", "AWS_REGION": "us-east-1"},
            (
                "CFG_BUCKET: environment TARGET_BUCKET: aws.target_bucket: '127.0.0.1' is not allowed; "
                "takes a bucket's name: 3 to 63 small letters, digits, dots and hyphens"
            ),
        ),
        (
            {"STAGING_BUCKET": "report-staging"},
            (
                "CFG_MISSING: environment STAGING_BUCKET: aws.region: is missing; "
                "AWS_REGION has to be set where STAGING_BUCKET or TARGET_BUCKET is"
            ),
        ),
        (
            {"STAGING_BUCKET": "reports", "TARGET_BUCKET": "reports", "AWS_REGION": "us-east-1"},
            (
                "CFG_LOOP: environment TARGET_BUCKET: aws.target_bucket: 'reports' is aws.staging_bucket, "
                "too: what is delivered would be delivered again"
            ),
        ),
        (
            {"SNOWFLAKE_ACCOUNT": "a", "SNOWFLAKE_USER": "u"},
            (
                "CFG_MISSING: environment SNOWFLAKE_ACCOUNT: snowflake.warehouse: is missing; "
                "set all of SNOWFLAKE_* or none: "
                "SNOWFLAKE_WAREHOUSE, SNOWFLAKE_DATABASE, SNOWFLAKE_SCHEMA not set"
            ),
        ),
        (
            {"REPORTBUS_LEDGER__URL": "mysql://db.example.com/x"},
            (
                "CFG_URL: environment REPORTBUS_LEDGER__URL: ledger.url: is no database URL; "
                "takes sqlite://… or postgresql://…"
            ),
        ),
        (
            {"REPORTBUS_LEDGER__URL": "sqlite://"},
            "CFG_URL: environment REPORTBUS_LEDGER__URL: ledger.url: 'sqlite://' names no file; takes sqlite:///file.db",
        ),
        (
            {"REPORTBUS_STAGING__ROOT": "~/staging"},
            (
                "CFG_PATH: environment REPORTBUS_STAGING__ROOT: staging.root: '~/staging' begins with ~, "
                "which is not resolved; write the whole path"
            ),
        ),
        (
            {"KAFKA_TOPIC": "requests\t"},
            "CFG_TYPE: environment KAFKA_TOPIC: bus.topic: 'requests\\t' has blanks around it; remove them",
        ),
        (
            {"REPORTBUS_HOME": "/srv/what?"},
            "CFG_PATH: environment REPORTBUS_HOME: REPORTBUS_HOME: holds a ?, which no database URL can",
        ),
        (
            {"REPORTBUS_WAKEUPS": "maybe"},
            "CFG_TYPE: environment REPORTBUS_WAKEUPS: wakeups: 'maybe' is no switch; write true or false",
        ),
    ],
)
def test_a_variable_is_held_to_what_its_option_takes(
    here: WorkingDirectory, variables: dict[str, str], expected: str
) -> None:
    assert here.problems(**variables) == [expected]
