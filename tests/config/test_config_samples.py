"""The configuration that comes with the platform, and everything made from the list of options."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reportbus.config import load, options
from reportbus.config.engines import MidasSettings, ObieeSettings, PowerBiSettings, SsrsSettings
from reportbus.config.json_schema import schemas

if TYPE_CHECKING:
    from config.working_directory import WorkingDirectory
    from reportbus.config import Settings

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "config"
SPECIFIED = "70249b77ad8a8537486bd0b001742359f0ee4457152f6bbcd8dff766dd99cad2"

AZURE = {"AZURE_TENANT_ID": "tenant", "POWERBI_CLIENT_ID": "client", "POWERBI_WORKSPACE_ID": "workspace"}


def shown(settings: Settings) -> dict[str, str]:
    return {option.name: option.value for option in settings.effective}


def test_the_specifications_engines_load_unchanged(here: WorkingDirectory) -> None:
    sample = (CONFIG / "samples" / "engines.yaml").read_bytes()
    here.file("engines.yaml", sample)

    engines = here.load(**AZURE).engines

    assert hashlib.sha256(sample).hexdigest() == SPECIFIED, "this file is the specification's, byte for byte"
    obiee, power_bi, midas, ssrs = engines.values()
    assert list(engines) == ["OBIEE", "POWERBI", "MIDAS", "SSRS"]
    assert isinstance(obiee, ObieeSettings)
    assert (obiee.endpoint, obiee.auth_type) == ("https://obiee.internal.company.com/xmlpserver", "basic")
    assert (obiee.timeout_seconds, obiee.retry_count) == (300, 3)
    assert isinstance(power_bi, PowerBiSettings)
    assert (power_bi.tenant_id, power_bi.client_id) == ("tenant", "client")
    assert (power_bi.workspace_id, power_bi.auth_type) == ("workspace", "service_principal")
    assert isinstance(midas, MidasSettings)
    assert (midas.api_key_secret, midas.auth_type) == ("midas-api-key", "api_key")
    assert isinstance(ssrs, SsrsSettings)
    assert (ssrs.timeout_seconds, ssrs.auth_type, ssrs.retry_count) == (600, "ntlm", None)


def test_without_their_variables_they_are_refused_with_every_line(here: WorkingDirectory) -> None:
    here.file("engines.yaml", (CONFIG / "samples" / "engines.yaml").read_bytes())

    assert here.problems() == [
        f"CFG_UNSET_VARIABLE: config/engines.yaml:{line}: engines.powerbi.{option}: ${{{name}}} is not set; "
        "set it in the environment or in .env"
        for line, option, name in (
            (10, "tenant_id", "AZURE_TENANT_ID"),
            (11, "client_id", "POWERBI_CLIENT_ID"),
            (12, "workspace_id", "POWERBI_WORKSPACE_ID"),
        )
    ]


@pytest.mark.parametrize("name", ["reportbus.yaml", "engines.yaml", "destinations.yaml"])
def test_the_configuration_that_comes_along_says_what_the_defaults_are(
    here: WorkingDirectory, name: str
) -> None:
    defaults = shown(here.load())

    here.file(name, (CONFIG / name).read_bytes())

    assert shown(here.load()) == defaults


def test_the_sample_of_the_platforms_settings_has_every_one_with_its_default(here: WorkingDirectory) -> None:
    written = (CONFIG / "reportbus.yaml").read_text()
    plain = [
        option for option in options() if option.file == "reportbus.yaml" and option.name.count(".") <= 1
    ]
    named = [option for option in plain if "<" not in option.name and "[]" not in option.name]
    defaults = shown(here.load())

    here.file("reportbus.yaml", re.sub(r"^# ( *(?:- )?[A-Za-z_]+:)", r"\1", written, flags=re.MULTILINE))
    settings = here.load()

    told = {option.name for option in settings.effective if option.where.source == "config/reportbus.yaml"}
    assert {option.name for option in named} - told == set()
    values = shown(settings)
    with_default = [option.name for option in named if option.default]
    assert {name: values[name] for name in with_default} == {name: defaults[name] for name in with_default}


def test_the_sample_of_variables_loads_as_it_is(here: WorkingDirectory) -> None:
    here.file(".env", (ROOT / ".env.example").read_bytes())

    settings = here.load()

    assert settings.snowflake.account == "your_account"
    assert settings.mail.sender == "reports@company.com"


def test_the_sample_of_variables_has_all_of_the_specifications() -> None:
    written = (ROOT / ".env.example").read_text()
    theirs = {name for option in options() for name in option.variables if not name.startswith("REPORTBUS_")}

    assert len(theirs) == 13
    assert {
        name for name in {*theirs, *AZURE} if not re.search(rf"^(?:# )?{name}=", written, re.MULTILINE)
    } == set()


def test_the_schemas_for_editors_are_those_of_the_options() -> None:
    written = {path.name: json.loads(path.read_text()) for path in (CONFIG / "schema").iterdir()}

    assert written == schemas(), "python -m reportbus.config.json_schema config/schema"


def test_every_option_is_told_in_words() -> None:
    found = options()
    named = [(option.name, option.only_for) for option in found]

    assert len(set(named)) == len(named)
    for option in found:
        assert option.help.endswith("."), option.name
        assert option.type, option.name
        assert not (option.required and option.default), option.name
    variables = [name for option in found for name in option.variables if "<NAME>" not in name]
    assert len(set(variables)) == len(variables)


def test_every_variable_of_the_list_is_one_that_is_read(here: WorkingDirectory) -> None:
    settings = here.load()
    defaults = {option.name: option for option in options() if option.default and "<" not in option.name}
    of_list = {name: option for name, option in defaults.items() if "[]" not in name and "." in name}

    found = here.load(**{option.variables[0]: option.default.replace("${REPORTBUS_HOME}", str(settings.home))
                         for option in of_list.values()})  # fmt: skip

    assert shown(found) == shown(settings)
    assert {option.name for option in found.effective if str(option.where).startswith("environment")} == set(
        of_list
    )


def test_reading_everything_is_done_before_anybody_notices(tmp_path: Path) -> None:
    """CPU time, imports included, in a process whose bytecode is there already; at rest it takes 0.09 s."""
    code = (
        "import time; start = time.process_time(); "
        "from pathlib import Path; from reportbus.config import load; "
        f"load({AZURE!r} | {{'REPORTBUS_CONFIG': {str(CONFIG / 'samples')!r}}}, Path({str(tmp_path)!r})); "
        "print(time.process_time() - start)"
    )
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(tmp_path / "bytecode")

    seconds = [
        float(
            subprocess.run(
                [sys.executable, "-c", code], env=environment, capture_output=True, check=True, text=True
            ).stdout
        )
        for _ in range(4)
    ]

    assert min(seconds[1:]) < 0.5, seconds


def test_the_process_and_its_folder_are_what_is_read_unless_told_otherwise(
    here: WorkingDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.file("reportbus.yaml", "poll: {batch: 9}\n")
    monkeypatch.chdir(here.folder)
    for name in list(os.environ):
        if name.startswith("REPORTBUS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("REPORTBUS_WORKER__THREADS", "5")

    settings = load()

    assert (settings.poll.batch, settings.worker.threads) == (9, 5)
