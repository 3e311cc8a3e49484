from __future__ import annotations

import errno
import logging
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from signal import SIGKILL
from typing import TYPE_CHECKING

import pytest

from adapters import folder_writers
from contracts.crashes import run_script, watched
from contracts.small_disk import small_disk
from contracts.staging import KEY, LIMIT, StagingContract, content_of, read, stage
from contracts.syncs import WatchedSync, failing
from reportbus.adapters.durable_files import FAILPOINTS, SeparateSync, file_sync
from reportbus.adapters.staging.folder import FolderStaging
from reportbus.adapters.staging.folder_writer import staging_error
from reportbus.core.errors import Permanent, ReportbusError, Transient
from reportbus.ports import StagedObject
from servers.parts import PartMissing, leave_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from reportbus.adapters.durable_files import SyncMaker
    from reportbus.adapters.staging.folder_writer import FolderWriter

SCRIPT = Path(folder_writers.__file__)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "staging"


@pytest.fixture
def sync() -> SyncMaker:
    return file_sync


@pytest.fixture
def elsewhere(root: Path, sync: SyncMaker) -> Iterator[Callable[[], FolderStaging]]:
    opened: list[FolderStaging] = []

    def open_again() -> FolderStaging:
        opened.append(FolderStaging(root, sync=sync))
        return opened[-1]

    yield open_again
    for staging in opened:
        staging.close()


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a filesystem with 4 KB left."""
    try:
        with small_disk(tmp_path / "disk", 256) as disk:
            (disk / "ballast").write_bytes(b"x" * 252_000)
            yield disk
    except PartMissing as missing:
        leave_out(missing)


@pytest.fixture
def staging(elsewhere: Callable[[], FolderStaging]) -> FolderStaging:
    return elsewhere()


class TestFolderStaging(StagingContract):
    pass


class TestFolderStagingSyncedFileByFile(StagingContract):
    @pytest.fixture
    def sync(self) -> SyncMaker:
        return lambda _: SeparateSync()


def files(root: Path) -> list[str]:
    """All files below the root, temporary ones too."""
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_a_person_finds_the_files_of_a_request_by_its_id(staging: FolderStaging, root: Path) -> None:
    for key in ("reports/R-1/1/1/sales.csv", "reports/R-1/2/5/sales.csv", "reports/R-10/1/1/sales.csv"):
        stage(staging, key, b"bytes")
    found = sorted(path.name for path in root.glob("reports/*/R-1~*"))
    assert found == ["R-1~1~1~sales.csv", "R-1~2~5~sales.csv"]


def test_nobody_but_the_owner_may_read_staged_files(staging: FolderStaging, root: Path) -> None:
    stage(staging, KEY, b"bytes")
    modes = {path.stat().st_mode & 0o077 for path in [root / "tmp", root / "reports", *root.rglob("*.csv")]}
    assert modes == {0}


@pytest.mark.parametrize("point", FAILPOINTS)
def test_a_process_killed_while_it_publishes_leaves_the_object_whole_or_absent(
    point: str, root: Path, elsewhere: Callable[[], FolderStaging]
) -> None:
    """A repeat succeeds whatever the first one did, and the sweep takes what it left behind."""
    staging = elsewhere()
    with watched(lambda: staging.find(folder_writers.KEY)) as seen:
        assert run_script(SCRIPT, "publish", str(root), point) == -SIGKILL
    whole = stage(staging, folder_writers.KEY, folder_writers.CONTENT)
    assert seen <= {None, whole}
    assert staging.find(folder_writers.KEY) == whole
    staging.sweep(before=datetime.now(UTC) + timedelta(hours=1))
    assert files(root) == []


def test_the_bytes_are_synced_before_their_name_and_the_name_before_the_answer(root: Path) -> None:
    names: list[list[str]] = []
    staging = FolderStaging(root, sync=WatchedSync(lambda _: names.append(files(root))))
    stage(staging, KEY, b"bytes")
    temporary, published = names
    assert [name.split("/")[0] for name in temporary] == ["tmp"]
    assert [name.split("/")[0] for name in published] == ["reports"]


def test_what_could_not_be_synced_gets_no_name_and_leaves_nothing(root: Path) -> None:
    staging = FolderStaging(root, sync=failing(1))
    answer = stage(staging, KEY, b"bytes")
    assert isinstance(answer, Transient)
    assert answer.code == "TemporaryFailure"
    assert files(root) == []
    assert isinstance(stage(staging, KEY, b"bytes"), StagedObject)


def test_what_got_its_name_but_may_lose_it_again_is_not_acknowledged(root: Path) -> None:
    staging = FolderStaging(root, sync=failing(2))
    assert isinstance(stage(staging, KEY, b"bytes"), Transient)
    assert isinstance(stage(staging, KEY, b"bytes"), StagedObject)


def test_what_is_found_is_made_durable_for_whoever_builds_on_it(root: Path) -> None:
    """Its publisher may have died between the rename and the second sync."""
    sync = WatchedSync(lambda _: None)
    staging = FolderStaging(root, sync=sync)
    stage(staging, KEY, b"bytes")
    staging.find(KEY)
    assert sync.count == 3


def test_each_batch_is_announced_once_when_it_can_be_read(root: Path) -> None:
    told: list[list[StagedObject]] = []
    contents: list[bytes] = []

    def created(objects: Sequence[StagedObject]) -> None:
        told.append(list(objects))
        contents.extend(read(store, each.key) for each in objects)

    store = FolderStaging(root, created=created)
    writers = [store.writer(f"reports/R-{number}/1/1/a.csv", limit=LIMIT) for number in range(3)]
    for writer in writers:
        writer.write(writer.key.encode())
    assert [list(store.publish(writers))] == told
    assert contents == [writer.key.encode() for writer in writers]


def test_what_is_published_again_is_announced_again_and_what_is_refused_is_not(root: Path) -> None:
    told: list[int] = []
    staging = FolderStaging(root, created=lambda objects: told.append(len(objects)))
    for content in (b"first", b"first", b"other"):
        stage(staging, KEY, content)
    assert told == [1, 1]


def test_an_announcement_that_fails_is_logged_and_nothing_more(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def created(objects: Sequence[StagedObject]) -> None:
        raise Transient("ServiceUnavailable", "no bus")

    with caplog.at_level(logging.WARNING):
        answer = stage(FolderStaging(root, created=created), KEY, b"bytes")
    assert isinstance(answer, StagedObject)
    assert "no bus" in caplog.text


def test_left_over_temporary_files_are_swept(staging: FolderStaging, root: Path) -> None:
    (root / "tmp" / "of-a-dead-process").write_bytes(b"half")
    assert staging.sweep(before=datetime.now(UTC) - timedelta(hours=1)) == 0
    assert staging.sweep(before=datetime.now(UTC) + timedelta(hours=1)) == 1
    assert files(root) == []


def in_place_of(path: Path, what: str) -> None:
    """Put something else where a staged file stands."""
    path.unlink()
    match what:
        case "link":
            path.symlink_to("/dev/zero")
        case "pipe":
            os.mkfifo(path)
        case _:
            path.mkdir()


@pytest.mark.parametrize("what", ["link", "pipe", "folder"])
def test_what_stands_in_place_of_a_file_is_not_read_and_holds_up_nothing(
    staging: FolderStaging, root: Path, what: str
) -> None:
    assert isinstance(stage(staging, KEY, b"bytes"), StagedObject)
    (name,) = files(root)
    path = root / name
    in_place_of(path, what)
    for look in (staging.open, staging.find):
        with pytest.raises(Permanent, match=KEY) as refused:
            look(KEY)
        assert refused.value.code == "STG_MISMATCH"
    staging.sweep(before=datetime.now(UTC) + timedelta(hours=1))
    assert path.is_dir() == (what == "folder")


def test_a_file_in_the_way_of_the_folder_has_to_be_removed_by_a_person(root: Path) -> None:
    root.write_bytes(b"")
    with pytest.raises(Permanent) as refused:
        FolderStaging(root)
    assert refused.value.code == "SYS_STAGING"


@pytest.mark.parametrize("size", [10_000, 400_000])
def test_a_full_disk_is_a_passing_fault_and_leaves_no_half_file(full_disk: Path, size: int) -> None:
    store = FolderStaging(full_disk / "staging")
    with store.writer(KEY, limit=LIMIT) as writer:
        failed = fill(store, writer, content_of(size))
    assert isinstance(failed, Transient)
    assert (failed.code, failed.retry_after) == ("TemporaryFailure", 60)
    assert "No space left" in failed.text
    assert files(full_disk / "staging") == []
    store.close()


def test_a_read_only_disk_is_a_passing_fault() -> None:
    error = staging_error(OSError(errno.EROFS, os.strerror(errno.EROFS)), "writing x")
    assert isinstance(error, Transient)
    assert error.retry_after == 60


def fill(store: FolderStaging, writer: FolderWriter, content: bytes) -> ReportbusError:
    """The error that comes of it, be it while writing or at the end."""
    try:
        for start in range(0, len(content), 50_000):
            writer.write(content[start : start + 50_000])
    except ReportbusError as error:
        return error
    answer = store.publish([writer])[0]
    assert isinstance(answer, ReportbusError)
    return answer


def test_a_writer_takes_nothing_more_once_it_is_published(staging: FolderStaging) -> None:
    with staging.writer(KEY, limit=LIMIT) as writer:
        writer.write(b"bytes")
        staging.publish([writer])
        with pytest.raises(ValueError, match="already"):
            writer.write(b"more")


def test_a_writer_that_was_discarded_cannot_be_published(staging: FolderStaging) -> None:
    with staging.writer(KEY, limit=LIMIT) as writer:
        writer.write(b"bytes")
    assert isinstance(staging.publish([writer])[0], Transient)
    assert staging.find(KEY) is None
