"""What tests of folders run in a process of its own: `folder_writers.py WHAT ROOT FAILPOINT`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.crashes import die_at
from contracts.samples import file_delivery, mail_delivery
from reportbus.adapters.clock import ManualClock
from reportbus.adapters.destinations.folder import FolderDestination, FolderOptions
from reportbus.adapters.destinations.maildir import MaildirDestination, MaildirOptions
from reportbus.adapters.staging.folder import FolderStaging
from reportbus.core.errors import ReportbusError

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "reports/R-1/1/1/sales.csv"
CONTENT = b"0123456789abcdef" * 8192
NOBODY = 65_534


def publish(root: str, point: str) -> None:
    """Stage one report."""
    staging = FolderStaging(root, failpoint=die_at(point))
    with staging.writer(KEY, limit=1 << 20) as writer:
        writer.write(CONTENT)
        staging.publish([writer])


def deliver(root: str, point: str) -> None:
    """Deliver one file."""
    FolderDestination(FolderOptions(root, mkdirs=True), failpoint=die_at(point)).deliver(
        [file_delivery(CONTENT, path="in/march")]
    )


def mail(root: str, point: str) -> None:
    """Deliver one mail."""
    options = MaildirOptions(root, "reports@example.com")
    MaildirDestination(options, ManualClock(), failpoint=die_at(point)).deliver([mail_delivery(CONTENT)])


def deliver_as_nobody(root: str, answer: str) -> None:
    """Deliver one file without any rights, and write what came of it into the file `answer`."""
    with Path(answer).open("w") as written:
        if os.geteuid() == 0:
            os.setuid(NOBODY)
        written.write(_came_of(FolderOptions(root)))


def deliver_as_nobody_below_a_mount(root: str, answer: str) -> None:
    """As before, where the root has to be a mount point; then how many folders were left open."""
    with Path(answer).open("w") as written:
        if os.geteuid() == 0:
            os.setuid(NOBODY)
        before = _open_files()
        came = _came_of(FolderOptions(root, mounted=True))
        written.write(f"{came}; {_open_files() - before} open")


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _came_of(options: FolderOptions) -> str:
    attempt = FolderDestination(options).deliver([file_delivery(CONTENT)])[0]
    return str(attempt) if isinstance(attempt, ReportbusError) else "delivered"


TASKS: dict[str, Callable[[str, str], None]] = {
    task.__name__: task
    for task in (publish, deliver, mail, deliver_as_nobody, deliver_as_nobody_below_a_mount)
}

if __name__ == "__main__":
    TASKS[sys.argv[1]](sys.argv[2], sys.argv[3])
