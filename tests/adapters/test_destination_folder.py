from __future__ import annotations

import errno
import fcntl
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from signal import SIGKILL
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from adapters import folder_writers
from contracts.crashes import run_script, watched
from contracts.destination import FileDestinationContract, codes, nothing_is_staged, receipt
from contracts.samples import NOON, file_delivery
from contracts.small_disk import small_disk
from contracts.syncs import WatchedSync, failing
from reportbus.adapters.destinations.folder import FolderDestination, FolderOptions
from reportbus.adapters.destinations.folder_order import MARK
from reportbus.adapters.durable_files import FAILPOINTS, SeparateSync, file_sync
from reportbus.adapters.folder_errors import folder_error
from reportbus.core.errors import Permanent, Transient
from servers.parts import PartMissing, leave_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reportbus.adapters.durable_files import SyncMaker
    from reportbus.ports import Delivery

SCRIPT = Path(folder_writers.__file__)


class FolderPlace:
    """The folder itself."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def files(self) -> dict[str, bytes]:
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in self.root.rglob("*")
            if path.is_file()
        }

    def read(self, path: str) -> bytes | None:
        try:
            return (self.root / path).read_bytes()
        except FileNotFoundError:
            return None

    def put(self, path: str, content: bytes) -> None:
        (self.root / path).write_bytes(content)


@pytest.fixture
def place(tmp_path: Path) -> FolderPlace:
    root = tmp_path / "nas"
    (root / "in" / "march").mkdir(parents=True)
    return FolderPlace(root)


@pytest.fixture
def options(place: FolderPlace) -> FolderOptions:
    return FolderOptions(str(place.root))


@pytest.fixture
def sync() -> SyncMaker:
    return file_sync


@pytest.fixture
def destination(options: FolderOptions, sync: SyncMaker) -> Iterator[FolderDestination]:
    opened = FolderDestination(options, sync=sync)
    yield opened
    opened.close()


class TestFolderDestination(FileDestinationContract):
    pass


class TestFolderDestinationSyncedFileByFile(FileDestinationContract):
    @pytest.fixture
    def sync(self) -> SyncMaker:
        return lambda _: SeparateSync()


class TestFolderDestinationWithATemporaryFolder(FileDestinationContract):
    @pytest.fixture
    def options(self, place: FolderPlace) -> FolderOptions:
        (place.root / ".incoming").mkdir()
        return FolderOptions(str(place.root), temporary_folder=".incoming")


def deliver_one(
    destination: FolderDestination, content: bytes = b"bytes", path: str = "in/march"
) -> list[str]:
    return codes(destination.deliver([file_delivery(content, path=path)]))


@pytest.mark.parametrize("point", FAILPOINTS)
def test_a_process_killed_while_it_delivers_does_no_harm(point: str, tmp_path: Path) -> None:
    """The next attempt recognises or repeats, and removes what was left; nobody sees a part of a file."""
    place = FolderPlace(tmp_path)
    with watched(lambda: place.read("in/march/sales.csv")) as seen:
        assert run_script(SCRIPT, "deliver", str(tmp_path), point) == -SIGKILL
        renamed = place.read("in/march/sales.csv") is not None
        destination = FolderDestination(FolderOptions(str(tmp_path), mkdirs=True))
        delivery = file_delivery(folder_writers.CONTENT, path="in/march")
        made = receipt(destination.deliver([delivery])[0])
    assert seen <= {None, folder_writers.CONTENT}
    assert made.repeated == renamed == (point in {"renamed", "settled"})
    assert place.files() == {"in/march/sales.csv": folder_writers.CONTENT}


def test_the_bytes_are_synced_before_their_name_and_the_name_before_the_answer(
    options: FolderOptions, place: FolderPlace
) -> None:
    seen: list[dict[str, bytes]] = []
    deliver_one(FolderDestination(options, sync=WatchedSync(lambda _: seen.append(place.files()))))
    temporary, final = seen
    assert list(temporary.values()) == [b"bytes"]
    assert "in/march/sales.csv" not in temporary
    assert final == {"in/march/sales.csv": b"bytes"}


def test_a_repeat_is_synced_too_since_the_first_may_have_died_before(
    options: FolderOptions, place: FolderPlace
) -> None:
    place.put("in/march/sales.csv", b"bytes")
    assert deliver_one(FolderDestination(options, sync=failing(2))) == ["TemporaryFailure"]


def test_what_could_not_be_synced_gets_no_name_and_leaves_nothing(
    options: FolderOptions, place: FolderPlace
) -> None:
    assert deliver_one(FolderDestination(options, sync=failing(1))) == ["TemporaryFailure"]
    assert place.files() == {}


def test_a_root_that_does_not_exist_is_named_and_nothing_is_made(tmp_path: Path) -> None:
    destination = FolderDestination(FolderOptions(str(tmp_path / "missing"), mkdirs=True))
    attempts = destination.deliver([file_delivery(b"one"), file_delivery(b"two", path="in")])
    assert codes(attempts) == ["DST_ROOT_MISSING"] * 2
    assert str(tmp_path / "missing") in str(attempts[0])
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_where_a_share_should_be_mounted_and_is_not(
    options: FolderOptions, place: FolderPlace
) -> None:
    attempts = FolderDestination(replace(options, mounted=True)).deliver([file_delivery(b"bytes")])
    assert codes(attempts) == ["ServiceUnavailable"]
    assert place.files() == {}


def test_a_missing_folder_is_made_only_where_that_is_configured(
    options: FolderOptions, place: FolderPlace
) -> None:
    as_found = FolderDestination(replace(options, mkdirs=False))
    assert deliver_one(as_found, path="in/april/1") == ["DST_NO_FOLDER"]
    assert not (place.root / "in/april").exists()
    assert deliver_one(FolderDestination(options), path="in/april/1") == [""]
    assert place.files() == {"in/april/1/sales.csv": b"bytes"}


def test_deliveries_to_very_many_folders_need_few_open_files(
    options: FolderOptions, place: FolderPlace
) -> None:
    deliveries = [
        file_delivery(b"bytes", number=number, path=f"in/{number}", name=f"{number}.csv")
        for number in range(100)
    ]
    most = 0

    def count(_: int) -> None:
        nonlocal most
        most = max(most, len(list(Path("/proc/self/fd").iterdir())))

    before = len(list(Path("/proc/self/fd").iterdir()))
    destination = FolderDestination(replace(options, mkdirs=True), sync=WatchedSync(count))
    assert codes(destination.deliver(deliveries)) == [""] * 100
    assert most - before < 40
    assert len(place.files()) == 100


@pytest.mark.parametrize("path", ["link", "in/link", "in/link/deeper"])
def test_a_symbolic_link_in_the_path_is_refused(
    destination: FolderDestination, place: FolderPlace, tmp_path: Path, path: str
) -> None:
    outside = tmp_path / "outside"
    (outside / "deeper").mkdir(parents=True)
    (place.root / "link").symlink_to(outside)
    (place.root / "in" / "link").symlink_to(outside)
    assert deliver_one(destination, path=path) == ["SEC_SYMLINK"]
    assert [each.name for each in outside.rglob("*")] == ["deeper"]


def test_a_root_that_is_a_symbolic_link_is_refused(place: FolderPlace, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(place.root)
    assert deliver_one(FolderDestination(FolderOptions(str(tmp_path / "link")))) == ["SEC_SYMLINK"]
    assert place.files() == {}


def test_a_symbolic_link_under_the_final_name_is_neither_followed_nor_replaced(
    destination: FolderDestination, place: FolderPlace, tmp_path: Path
) -> None:
    (tmp_path / "theirs").write_bytes(b"theirs")
    (place.root / "in/march/sales.csv").symlink_to(tmp_path / "theirs")
    assert deliver_one(destination) == ["SEC_SYMLINK"]
    assert (tmp_path / "theirs").read_bytes() == b"theirs"


def test_a_folder_or_a_pipe_under_the_final_name_is_left_alone(
    destination: FolderDestination, place: FolderPlace
) -> None:
    (place.root / "in/march/sales.csv").mkdir()
    os.mkfifo(place.root / "sales.csv")
    assert deliver_one(destination) == ["DST_NAME_TAKEN"]
    assert deliver_one(destination, path="") == ["DST_NAME_TAKEN"]
    assert place.files() == {}


def test_a_file_where_a_folder_should_be_is_named(destination: FolderDestination, place: FolderPlace) -> None:
    place.put("in/april", b"")
    assert deliver_one(destination, path="in/april") == ["DST_NO_FOLDER"]


def test_without_replacement_another_file_stays_and_our_own_is_recognised(
    options: FolderOptions, place: FolderPlace
) -> None:
    destination = FolderDestination(replace(options, replace=False))
    assert deliver_one(destination) == [""]
    assert deliver_one(destination) == [""]
    assert deliver_one(destination, b"other") == ["DST_EXISTS"]
    assert place.files() == {"in/march/sales.csv": b"bytes"}


def test_verifying_by_size_is_what_the_receipt_says_then(options: FolderOptions) -> None:
    destination = FolderDestination(replace(options, verify="size"))
    assert receipt(destination.deliver([file_delivery(b"bytes")])[0]).verified == "size"


@pytest.mark.parametrize(("verify", "damage"), [("hash", b"BYTES"), ("hash", b"byte"), ("size", b"byte")])
def test_a_file_that_does_not_read_back_as_it_was_written_gets_no_name(
    options: FolderOptions, place: FolderPlace, verify: str, damage: bytes
) -> None:
    def damage_it(point: str) -> None:
        if point == "synced":
            for path in place.root.rglob(".reportbus-*"):
                path.write_bytes(damage)

    changed = replace(options, verify=verify)  # type: ignore[arg-type]
    attempts = FolderDestination(changed, failpoint=damage_it).deliver([file_delivery(b"bytes")])
    assert codes(attempts) == ["TemporaryFailure"]
    assert "DST_VERIFY" in str(attempts[0])
    assert place.files() == {}


def test_where_the_partner_takes_a_temporary_file_away_the_delivery_is_tried_again(
    options: FolderOptions, place: FolderPlace
) -> None:
    def take_away(point: str) -> None:
        if point == "synced":
            for path in place.root.rglob(".reportbus-*"):
                path.unlink()

    assert deliver_one(FolderDestination(options, failpoint=take_away)) == ["TemporaryFailure"]
    assert place.files() == {}


def test_a_file_the_partner_takes_the_instant_it_appears_was_delivered(
    options: FolderOptions, place: FolderPlace
) -> None:
    def take(point: str) -> None:
        if point == "renamed":
            (place.root / "in/march/sales.csv").unlink()

    assert deliver_one(FolderDestination(options, failpoint=take)) == [""]


def test_temporary_names_say_whose_they_are_and_can_be_configured(
    options: FolderOptions, place: FolderPlace
) -> None:
    names: list[str] = []

    def look(point: str) -> None:
        if point == "written":
            names.extend(path.name for path in place.root.rglob("*") if path.is_file())

    deliver_one(FolderDestination(options, failpoint=look), b"one")
    deliver_one(
        FolderDestination(replace(options, temporary_prefix="~", temporary_suffix=".tmp"), failpoint=look)
    )
    assert names[0].startswith(".reportbus-R-1-1-")
    assert names[0].endswith(".part")
    assert any(name.startswith("~R-1-1-") and name.endswith(".tmp") for name in names)


def test_left_over_temporary_files_go_when_their_delivery_is_made_or_when_they_are_old(
    options: FolderOptions, place: FolderPlace
) -> None:
    mine, others, old, foreign = (
        place.root / "in/march" / name
        for name in (
            ".reportbus-R-1-1-rb0123456789.part",
            ".reportbus-R-2-1-rb0123456789.part",
            ".reportbus-R-3-1-rb0123456789.part",
            ".reportbus-notes.part",
        )
    )
    for path in (mine, others, old, foreign):
        path.write_bytes(b"half")
    os.utime(old, (1, 1))
    os.utime(foreign, (1, 1))
    assert deliver_one(FolderDestination(options)) == [""]
    assert [path.exists() for path in (mine, others, old, foreign)] == [False, True, False, True]


def test_a_delivery_cannot_be_named_like_a_temporary_file(destination: FolderDestination) -> None:
    name = ".reportbus-R-1-1-rb0123456789.part"
    assert codes(destination.deliver([file_delivery(b"bytes", name=name)])) == ["SEC_PATH"]


def test_an_id_that_is_no_plain_name_is_no_danger(destination: FolderDestination, place: FolderPlace) -> None:
    delivery = replace(file_delivery(b"bytes"), delivery_id="../../x/\0é\ud800" * 50)
    assert codes(destination.deliver([delivery])) == [""]
    assert place.files() == {"sales.csv": b"bytes"}


def test_what_may_not_be_written_is_told_with_operation_and_path(tmp_path: Path) -> None:
    answer = tmp_path / "answer"
    with TemporaryDirectory() as folder:  # not below tmp_path, where others than its owner cannot go
        Path(folder).chmod(0o555)
        assert run_script(SCRIPT, "deliver_as_nobody", folder, str(answer)) == 0
    assert answer.read_text() == (
        f"DST_PERMISSION: copying reports/R-1/1/1/sales.csv to {folder}/sales.csv: permission denied"
    )


def test_a_root_that_cannot_be_looked_at_is_told_and_left_closed(tmp_path: Path) -> None:
    answer = tmp_path / "answer"
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o444)
        assert run_script(SCRIPT, "deliver_as_nobody_below_a_mount", folder, str(answer)) == 0
    assert answer.read_text() == f"DST_PERMISSION: opening {folder}: permission denied; 0 open"


def test_a_full_disk_is_a_passing_fault_and_leaves_nothing(tmp_path: Path) -> None:
    try:
        with small_disk(tmp_path / "disk", 64) as disk:
            destination = FolderDestination(FolderOptions(str(disk)))
            attempts = destination.deliver(
                [file_delivery(b"x" * 100_000), file_delivery(b"fits", name="b.csv")]
            )
            assert codes(attempts) == ["TemporaryFailure", ""]
            assert "DST_NO_SPACE" in str(attempts[0])
            assert FolderPlace(disk).files() == {"b.csv": b"fits"}
            destination.close()
    except PartMissing as missing:
        leave_out(missing)


def test_a_temporary_folder_on_another_filesystem_is_a_mistake_in_the_configuration(
    options: FolderOptions, place: FolderPlace
) -> None:
    try:
        with small_disk(place.root / "tmp", 64) as disk:
            destination = FolderDestination(replace(options, temporary_folder="tmp"))
            assert deliver_one(destination) == ["DST_CROSS_DEVICE"]
            assert list(disk.iterdir()) == []
            destination.close()
    except PartMissing as missing:
        leave_out(missing)


@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [
        (errno.ENOSPC, Transient, "TemporaryFailure"),
        (errno.EIO, Transient, "TemporaryFailure"),
        (errno.EMFILE, Transient, "TemporaryFailure"),
        (errno.ESTALE, Transient, "ServiceUnavailable"),
        (errno.ETIMEDOUT, Transient, "ServiceUnavailable"),
        (errno.EDQUOT, Permanent, "DST_QUOTA"),
        (errno.EFBIG, Permanent, "DST_TOO_LARGE"),
        (errno.EACCES, Permanent, "DST_PERMISSION"),
        (errno.EROFS, Transient, "TemporaryFailure"),
        (errno.EISDIR, Permanent, "DST_NAME_TAKEN"),
        (errno.ENAMETOOLONG, Permanent, "CFG_PATH_TOO_LONG"),
        (errno.EINVAL, Permanent, "DST_REFUSED"),
    ],
)
def test_system_errors_become_ours(number: int, kind: type[Exception], code: str) -> None:
    error = folder_error(OSError(number, os.strerror(number)), "renaming x to y")
    assert (type(error), error.code) == (kind, code)
    assert error.text.startswith("renaming x to y: ")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_disk_that_takes_nothing_is_left_alone_for_a_minute(number: int) -> None:
    error = folder_error(OSError(number, os.strerror(number)), "writing x")
    assert isinstance(error, Transient)
    assert error.retry_after == 60


def test_a_test_tells_what_to_mend(tmp_path: Path) -> None:
    verdict = FolderDestination(FolderOptions(str(tmp_path / "missing"))).test()
    assert not verdict.ok
    assert "DST_ROOT_MISSING" in verdict.text
    assert "Create it or mount it" in verdict.text


def test_a_repeat_reads_nothing_from_staging_where_the_file_stands(
    destination: FolderDestination, place: FolderPlace
) -> None:
    place.put("sales.csv", b"bytes")
    attempt = destination.deliver([replace(file_delivery(b"bytes"), open=nothing_is_staged)])[0]
    assert receipt(attempt).repeated


@pytest.mark.parametrize("mkdirs", [True, False])
def test_a_test_makes_no_folder_and_touches_none(tmp_path: Path, *, mkdirs: bool) -> None:
    os.utime(tmp_path, (1, 1))
    options = FolderOptions(str(tmp_path), mkdirs=mkdirs, temporary_folder="growing/here")
    assert FolderDestination(options).test().ok is mkdirs
    assert list(tmp_path.iterdir()) == []
    assert tmp_path.stat().st_mtime == 1


def test_a_test_finds_a_file_where_the_temporary_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "growing").write_bytes(b"")
    options = FolderOptions(str(tmp_path), mkdirs=True, temporary_folder="growing/here")
    assert "DST_NO_FOLDER" in FolderDestination(options).test().text


# -- of two requests for one name


def asked_at(minute: int, content: bytes) -> Delivery:
    """The delivery of a request of that minute, all of them for the same file."""
    at = NOON + timedelta(minutes=minute)
    return file_delivery(content, number=minute, path="in/march", at=at)


def put_by_another(place: FolderPlace, minute: int, content: bytes) -> None:
    """What another process does at the end of a delivery."""
    other = FolderDestination(FolderOptions(str(place.root / "in"), mkdirs=True))
    at = NOON + timedelta(minutes=minute)
    receipt(other.deliver([file_delivery(content, number=minute, path="elsewhere", at=at)])[0])
    (place.root / "in/elsewhere/sales.csv").rename(place.root / "in/march/sales.csv")


@pytest.fixture
def ordered(place: FolderPlace) -> FolderPlace:
    """A folder on a filesystem that keeps marks."""
    try:
        os.setxattr(place.root, MARK, b"")
    except OSError as error:
        leave_out(PartMissing(f"no extended attributes here: {error}"))
    return place


def test_an_older_request_that_comes_later_does_not_replace_the_newer_ones_file(
    options: FolderOptions, ordered: FolderPlace
) -> None:
    receipt(FolderDestination(options).deliver([asked_at(2, b"newer")])[0])
    for _ in range(2):
        older = receipt(FolderDestination(options).deliver([asked_at(1, b"older")])[0])
        assert (older.verified, older.repeated) == ("superseded", False)
        assert older.location.endswith("in/march/sales.csv")
        assert ordered.files() == {"in/march/sales.csv": b"newer"}
    assert receipt(FolderDestination(options).deliver([asked_at(3, b"newest")])[0]).verified == "hash"
    assert ordered.files() == {"in/march/sales.csv": b"newest"}


def test_a_newer_request_with_the_bytes_of_an_older_one_keeps_the_name_against_those_between(
    destination: FolderDestination, ordered: FolderPlace
) -> None:
    destination.deliver([asked_at(1, b"same")])
    again = receipt(destination.deliver([asked_at(3, b"same")])[0])
    assert not again.repeated
    assert receipt(destination.deliver([asked_at(2, b"other")])[0]).verified == "superseded"
    assert ordered.files() == {"in/march/sales.csv": b"same"}


def test_whoever_renames_waits_for_the_others_and_only_then_looks_what_stands_there(
    options: FolderOptions, ordered: FolderPlace
) -> None:
    about_to_rename = threading.Event()

    def reached(point: str) -> None:
        if point == "synced":
            about_to_rename.set()

    destination = FolderDestination(options, failpoint=reached)
    with ThreadPoolExecutor(1) as pool, closing_fd(os.open(ordered.root / "in/march", os.O_RDONLY)) as folder:
        fcntl.flock(folder, fcntl.LOCK_EX)
        delivering = pool.submit(destination.deliver, [asked_at(1, b"older")])
        assert about_to_rename.wait(10)
        put_by_another(ordered, 2, b"newer")
        fcntl.flock(folder, fcntl.LOCK_UN)
        assert receipt(delivering.result(10)[0]).verified == "superseded"
    assert ordered.files() == {"in/march/sales.csv": b"newer"}


def test_many_at_once_leave_the_file_of_the_newest(options: FolderOptions, ordered: FolderPlace) -> None:
    minutes = [number * 37 % 61 for number in range(1, 61)]
    own = [FolderDestination(options) for _ in range(4)]

    def deliver(number: int) -> list[str]:
        mine = minutes[number::4]
        return [
            each for minute in mine for each in codes(own[number].deliver([asked_at(minute, b"%d" % minute)]))
        ]

    with ThreadPoolExecutor(4) as pool:
        answers = [each for some in pool.map(deliver, range(4)) for each in some]
    assert answers == [""] * 60
    assert ordered.files() == {"in/march/sales.csv": b"60"}


def test_somebody_who_keeps_the_folder_locked_does_not_keep_files_out(
    destination: FolderDestination, place: FolderPlace
) -> None:
    with closing_fd(os.open(place.root / "in/march", os.O_RDONLY)) as folder:
        fcntl.flock(folder, fcntl.LOCK_EX)
        assert deliver_one(destination) == [""]
    assert place.files() == {"in/march/sales.csv": b"bytes"}


@pytest.mark.parametrize("mark", [b"", b"yesterday", b"\xff", b"2099-01-01", b"2099-01-01T00:00:00"])
def test_a_mark_that_nobody_can_read_counts_as_none(
    destination: FolderDestination, ordered: FolderPlace, mark: bytes
) -> None:
    ordered.put("in/march/sales.csv", b"old")
    os.setxattr(ordered.root / "in/march/sales.csv", MARK, mark)
    assert receipt(destination.deliver([asked_at(1, b"new")])[0]).verified == "hash"
    assert ordered.files() == {"in/march/sales.csv": b"new"}


def test_a_filesystem_without_marks_takes_files_all_the_same(tmp_path: Path) -> None:
    try:
        with small_disk(tmp_path / "plain", 1_024, "ramfs") as root:
            destination = FolderDestination(FolderOptions(str(root), mkdirs=True))
            assert codes(destination.deliver([asked_at(2, b"two"), asked_at(1, b"one")])) == ["", ""]
            assert FolderPlace(root).files() == {"in/march/sales.csv": b"two"}
    except PartMissing as missing:
        leave_out(missing)


@contextmanager
def closing_fd(fd: int) -> Iterator[int]:
    yield fd
    os.close(fd)
