"""Durable files a second, and CPU for each: staging, the folder destination and the Maildir.

    python benchmarks/files.py [--folder DIR] [--files N] [--batch N] [--size BYTES]

Each case runs after a warm-up, in batches as the stages make them; the clock stands while a batch is made
ready. The files stay until the end: on some filesystems deleting them makes the next ones dearer.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from reportbus.adapters.clock import SystemClock
from reportbus.adapters.destinations.folder import FolderDestination, FolderOptions
from reportbus.adapters.destinations.maildir import MaildirDestination, MaildirOptions
from reportbus.adapters.durable_files import SeparateSync
from reportbus.adapters.staging.folder import FolderStaging
from reportbus.core.errors import ReportbusError
from reportbus.core.model import Artifact, Mail, Request, Target, TargetType
from reportbus.ports import Deadline, Delivery

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reportbus.ports import Destination, StagedWriter, Staging

WARM_UP = 4
CLOCK = SystemClock()
NOW = datetime.now(UTC)


@dataclass(frozen=True)
class Load:
    """How many files of which size, and how many at a time."""

    files: int
    batch: int
    content: bytes

    @property
    def batches(self) -> int:
        """How many batches it takes."""
        return -(-self.files // self.batch)

    def keys(self, number: int) -> list[str]:
        """The staging keys of one batch."""
        return [f"reports/req-{number:05}-{each:04}/1/1/flights.csv" for each in range(self.batch)]


def measured(
    name: str, load: Load, prepare: Callable[[int], Callable[[], Sequence[object]]]
) -> dict[str, object]:
    """Run the batches that `prepare` makes, and print what the median one took."""
    walls, cpus = [], []
    for number in range(WARM_UP + load.batches):
        run = prepare(number)
        before = time.perf_counter(), time.process_time()
        answers = run()
        after = time.perf_counter(), time.process_time()
        failed = [answer for answer in answers if isinstance(answer, ReportbusError)]
        if failed:
            raise failed[0]
        if number >= WARM_UP:
            walls.append(after[0] - before[0])
            cpus.append(after[1] - before[1])
    wall, cpu = median(walls), median(cpus)
    figures = {
        "case": name,
        "files_per_second": round(load.batch / wall),
        "mb_per_second": round(load.batch * len(load.content) / wall / 1e6, 1),
        "cpu_us_per_file": round(cpu / load.batch * 1e6, 1),
    }
    print(json.dumps(figures), flush=True)
    return figures


def staging_case(load: Load, staging: Staging) -> Callable[[int], Callable[[], Sequence[object]]]:
    """Write and publish a batch."""

    def prepare(number: int) -> Callable[[], Sequence[object]]:
        def run() -> Sequence[object]:
            writers: list[StagedWriter] = []
            for key in load.keys(number):
                writer = staging.writer(key, limit=1 << 40)
                writer.write(load.content)
                writers.append(writer)
            return staging.publish(writers)

        return run

    return prepare


def delivery_case(
    load: Load, destination: Destination, target: Callable[[str], Target], staging: Staging | None
) -> Callable[[int], Callable[[], Sequence[object]]]:
    """Deliver a batch that is staged before; from memory where there is no `staging`."""
    digest = hashlib.sha256(load.content).hexdigest()

    def prepare(number: int) -> Callable[[], Sequence[object]]:
        if staging is not None:
            staging_case(load, staging)(number)()
        deliveries = []
        for key in load.keys(number):
            request_id = key.split("/")[1]
            artifact = Artifact(key, "flights.csv", "CSV", len(load.content), digest)
            aim = target(request_id)
            request = Request(
                request_id,
                "PYTHON",
                "flights",
                "CSV",
                "flights.csv",
                NOW,
                NOW + timedelta(days=1),
                targets=(aim,),
            )
            opened = (lambda each: staging.open(each.key)) if staging else (lambda _: BytesIO(load.content))
            deadline = Deadline(CLOCK.monotonic() + 600, CLOCK)
            deliveries.append(Delivery(f"{request_id}-1", request, aim, (artifact,), opened, deadline))
        return lambda: destination.deliver(deliveries)

    return prepare


def into_folder(folders: int) -> Callable[[str], Target]:
    """Targets spread over so many folders."""
    return lambda request_id: Target(
        1, TargetType.NAS, "nas", f"in/{hash(request_id) % folders}", f"{request_id}.csv"
    )


def by_mail(request_id: str) -> Target:
    """A target with one recipient."""
    return Target(1, TargetType.EMAIL, "mail", mail=Mail(("a@example.com",), f"Report {request_id}"))


def run_all(root: Path, load: Load) -> None:
    """All cases, each in a folder of its own."""

    def folder(name: str) -> str:
        made = root / name
        made.mkdir()
        return str(made)

    measured("staging", load, staging_case(load, FolderStaging(folder("staging"))))
    few = Load(load.files // 8, load.batch, load.content)
    synced_singly = FolderStaging(folder("staging-fsync"), sync=lambda _: SeparateSync())
    measured("staging, an fsync for each file", few, staging_case(few, synced_singly))
    source = FolderStaging(folder("source"))
    for name, options, folders in (
        ("folder, 1 folder", FolderOptions(folder("nas-1"), mkdirs=True), 1),
        (
            "folder, 1 folder, verified by size",
            FolderOptions(folder("nas-size"), mkdirs=True, verify="size"),
            1,
        ),
        ("folder, 64 folders", FolderOptions(folder("nas-64"), mkdirs=True), 64),
    ):
        measured(name, load, delivery_case(load, FolderDestination(options), into_folder(folders), source))
    mails = MaildirDestination(MaildirOptions(folder("mail"), "reports@example.com"), CLOCK)
    measured("maildir", few, delivery_case(few, mails, by_mail, None))
    big = Load(8, 1, os.urandom(1 << 20) * 128)
    measured("staging, files of 128 MiB", big, staging_case(big, FolderStaging(folder("staging-big"))))
    big_nas = FolderDestination(FolderOptions(folder("nas-big"), mkdirs=True))
    measured("folder, files of 128 MiB", big, delivery_case(big, big_nas, into_folder(1), None))


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description="Measure durable files.")
    parser.add_argument(
        "--folder", default=".", help="where to write; a filesystem like the one in production"
    )
    parser.add_argument("--files", type=int, default=8192)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--size", type=int, default=10_240, help="bytes of a file")
    given = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="bench-files-", dir=given.folder))
    try:
        run_all(root, Load(given.files, given.batch, os.urandom(given.size)))
    finally:
        shutil.rmtree(root)


if __name__ == "__main__":
    main()
