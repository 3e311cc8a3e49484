"""What a script can reach: its own folder, what it declares, and nothing else."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from adapters.engines.script_bench import (
    OUT,
    WRITE,
    ScriptBench,
    a_bench,
)
from reportbus.adapters.engines.python.launcher.order import NAMESPACES

if TYPE_CHECKING:
    from reportbus.core.model import JsonValue

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="scripts run on Linux only")


def test_a_script_writes_nowhere_but_in_its_own_folder(bench: ScriptBench) -> None:
    neighbour = bench.root / "neighbour"
    neighbour.mkdir(0o755)
    places = [
        *("/", "/etc", "/usr", "/root", "/var/lib"),
        str(neighbour),
        str(bench.scratch),
        str(bench.scripts),
    ]
    source = OUT + (
        f"written = []\nfor place in {places!r}:\n"
        "    try:\n"
        "        open(f'{place}/reportbus-was-here', 'w')\n"
        "        written.append(place)\n"
        "    except OSError:\n"
        "        pass\n"
        "open(OUT, 'w').write(repr(written))\n"
    )
    assert bench.run(source) == b"[]"
    assert not any(Path(place, "reportbus-was-here").exists() for place in places)


def test_the_folders_for_temporary_files_are_its_own() -> None:
    bench = a_bench(NAMESPACES)
    source = WRITE + "\n".join(
        f"open('{folder}/{bench.token}', 'w')" for folder in ("/tmp", "/var/tmp", "/dev/shm", "tmp/..")
    )
    bench.run(source)
    assert not any(Path(folder, bench.token).exists() for folder in ("/tmp", "/var/tmp", "/dev/shm"))
    bench.close()


def test_a_script_sees_only_the_files_it_declares_and_cannot_change_them() -> None:
    bench = a_bench(NAMESPACES)
    declared, other = bench.root / "declared", bench.root / "other"
    for folder in (declared, other):
        folder.mkdir()
        folder.chmod(0o777)
        (folder / "data.txt").write_text("told")
    source = OUT + (
        "import os\n"
        f"found = [path for path in {[str(other), '/etc/shadow', '/root/.ssh']!r} if os.path.exists(path)]\n"
        f"found.append(open('{declared}/data.txt').read())\n"
        "try:\n"
        f"    open('{declared}/more.txt', 'w')\n"
        "except OSError as error:\n"
        "    found.append(error.strerror)\n"
        "open(OUT, 'w').write(', '.join(found))\n"
    )
    assert bench.run(source, reads=[str(declared)]) == b"told, Read-only file system"
    bench.close()


def test_a_script_has_no_network_unless_it_declares_it() -> None:
    bench = a_bench(NAMESPACES)
    source = OUT + (
        "import json, socket, sys\n"
        "port = json.load(sys.stdin)['parameters']['port']\n"
        "try:\n"
        "    socket.create_connection(('127.0.0.1', port), timeout=5)\n"
        "    said = 'connected'\n"
        "except OSError:\n"
        "    said = 'refused'\n"
        "open(OUT, 'w').write(said)\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as server:
        work = bench.work({"port": server.getsockname()[1]})
        parameters: JsonValue = {"port": {"type": "integer"}}
        assert bench.make(bench.report(source, parameters=parameters), work) == b"refused"
        assert bench.make(bench.report(source, parameters=parameters, network=True), work) == b"connected"
    bench.close()
