"""What every staging store does."""

from __future__ import annotations

import hashlib
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from reportbus.core.errors import Permanent, ReportbusError
from reportbus.ports import StagedObject

if TYPE_CHECKING:
    from collections.abc import Callable

    from reportbus.ports import Staging

KEY = "reports/R-1/1/2/sales.csv"
SIZES = (0, 1, 1023, 1024, 1025, 65_536, 65_537, 200_000, 5 * 1024 * 1024)
LIMIT = 64 * 1024 * 1024


def content_of(size: int) -> bytes:
    """Bytes that differ from place to place."""
    return (b"0123456789abcdefghijklmnopqrstuvwxyz\n" * (size // 37 + 1))[:size]


def stage(staging: Staging, key: str, content: bytes) -> StagedObject | ReportbusError:
    with staging.writer(key, limit=LIMIT) as writer:
        writer.write(content)
        return staging.publish([writer])[0]


def read(staging: Staging, key: str) -> bytes:
    with staging.open(key) as file:
        return file.read()


class StagingContract:
    """The subclass has two fixtures: `staging`, an empty store, and `elsewhere`, which opens it once more."""

    def test_a_published_report_can_be_found_and_read(self, staging: Staging) -> None:
        answer = stage(staging, KEY, b"a,b\n1,2\n")
        expected = StagedObject(KEY, 8, hashlib.sha256(b"a,b\n1,2\n").hexdigest())
        assert answer == expected
        assert staging.find(KEY) == expected
        assert read(staging, KEY) == b"a,b\n1,2\n"

    def test_another_process_sees_what_was_published(
        self, staging: Staging, elsewhere: Callable[[], Staging]
    ) -> None:
        stage(staging, KEY, b"bytes")
        assert read(elsewhere(), KEY) == b"bytes"

    def test_nothing_is_seen_before_it_is_published(self, staging: Staging) -> None:
        with staging.writer(KEY, limit=LIMIT) as writer:
            writer.write(content_of(200_000))
            assert staging.find(KEY) is None
            staging.publish([writer])
        assert staging.find(KEY) is not None

    def test_what_is_not_published_is_discarded(self, staging: Staging) -> None:
        with staging.writer(KEY, limit=LIMIT) as writer:
            writer.write(content_of(200_000))
        assert staging.find(KEY) is None
        assert stage(staging, KEY, b"another attempt") == staging.find(KEY)

    @pytest.mark.parametrize("size", SIZES)
    @pytest.mark.parametrize("step", [7_919, 1 << 20])
    def test_bytes_are_counted_and_hashed_as_they_go_by(self, staging: Staging, size: int, step: int) -> None:
        content = content_of(size)
        with staging.writer(KEY, limit=LIMIT) as writer:
            for start in range(0, size, step):
                piece = content[start : start + step]
                assert writer.write(piece) == len(piece)
            seen = writer.size, writer.head, writer.tail
            answer = staging.publish([writer])[0]
        assert seen == (size, content[:1024], content[-1024:])
        assert answer == StagedObject(KEY, size, hashlib.sha256(content).hexdigest())
        assert read(staging, KEY) == content

    @pytest.mark.parametrize(
        "sizes", [(10, 70_000), (10, 70_000, 10), (70_000, 10), (1, 0, 65_536, 1_000, 1)]
    )
    def test_head_and_tail_are_right_whatever_the_pieces(
        self, staging: Staging, sizes: tuple[int, ...]
    ) -> None:
        content = content_of(sum(sizes))
        rest = memoryview(content)
        with staging.writer(KEY, limit=LIMIT) as writer:
            for size in sizes:
                writer.write(rest[:size])
                rest = rest[size:]
            assert (writer.head, writer.tail) == (content[:1024], content[-1024:])

    def test_head_and_tail_stand_after_publishing_too(self, staging: Staging) -> None:
        content = content_of(70_000)
        with staging.writer(KEY, limit=LIMIT) as writer:
            writer.write(content)
            staging.publish([writer])
            assert (writer.head, writer.tail, writer.size) == (content[:1024], content[-1024:], 70_000)

    def test_any_kind_of_bytes_is_taken_as_it_is_at_that_moment(self, staging: Staging) -> None:
        changing = bytearray(b"one ")
        with staging.writer(KEY, limit=LIMIT) as writer:
            writer.write(changing)
            changing[:] = b"two "
            writer.write(memoryview(changing))
            changing[:] = b"XXXX"
            writer.write(memoryview(b"th_ree")[::1])
            staging.publish([writer])
        assert read(staging, KEY) == b"one two th_ree"

    def test_several_are_published_together_and_answered_in_order(self, staging: Staging) -> None:
        keys = [f"reports/R-{number}/1/1/sales.csv" for number in range(40)]
        writers = [staging.writer(key, limit=LIMIT) for key in keys]
        for writer in writers:
            writer.write(writer.key.encode())
        answers = staging.publish(writers)
        assert [answer.key for answer in answers if isinstance(answer, StagedObject)] == keys
        assert [read(staging, key) for key in keys] == [key.encode() for key in keys]

    def test_the_same_content_can_be_published_again(
        self, staging: Staging, elsewhere: Callable[[], Staging]
    ) -> None:
        assert stage(staging, KEY, b"same") == stage(elsewhere(), KEY, b"same")
        assert read(staging, KEY) == b"same"

    @pytest.mark.parametrize("other", [b"", b"other", b"other and longer"])
    def test_a_key_never_changes_content(self, staging: Staging, other: bytes) -> None:
        stage(staging, KEY, b"first")
        answer = stage(staging, KEY, other)
        assert isinstance(answer, Permanent)
        assert answer.code == "STG_MISMATCH"
        assert read(staging, KEY) == b"first"

    def test_one_that_is_refused_does_not_spoil_the_others(self, staging: Staging) -> None:
        stage(staging, KEY, b"first")
        keys = ["reports/R-2/1/1/a.csv", KEY, "reports/R-3/1/1/a.csv"]
        writers = [staging.writer(key, limit=LIMIT) for key in keys]
        for writer in writers:
            writer.write(b"second")
        codes = [getattr(answer, "code", "") for answer in staging.publish(writers)]
        assert codes == ["", "STG_MISMATCH", ""]
        assert [read(staging, key) for key in keys] == [b"second", b"first", b"second"]

    def test_of_many_that_race_for_a_key_one_wins_and_the_others_are_told(
        self, staging: Staging, elsewhere: Callable[[], Staging]
    ) -> None:
        stores = [staging, elsewhere(), elsewhere(), elsewhere()]
        ready = threading.Barrier(len(stores))

        def race(number: int) -> StagedObject | ReportbusError:
            ready.wait(10)
            return stage(stores[number], KEY, b"content of %d" % number)

        with ThreadPoolExecutor(len(stores)) as pool:
            answers = list(pool.map(race, range(len(stores))))
        winners = [answer for answer in answers if isinstance(answer, StagedObject)]
        losers = [answer.code for answer in answers if isinstance(answer, ReportbusError)]
        assert winners == [staging.find(KEY)]
        assert losers == ["STG_MISMATCH"] * (len(stores) - 1)

    def test_a_report_of_exactly_the_limit_is_taken_and_one_byte_more_is_not(self, staging: Staging) -> None:
        with staging.writer(KEY, limit=100_000) as writer:
            writer.write(content_of(100_000))
            with pytest.raises(Permanent) as refused:
                writer.write(b"x")
            assert refused.value.code == "ENG_OUTPUT_TOO_LARGE"
            assert writer.size == 100_000
            assert isinstance(staging.publish([writer])[0], StagedObject)

    def test_what_grew_too_large_is_not_there(self, staging: Staging) -> None:
        with staging.writer(KEY, limit=100_000) as writer:
            writer.write(content_of(90_000))
            with pytest.raises(Permanent):
                writer.write(content_of(90_000))
        assert staging.find(KEY) is None

    def test_what_is_not_there_is_not_found_and_cannot_be_opened(self, staging: Staging) -> None:
        assert staging.find(KEY) is None
        with pytest.raises(Permanent) as refused:
            staging.open(KEY)
        assert refused.value.code == "STG_MISSING"

    @pytest.mark.parametrize(
        "key",
        [
            "",
            "/etc/passwd",
            "reports/../../etc/passwd",
            "reports/R-1/1/1/..",
            "reports/R-1/1/1/a\0b",
            "reports/../1/1/a.csv",
            "delivered/R-1/1/1/a.csv",
            "reports/R-1/1/1/a/b.csv",
            "reports/R-1/1/1/\ud800.csv",
        ],
    )
    def test_what_is_no_staging_key_is_refused_everywhere(self, staging: Staging, key: str) -> None:
        ways: list[Callable[[], object]] = [
            lambda: staging.find(key),
            lambda: staging.open(key),
            lambda: staging.writer(key, limit=LIMIT),
        ]
        for way in ways:
            with pytest.raises(Permanent) as refused:
                way()
            assert refused.value.code == "SEC_PATH"

    @pytest.mark.parametrize(
        "name", ["Umsätze März.csv", "a~b+c=d.csv", "n" * 251 + ".csv", "ü" * 125 + ".csv"]
    )
    def test_a_file_may_have_any_name_that_targets_take(self, staging: Staging, name: str) -> None:
        key = f"reports/{'r' * 36}/12/345/{name}"
        stage(staging, key, b"bytes")
        assert read(staging, key) == b"bytes"

    def test_keys_that_look_alike_are_different_objects(self, staging: Staging) -> None:
        keys = [
            f"reports/{part}.csv" for part in ("R/1/11/a", "R/11/1/a", "R/1/1/1-a", "R-1/1/1/a", "r/1/11/a")
        ]
        for key in keys:
            stage(staging, key, key.encode())
        assert [read(staging, key) for key in keys] == [key.encode() for key in keys]

    def test_sweeping_removes_what_is_older_and_nothing_else(self, staging: Staging) -> None:
        stage(staging, KEY, b"bytes")
        assert staging.sweep(before=datetime.now(UTC) - timedelta(hours=1)) == 0
        assert staging.find(KEY) is not None
        assert staging.sweep(before=datetime.now(UTC) + timedelta(hours=1)) == 1
        assert staging.find(KEY) is None

    def test_a_large_report_is_not_held_in_memory(self, staging: Staging) -> None:
        piece = content_of(1 << 20)
        tracemalloc.start()
        try:
            with staging.writer(KEY, limit=LIMIT) as writer:
                for _ in range(40):
                    writer.write(piece)
                answer = staging.publish([writer])[0]
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert isinstance(answer, StagedObject)
        assert answer.size == 40 << 20
        assert peak < 16 << 20

    def test_publishing_nothing_answers_nothing(self, staging: Staging) -> None:
        assert list(staging.publish([])) == []

    def test_it_may_be_closed_twice(self, staging: Staging) -> None:
        staging.close()
        staging.close()
