"""The shapes of the outside systems. An adapter fills one of them; the contract stands here, not in the adapter.

Rules for every adapter:

* It raises `Transient`, `Permanent` or `Unknown` of `reportbus.core.errors` and nothing else; it never retries.
* Calls that take several items answer for each of them, in order: one bad item does not spoil the others.
* Every wait has a deadline. What an adapter opens is closed by `close`, which may be called twice.
* Objects are safe to use from several threads unless their docstring says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime
    from types import TracebackType
    from typing import BinaryIO

    from reportbus.core.errors import Problem, ReportbusError
    from reportbus.core.model import Artifact, JsonValue, Outcome, Receipt, Request, Status, Target

Attempt: TypeAlias = "Receipt | ReportbusError"
"""What came of one item of a call that takes several: the receipt, or the error it would have raised alone."""


class Clock(Protocol):
    """Time, so that tests can turn it."""

    def now(self) -> datetime:
        """The time of day, UTC, with zone."""

    def monotonic(self) -> float:
        """Seconds of a clock that never jumps, for waits and durations."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point on the monotonic clock by which an attempt has to end."""

    at: float
    clock: Clock

    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.at - self.clock.monotonic())

    def passed(self) -> bool:
        """Whether the time is up."""
        return self.clock.monotonic() >= self.at


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a test call found: `ok`, and one sentence that says so or says what to mend."""

    ok: bool
    text: str


# -- the worktable ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WorktableRow:
    """One PENDING row of REPORT_REQUESTS as it stands, with its DISTRIBUTION_CONFIG rows.

    `ref` is what the adapter needs to find this very row again, whatever its REQUEST_ID holds; nobody else reads
    it. `columns` maps the specification's column names to raw values (None, int, float, str), VARIANT columns as
    their JSON text; so do the entries of `distribution`.
    """

    ref: str
    columns: Mapping[str, JsonValue]
    distribution: tuple[Mapping[str, JsonValue], ...] = ()


@dataclass(frozen=True, slots=True)
class WriteBack:
    """What the worktable shall say of one row. `reopened` is set where a retry put a FAILED request on its way again."""

    ref: str
    request_id: str
    status: Status
    completed_at: datetime | None = None
    reopened: bool = False


class Worktable(Protocol):
    """The table people put requests into."""

    def fetch(self, limit: int, *, published_before: datetime) -> Sequence[WorktableRow]:
        """Up to `limit` PENDING rows, by priority and age, never published or last published before that time.

        Rows are found by status, never by a watermark of time: a row committed late is taken like any other.
        A row whose columns have odd types is returned as it is; judging it is not the worktable's business.
        """

    def stamp(self, refs: Sequence[str], at: datetime) -> None:
        """Write PROCESSED_AT of these rows. Repeating it is harmless; rows that are gone are passed over."""

    def write_back(self, changes: Sequence[WriteBack]) -> int:
        """Bring rows to the given status, in one batch; the number of rows changed.

        A row never moves backwards: PENDING < IN_PROGRESS < GENERATED < DISTRIBUTED < COMPLETED or FAILED. Only a
        `reopened` change may leave FAILED. Rows that are gone, or there already, are passed over.
        """

    def insert(self, rows: Sequence[Mapping[str, JsonValue]]) -> None:
        """Add REPORT_REQUESTS rows, all or none. Raises Permanent where one has the REQUEST_ID of another row."""

    def changed(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for a sign of new rows; a hint that may be early, late or missing."""

    def close(self) -> None:
        """Let go of the table."""


# -- the bus ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Message:
    """What is put on the bus: `body` is UTF-8 text of at most 256 KiB; `key` keeps equal things together."""

    key: str
    body: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages taken by one consumer, to be committed together. `token` is the adapter's own."""

    messages: tuple[Message, ...]
    token: str


class Consumer(Protocol):
    """One member of a consumer group; used by one thread at a time."""

    def poll(self, limit: int, timeout: float) -> Batch:
        """Up to `limit` messages nobody else of the group holds; an empty batch when none came in `timeout` seconds.

        At least once: what is not committed is handed out again, to this member or another, after the bus's limit,
        at once when the member is closed or its process is gone.
        """

    def commit(self, batch: Batch) -> None:
        """Done with these messages, for good. Committing twice, or too late, is harmless."""

    def close(self) -> None:
        """Leave the group; uncommitted messages go to the others."""


class Bus(Protocol):
    """Named streams of messages. It may lose, double or reorder: the ledger and the sweep make up for that."""

    def publish(self, topic: str, messages: Sequence[Message]) -> None:
        """Add messages to the stream, all or none; when it returns they can be polled."""

    def subscribe(self, topic: str, group: str) -> Consumer:
        """A new member of the group. A new group starts at the oldest message kept."""

    def seek(self, topic: str, group: str, since: datetime) -> None:
        """Set the group back (or forward) to the first message published at or after `since`: replay."""

    def depth(self, topic: str, group: str) -> int:
        """How many messages the group has not committed yet."""

    def trim(self, topic: str, before: datetime) -> int:
        """Drop messages published before that time which every group has committed; how many."""

    def close(self) -> None:
        """Let go of the bus."""


# -- staging ---------------------------------------------------------------------------------------------------


