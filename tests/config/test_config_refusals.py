"""Everything wrong with a configuration is told at once, each thing with its place."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import reportbus.config
from reportbus.config import ConfigurationRefused
from reportbus.core.codes import CODES
from reportbus.core.errors import MAX_PROBLEMS

if TYPE_CHECKING:
    from config.working_directory import WorkingDirectory


def test_all_problems_of_all_files_and_variables_are_told_at_once(here: WorkingDirectory) -> None:
    here.file(".env", "oops\nREPORTBUS_POLL__BATCH=none\n")
    here.file("reportbus.yaml", "worker: {threads: 0}\nwroker: {}\nmode: NO\n")
    here.file("engines.yaml", "engines:\n  ssrs: {endpoint: 'ftp://x'}\n  crystal: {}\n")
    here.file("destinations.yaml", "destinations: [\n")
    here.file("reports/a.yaml", "- a\n")

    assert here.problems(SMTP_PORT="abc", REPORTBUS_HME="x") == [
        "CFG_ENV_FILE: .env:1: the line is not NAME=value, with quotes closed",
        "CFG_TYPE: .env:2: poll.batch: 'none' is not a whole number; allowed: 1 to 10000 rows",
        (
            "CFG_YAML: config/destinations.yaml:2: is not YAML: while parsing a flow node, "
            "did not find expected node content"
        ),
        "CFG_RANGE: config/reportbus.yaml:1: worker.threads: '0' is out of range; allowed: 1 to 256 threads",
        "CFG_UNKNOWN_FIELD: config/reportbus.yaml:2: 'wroker' is not known; did you mean 'worker'?",
        'CFG_TYPE: config/reportbus.yaml:3: mode: NO is read as false; quote it: "NO"',
        "CFG_PORT: environment SMTP_PORT: mail.port: 'abc' is no port; takes 1 to 65535",
        (
            "CFG_URL: config/engines.yaml:2: engines.ssrs.endpoint: 'ftp://x' is no address of a service; "
            "takes https://host/path"
        ),
        (
            "CFG_CHOICE: config/engines.yaml:3: engines.crystal.type: 'CRYSTAL' is no type of engine; "
            "have obiee, powerbi, midas, ssrs, python"
        ),
        (
            "CFG_UNKNOWN_FIELD: environment REPORTBUS_HME: no option is set by REPORTBUS_HME; "
            "did you mean 'REPORTBUS_HOME'?"
        ),
    ]


@pytest.mark.parametrize(
    ("file", "variable"),
    [
        ("destinations.yaml", "REPORTBUS_DESTINATIONS__ACME__ROOT"),
        ("engines.yaml", "REPORTBUS_ENGINES__SSRS__ENDPOINT"),
        ("reportbus.yaml", "REPORTBUS_CHANNELS__OPS__MAILDIR"),
    ],
)
def test_variables_for_entries_of_a_file_that_cannot_be_read_are_not_judged(
    here: WorkingDirectory, file: str, variable: str
) -> None:
    here.file(file, "")

    (found,) = here.problems(**{variable: "https://example.com"})

    assert found.startswith(f"CFG_YAML: config/{file}:1: is empty")


def test_no_problem_is_cut_off(here: WorkingDirectory) -> None:
    here.file("reportbus.yaml", "".join(f"no{n}: 1\n" for n in range(3 * MAX_PROBLEMS)))

    assert len(here.problems()) == 3 * MAX_PROBLEMS


def test_a_refusal_has_the_code_of_its_first_problem_and_says_all(here: WorkingDirectory) -> None:
    with pytest.raises(ConfigurationRefused) as refused:
        here.load(SMTP_PORT="abc", KAFKA_TOPIC="")

    assert refused.value.code == refused.value.problems[0].code
    assert "SMTP_PORT" in refused.value.text
    assert "KAFKA_TOPIC" in refused.value.text


def test_a_refusal_without_problems_is_a_fault_of_the_program() -> None:
    with pytest.raises(ValueError, match="at least one problem"):
        ConfigurationRefused([])


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        (
            "engines.yaml",
            "engines:\n  ssrs:\n",
            (
                "CFG_TYPE: config/engines.yaml:2: engines.ssrs: "
                "has nothing under it; write {} for nothing, or remove the line"
            ),
        ),
        (
            "reportbus.yaml",
            "notify: [LOG]\n",
            "CFG_TYPE: config/reportbus.yaml:1: notify[0]: is one value; takes names with values",
        ),
        (
            "engines.yaml",
            "engines:\n",
            (
                "CFG_TYPE: config/engines.yaml:1: engines: "
                "has nothing under it; write {} for nothing, or remove the line"
            ),
        ),
        (
            "engines.yaml",
            "engine: {}\n",
            "CFG_UNKNOWN_FIELD: config/engines.yaml:1: 'engine' is not known; did you mean 'engines'?",
        ),
        (
            "engines.yaml",
            "engines: {}\npoll: {batch: 1}\n",
            "CFG_UNKNOWN_FIELD: config/engines.yaml:2: 'poll' stands in reportbus.yaml, not here",
        ),
        (
            "reportbus.yaml",
            "destinations: {}\n",
            "CFG_UNKNOWN_FIELD: config/reportbus.yaml:1: 'destinations' stands in destinations.yaml",
        ),
        (
            "reportbus.yaml",
            "home: /srv\n",
            "CFG_UNKNOWN_FIELD: config/reportbus.yaml:1: 'home' is not known",
        ),
        (
            "reportbus.yaml",
            "worker: 8\n",
            "CFG_TYPE: config/reportbus.yaml:1: worker: is one value; takes names with values",
        ),
        (
            "reportbus.yaml",
            "notify: {}\n",
            "CFG_TYPE: config/reportbus.yaml:1: notify: is names with values; takes a list",
        ),
        (
            "engine.yaml",
            "engines: {}\n",
            "CFG_FILE: config/engine.yaml: is not read; did you mean engines.yaml?",
        ),
        (
            "engines.yml",
            "engines: {}\n",
            "CFG_FILE: config/engines.yml: is not read; did you mean engines.yaml?",
        ),
        (
            "engines.yaml",
            "engines:\n  ssrs: {}\n",
            "CFG_MISSING: config/engines.yaml:2: engines.ssrs.endpoint: is missing; takes a URL",
        ),
        (
            "engines.yaml",
            "engines:\n  a/b: {type: ssrs}\n",
            (
                "CFG_NAME: config/engines.yaml:2: engines: 'a/b' is no name; "
                "takes up to 50 letters, digits, dots, _ and -"
            ),
        ),
        (
            "engines.yaml",
            "engines:\n  python: {}\n  Python: {}\n",
            (
                "CFG_DUPLICATE_KEY: config/engines.yaml:3: engines: 'Python' differs from another engine "
                "by case or marks alone, on lines 2 and 3"
            ),
        ),
        (
            "engines.yaml",
            "engines:\n  python:\n    connections:\n      wh: {url: 'postgresql://db/wh'}\n",
            (
                "CFG_MISSING: config/engines.yaml:4: engines.python.connections.wh.kind: is missing; "
                "takes one of duckdb, sqlite, postgresql, sqlalchemy, adbc"
            ),
        ),
        (
            "engines.yaml",
            "engines:\n  python: {reports: gone}\n",
            "CFG_FILE: config/engines.yaml:2: engines.python.reports: ",
        ),
        (
            "destinations.yaml",
            "destinations:\n  acme: {root: /srv}\n",
            (
                "CFG_MISSING: config/destinations.yaml:2: destinations.acme.type: is missing; "
                "takes one of FTP, FTPS, SFTP, NAS, SMB, S3, EMAIL"
            ),
        ),
        (
            "destinations.yaml",
            "destinations:\n  acme: {type: SCP}\n",
            "CFG_CHOICE: config/destinations.yaml:2: destinations.acme.type: 'SCP' is no type of destination",
        ),
        (
            "destinations.yaml",
            "destinations:\n  acme: {type: SFTP, host: sftp.example.com}\n",
            (
                "CFG_NO_ADAPTER: config/destinations.yaml:2: destinations.acme: SFTP has no adapter yet; "
                "have NAS, EMAIL; enabled: false keeps it"
            ),
        ),
        (
            "reportbus.yaml",
            "channels: {KAFKA: {}}\nnotify: []\n",
            (
                "CFG_NO_ADAPTER: config/reportbus.yaml:1: channels.kafka: KAFKA has no adapter yet; "
                "have EMAIL, LOG; enabled: false keeps it"
            ),
        ),
    ],
)
def test_what_stands_in_the_wrong_shape_or_place_is_refused(
    here: WorkingDirectory, file: str, text: str, expected: str
) -> None:
    here.file(file, text)

    (found,) = here.problems()

    assert found.startswith(expected)


def test_an_entry_without_an_adapter_is_kept_while_it_is_off(here: WorkingDirectory) -> None:
    here.file(
        "destinations.yaml",
        "destinations:\n  acme: {type: sftp, enabled: false, host: sftp.example.com, max_concurrency: 2}\n",
    )

    acme = here.load(REPORTBUS_DESTINATIONS__ACME__HOST="x").destinations["acme"]

    assert (acme.name, acme.type, acme.enabled, acme.max_concurrency) == ("acme", "SFTP", False, 2)


def test_an_engine_may_have_another_name_than_its_type(here: WorkingDirectory) -> None:
    here.file("engines.yaml", "engines: {ssrs_emea: {type: ssrs, endpoint: 'https://emea.example.com/x'}}\n")

    engine = here.load().engines["SSRS_EMEA"]

    assert (engine.name, engine.type) == ("SSRS_EMEA", "ssrs")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "worker:\n  lease_seconds: 20\n  heartbeat_seconds: 10\n",
            (
                "CFG_INCONSISTENT: config/reportbus.yaml:2: worker.lease_seconds: 20 has to be more than "
                "twice worker.heartbeat_seconds, which is 10: "
                "one late heartbeat must not cost a worker its jobs"
            ),
        ),
        (
            "poll:\n  interval_seconds: 90\n",
            (
                "CFG_INCONSISTENT: config/reportbus.yaml:2: poll.republish_seconds: 60 has to be at least "
                "poll.interval_seconds, which is 90: or each look at the worktable publishes every row again"
            ),
        ),
        (
            "staging:\n  retention_days: 0.5\n",
            (
                "CFG_INCONSISTENT: config/reportbus.yaml:2: staging.retention_days: 0.5 days have to last at "
                "least intake.request_deadline_seconds, which is 86400: or reports are removed before they "
                "are delivered"
            ),
        ),
        (
            "retry: {backoff_base: 9, max_backoff: 5}\n",
            (
                "CFG_INCONSISTENT: config/reportbus.yaml:1: retry.max_backoff: 5 has to be at least "
                "retry.backoff_base, which is 9: or no wait ever grows"
            ),
        ),
        (
            "notify:\n  - {channel: EMIAL}\n",
            (
                "CFG_CHOICE: config/reportbus.yaml:2: notify[0].channel: "
                "'EMIAL' is no channel; did you mean 'EMAIL'?"
            ),
        ),
        (
            "notify:\n  - channel: email\n",
            "CFG_MISSING: config/reportbus.yaml:2: notify[0].to: is missing; EMAIL needs addresses",
        ),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    here: WorkingDirectory, text: str, expected: str
) -> None:
    here.file("reportbus.yaml", text)

    assert here.problems() == [expected]


def test_a_relation_is_not_judged_by_the_default_of_an_option_that_is_wrong(here: WorkingDirectory) -> None:
    found = here.problems(REPORTBUS_WORKER__LEASE_SECONDS="x", REPORTBUS_WORKER__HEARTBEAT_SECONDS="40")

    assert [line.partition(":")[0] for line in found] == ["CFG_TYPE"]


@pytest.mark.parametrize("root", ["${REPORTBUS_HOME}", "staging", "staging/reports", "/"])
def test_a_destination_and_staging_never_lie_in_one_another(here: WorkingDirectory, root: str) -> None:
    here.file("destinations.yaml", f"destinations:\n  acme: {{type: NAS, root: '{root}'}}\n")

    (found,) = here.problems()

    assert found.startswith("CFG_LOOP: config/destinations.yaml:2")
    assert "lie in one another; keep them apart" in found


def test_every_code_is_in_the_table_of_codes() -> None:
    source = Path(reportbus.config.__file__).parent
    used = {
        code
        for file in source.glob("*.py")
        for code in re.findall(r'"((?:CFG|SEC)_[A-Z_]+)"', file.read_text())
    }

    assert len(used) > 20
    assert used - CODES.keys() == set()


def test_a_type_has_one_default_destination(here: WorkingDirectory) -> None:
    here.file(
        "destinations.yaml",
        "destinations:\n  one: {type: NAS, root: /one, default: true}\n"
        "  two:\n    type: NAS\n    root: /two\n    default: true\n  mail: {type: EMAIL, default: true}\n"
        "  old: {type: NAS, root: /old, default: true, enabled: false}\n",
    )

    (found,) = here.problems()

    assert found == (
        "CFG_INCONSISTENT: config/destinations.yaml:6: destinations.two.default: "
        "'two' and 'one' are both the default of NAS; leave one"
    )
