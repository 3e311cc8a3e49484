"""What the worker tells the launcher, and what the launcher tells the worker: one line of JSON each."""

from __future__ import annotations

import json
from typing import Final, NamedTuple

NAMESPACES: Final = "namespaces"
USER: Final = "user"
LIMITS: Final = "limits"


class Limits(NamedTuple):
    """What one script may use: seconds, bytes and counts. Memory and CPU time count per process."""

    wall_seconds: float
    cpu_seconds: int
    memory: int
    processes: int
    file_size: int
    disk: int
    files: int


class Order(NamedTuple):
    """One script to run.

    `isolation` is one of NAMESPACES, USER and LIMITS. `folder` holds `work` (the script's own folder), `root`
    (where its view of the file system is put together) and `input` (its standard input). The first word of
    `command` is a path. In namespaces `readable` are the only files and folders it sees besides the system's.
    `lock` is the descriptor that keeps the folder from being swept.
    """

    isolation: str
    folder: str
    command: list[str]
    environment: dict[str, str]
    readable: list[str]
    network: bool
    lock: int
    limits: Limits


class Ending(NamedTuple):
    """How a script ended.

    `how` is "exited" (with a wait `status`), "timeout", "disk", "files", "lost" (its end is not known) or
    "refused" (it was not started; `text` says why). `cpu` is the CPU time in seconds.
    """

    how: str
    status: int = 0
    cpu: float = 0.0
    stdout: str = ""
    stderr: str = ""
    text: str = ""


def write_order(order: Order) -> bytes:
    """The line for the launcher."""
    return json.dumps(order._asdict() | {"limits": order.limits._asdict()}).encode() + b"\n"


def read_order(line: bytes) -> Order:
    """The order in a line."""
    data = json.loads(line)
    return Order(**data | {"limits": Limits(**data["limits"])})


def write_ending(ending: Ending) -> bytes:
    """The line for the worker."""
    return json.dumps(ending._asdict()).encode() + b"\n"


def read_ending(line: bytes) -> Ending:
    """The ending in a line. Raises ValueError or TypeError for anything else."""
    return Ending(**json.loads(line))