class StagedWriter(Protocol):
    """Where an engine writes a report: hashed and counted as the bytes go by, invisible until published.

    Not for several threads. Leaving the `with` block without `Staging.publish` discards it.
    """

    key: str

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        """Take bytes; Permanent ENG_OUTPUT_TOO_LARGE beyond the size limit."""

    @property
    def size(self) -> int:
        """Bytes so far."""

    @property
    def head(self) -> bytes:
        """The first bytes, up to 1,024."""

    @property
    def tail(self) -> bytes:
        """The last bytes, up to 1,024."""

    def __enter__(self) -> StagedWriter:
        """Start."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Discard what was not published."""


@dataclass(frozen=True, slots=True)
class StagedObject:
    """A whole file on staging: `size` in bytes, `sha256` in hexadecimal."""

    key: str
    size: int
    sha256: str


class Staging(Protocol):
    """Where finished reports wait for their deliveries. An object is whole or absent; a key never changes content."""

    def writer(self, key: str, *, limit: int) -> StagedWriter:
        """A writer for `key` that takes at most `limit` bytes."""

    def publish(self, writers: Sequence[StagedWriter]) -> Sequence[StagedObject | ReportbusError]:
        """Make the files durable, all of them together, then visible under their keys; emits their created events.

        Publishing the same content under its key again succeeds and changes nothing; other content under a key that
        exists is Permanent STG_MISMATCH.
        """

    def find(self, key: str) -> StagedObject | None:
        """The object under `key`, its hash computed from the bytes that stand there; None where there is none."""

    def open(self, key: str) -> BinaryIO:
        """The object's bytes. Permanent STG_MISSING where there is none."""

    def sweep(self, *, before: datetime) -> int:
        """Remove objects and left-over temporary files older than `before`; how many."""

    def close(self) -> None:
        """Let go of the store."""


# -- engines ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Work:
    """One attempt at making one report.

    `key` is the same for every attempt of the job: a repeat at an engine that knows keys finds the first. `checkpoint`
    is what an earlier attempt saved; `save` stores a new one durably before it returns (an engine's job id, before
    polling for it). `cancelled` says whether to stop; look at least once a second.
    """

    key: str
    request: Request
    deadline: Deadline
    checkpoint: Mapping[str, JsonValue]
    save: Callable[[Mapping[str, JsonValue]], None]
    cancelled: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Produced:
    """What an engine wrote into the sink. `rows` where it counts them, `note` for the audit trail."""

    rows: int | None = None
    note: str = ""


class Engine(Protocol):
    """What makes reports of one type."""

    def check(self, report_name: str, parameters: Mapping[str, JsonValue], format_: str) -> Sequence[Problem]:
        """Everything wrong with asking for this report, from what is known without a call; it is quick and pure.

        Codes: VAL_REPORT_UNKNOWN, VAL_FORMAT, VAL_PARAM_MISSING, VAL_PARAM_UNKNOWN, VAL_PARAM_TYPE, VAL_PARAM_LIMIT.
        """

    def generate(self, work: Work, sink: StagedWriter) -> Produced:
        """Make the report and write its bytes into `sink` as they come, in memory that does not grow with them.

        Ends by the deadline with Transient ConnectionTimeout, and soon after `cancelled` with Permanent RUN_CANCELLED;
        in both cases nothing of the work goes on behind it.
        """

    def test(self) -> Verdict:
        """One real call with a clear verdict; changes nothing."""

    def close(self) -> None:
        """Let go of connections and processes."""


# -- destinations and channels ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Delivery:
    """One file (or several) for one target.

    `delivery_id` is the same for every attempt and run. `open` gives the staged bytes. `possible_duplicate` is set
    where an earlier attempt's outcome is not known: a mail then says so.
    """

    delivery_id: str
    request: Request
    target: Target
    artifacts: tuple[Artifact, ...]
    open: Callable[[Artifact], BinaryIO]
    deadline: Deadline
    possible_duplicate: bool = False


class Destination(Protocol):
    """One configured place that takes files or mails."""

    def deliver(self, deliveries: Sequence[Delivery]) -> Sequence[Attempt]:
        """Deliver each; the answers stand in the same order, and one bad delivery does not spoil the others.

        Files: written under a temporary name, made durable, hashed while they pass against the artifact's recorded
        hash (STG_MISMATCH), verified, then renamed: the final name shows whole files only. A repeat that finds the
        right bytes under the final name does nothing and says `repeated`.
        """

    def test(self) -> Verdict:
        """Whether a delivery would get through; leaves nothing behind."""

    def close(self) -> None:
        """Let go of connections."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What a channel tells: how a request ended. `notice_id` is the same for every attempt.

    `delivered` and `missing` name the targets; `artifacts` the files. No report content, no secret.
    """

    notice_id: str
    request: Request
    to: tuple[str, ...]
    outcome: Outcome
    artifacts: tuple[Artifact, ...]
    at: datetime
    possible_duplicate: bool = False
    delivered: tuple[int, ...] = ()
    missing: tuple[int, ...] = ()


class Channel(Protocol):
    """A way to tell people or systems how a request ended."""

    def send(self, notices: Sequence[Notice]) -> Sequence[Attempt]:
        """Send each; the answers stand in the same order. A repeat carries the same id."""

    def close(self) -> None:
        """Let go of connections."""


# -- secrets ---------------------------------------------------------------------------------------------------


class Secrets(Protocol):
    """Named secrets. Their values go nowhere but to the system they open."""

    def get(self, name: str) -> Mapping[str, str]:
        """The secret's fields ("password" …), read anew or from a cache of at most five minutes.

        Permanent SEC_SECRET_NOT_FOUND, SEC_SECRET_FORMAT (names what is missing, never the content).
        """

    def refresh(self, name: str) -> Mapping[str, str]:
        """The same, past the cache: once, after a log-in was refused."""


