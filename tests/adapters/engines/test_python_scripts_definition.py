"""The definition of a report that a script makes."""

from __future__ import annotations

import hashlib
import sys
from typing import TYPE_CHECKING

import pytest

from adapters.engines.script_bench import (
    WRITE,
)
from reportbus.adapters.engines.python.fields import DefinitionFile
from reportbus.adapters.engines.python.script_definition import ScriptDefinition
from reportbus.core.errors import Permanent, Refused

if TYPE_CHECKING:
    from pathlib import Path

    from reportbus.core.model import JsonValue

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="scripts run on Linux only")


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    folder = tmp_path / "scripts"
    folder.mkdir()
    (folder / "sales.py").write_text(WRITE)
    (tmp_path / "evil.py").write_text(WRITE)
    (folder / "link.py").symlink_to(tmp_path / "evil.py")
    (folder / "linked").symlink_to(tmp_path)
    (folder / "large.py").write_text("#" * (2 << 20))
    return folder


def parsed(scripts: Path, *, hash_required: bool = False, **definition: JsonValue) -> ScriptDefinition:
    mapping: dict[str, JsonValue] = {"name": "sales", "script": "sales.py", "formats": ["CSV"], **definition}
    return ScriptDefinition.parse(
        mapping, DefinitionFile("sales.yaml"), folder=scripts, hash_required=hash_required
    )


@pytest.mark.parametrize(
    "path",
    [
        "../evil.py",
        "/etc/passwd",
        "missing.py",
        "link.py",
        "linked/evil.py",
        "large.py",
        ".",
        "a//b",
        "x\0y",
        "",
    ],
)
def test_a_script_is_a_plain_file_in_the_scripts_folder(scripts: Path, path: str) -> None:
    with pytest.raises(Refused) as raised:
        parsed(scripts, script=path)
    assert {problem.code for problem in raised.value.problems} <= {"PY_NOT_REGISTERED", "CFG_RANGE"}


def test_a_script_that_is_not_the_registered_one_does_not_run(scripts: Path) -> None:
    digest = hashlib.sha256(WRITE.encode()).hexdigest()
    source = parsed(scripts, sha256=digest.upper(), hash_required=True).source
    assert source.read() == WRITE.encode()
    (scripts / "sales.py").write_text("import os")
    with pytest.raises(Permanent, match="PY_HASH_MISMATCH"):
        source.read()
    with pytest.raises(Refused, match="PY_HASH_MISMATCH"):
        parsed(scripts, sha256=digest)


def test_a_hash_can_be_required(scripts: Path) -> None:
    with pytest.raises(Refused, match="sha256"):
        parsed(scripts, hash_required=True)


def test_everything_wrong_with_a_definition_is_told_at_once(scripts: Path) -> None:
    with pytest.raises(Refused) as raised:
        parsed(
            scripts,
            name="",
            formats=["CVS"],
            limits={"seconds": 0, "output_mb": 10, "disk_mb": 5, "memroy_mb": 1},
            environment={"A B": "x"},
            parameters={"a-b": {"type": "text"}},
            reads=["data"],
            network="yes",
            sha256="abc",
            sql="SELECT 1",
        )
    assert {problem.field for problem in raised.value.problems} == {
        "name", "formats", "limits.seconds", "limits.disk_mb", "limits", "environment.A B", "parameters.a-b",
        "reads", "network", "sha256", "",
    }  # fmt: skip
