from __future__ import annotations

import itertools

import pytest

from core.lifecycle_model import DELIVERED, GENERATED, NOON, NOTIFIED, POLICY, MemoryLedger, a_request
from reportbus.core import lifecycle
from reportbus.core.events import Failed, HandedBack, Kind, Lost, Released
from reportbus.core.jobs import Stage
from reportbus.core.lifecycle import NEXT, Fate, IllegalStep, Past, Policy, RunState
from reportbus.core.model import TERMINAL, Status
from reportbus.core.notes import EventType

PASSING = Failed(Kind.TRANSIENT, "ServiceUnavailable", "the share is away")
FOR_GOOD = Failed(Kind.PERMANENT, "DST_PERMISSION", "not allowed to write")
NOBODY_KNOWS = Failed(Kind.UNKNOWN, "DST_UNKNOWN", "the connection was lost after the last byte")

FAULT = Failed(Kind.PERMANENT, "SYS_INTERNAL", "ValueError at mail.py:7 in send")


def begun(targets: int = 1, *, notify: bool = False) -> MemoryLedger:
    """A request whose report is being made."""
    ledger = MemoryLedger(a_request(targets, notify=notify))
    ledger.accept()
    ledger.start(1)
    return ledger


def staged(targets: int = 1, *, notify: bool = False) -> MemoryLedger:
    """A request whose report is staged and whose deliveries are being made."""
    ledger = begun(targets, notify=notify)
    ledger.answer(1, GENERATED)
    for number in list(ledger.open):
        ledger.start(number)
    return ledger


def statuses(ledger: MemoryLedger) -> list[tuple[Status, Status]]:
    """The moves on record."""
    return [(note.old, note.new) for note in ledger.notes if note.old is not note.new]


def test_a_request_goes_through_all_statuses_to_completed() -> None:
    ledger = MemoryLedger(a_request())
    ledger.accept()
    ledger.drive()

    expected = [Status.PENDING, Status.IN_PROGRESS, Status.GENERATED, Status.DISTRIBUTED, Status.COMPLETED]

    assert list(itertools.pairwise(expected)) == statuses(ledger)


def test_completed_and_failed_lead_nowhere() -> None:
    assert {status for status, ways in NEXT.items() if not ways} == set(TERMINAL)


def test_a_request_without_targets_is_completed_once_staged() -> None:
    ledger = begun(targets=0)
    ledger.answer(1, GENERATED)

    assert (Status.COMPLETED, {}) == (ledger.state.status, ledger.open)


def test_a_passing_fault_is_tried_again_three_times_and_then_given_up() -> None:
    ledger = begun()
    fates = []
    for _ in range(4):
        fates.append(ledger.answer(1, PASSING).fate)
        if 1 in ledger.open:
            ledger.start(1)

    assert [Fate.AGAIN, Fate.AGAIN, Fate.AGAIN, Fate.FAILED] == fates
    assert (Status.FAILED, "ServiceUnavailable") == (ledger.state.status, ledger.state.code)


def test_a_fault_for_good_is_never_tried_again() -> None:
    ledger = begun()

    assert ledger.answer(1, FOR_GOOD).fate is Fate.FAILED
    assert (Status.FAILED, "DST_PERMISSION") == (ledger.state.status, ledger.state.code)


def test_an_unknown_outcome_is_tried_once_more_and_no_oftener() -> None:
    ledger = staged()
    first = ledger.answer(2, NOBODY_KNOWS)
    ledger.start(2)
    second = ledger.answer(2, NOBODY_KNOWS)

    assert (Fate.AGAIN, Fate.FAILED) == (first.fate, second.fate)


@pytest.mark.parametrize("answer", [NOBODY_KNOWS, FAULT, Lost(), Released()])
@pytest.mark.parametrize("still_staged", [True, False])
def test_a_retry_after_an_outcome_that_nobody_knows_is_marked(
    answer: Failed | Lost | Released,
    still_staged: bool,  # noqa: FBT001 - pytest passes by name
) -> None:
    ledger = staged(targets=2)
    ledger.answer(2, answer)
    while 2 in ledger.open:
        ledger.start(2)
        ledger.answer(2, FOR_GOOD)
    ledger.answer(3, FOR_GOOD)
    ledger.staged = still_staged
    ledger.retry()
    if not still_staged:
        number = next(iter(ledger.open))
        ledger.start(number)
        ledger.answer(number, GENERATED)

    assert {1: True, 2: False} == {held.job.subject: held.job.doubtful for held in ledger.open.values()}


def test_a_retry_after_a_cancel_is_marked_where_a_worker_was_lost_before() -> None:
    ledger = staged(targets=2)
    ledger.answer(2, Lost())
    ledger.cancel()
    ledger.answer(3, FOR_GOOD)
    ledger.retry()

    assert {1: True, 2: False} == {held.job.subject: held.job.doubtful for held in ledger.open.values()}


def test_an_unknown_outcome_after_a_retry_is_tried_again_by_nobody_but_people() -> None:
    ledger = staged()
    for _ in range(2):
        ledger.answer(2, NOBODY_KNOWS)
        ledger.start(2) if 2 in ledger.open else ledger.retry()
    (number,) = ledger.open
    ledger.start(number)

    assert Fate.FAILED is ledger.answer(number, NOBODY_KNOWS).fate


def test_one_failed_target_does_not_stop_the_others_and_is_named_at_the_end() -> None:
    ledger = staged(targets=3)
    ledger.answer(3, FOR_GOOD)
    assert ledger.state.status is Status.GENERATED
    ledger.answer(2, DELIVERED)
    ledger.answer(4, DELIVERED)

    assert (Status.FAILED, (2,)) == (ledger.state.status, ledger.outcomes[0][1].missing)
    assert {1, 3} == ledger.delivered


def test_a_retry_delivers_only_what_is_missing_without_asking_the_engine() -> None:
    ledger = staged(targets=3)
    ledger.answer(2, DELIVERED)
    ledger.answer(3, FOR_GOOD)
    ledger.answer(4, DELIVERED)
    ledger.retry()

    assert [2] == [held.job.subject for held in ledger.open.values()]
    assert (2, Status.GENERATED) == (ledger.state.run, ledger.state.status)
    ledger.drive()
    assert (Status.COMPLETED, 1) == (ledger.state.status, ledger.engine_calls)


def test_a_retry_asks_the_engine_where_nothing_is_staged() -> None:
    ledger = begun(targets=2)
    ledger.answer(1, FOR_GOOD)
    ledger.retry()

    assert (2, Status.PENDING) == (ledger.state.run, ledger.state.status)
    assert [Stage.GENERATE] == [held.job.stage for held in ledger.open.values()]


def test_a_report_made_anew_goes_only_to_targets_that_do_not_have_it() -> None:
    ledger = staged(targets=2)
    ledger.answer(2, DELIVERED)
    ledger.answer(3, FOR_GOOD)
    ledger.staged = False
    ledger.retry()
    ledger.drive()

    assert (Status.COMPLETED, 2, {1, 2}) == (ledger.state.status, ledger.engine_calls, ledger.delivered)


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("cancelled", [False, True])
def test_a_later_run_that_ends_before_its_report_is_staged_misses_what_no_run_delivered(
    begun: bool,  # noqa: FBT001 - pytest passes by name
    cancelled: bool,  # noqa: FBT001 - as above
) -> None:
    ledger = staged(targets=3)
    ledger.answer(2, DELIVERED)
    ledger.answer(3, FOR_GOOD)
    ledger.answer(4, FOR_GOOD)
    ledger.staged = False
    ledger.retry()
    (number,) = ledger.open
    if begun:
        ledger.start(number)
    if cancelled:
        ledger.cancel()
    if number in ledger.open:
        ledger.answer(number, FOR_GOOD)

    assert [(1, (2, 3)), (2, (2, 3))] == [(run, outcome.missing) for run, outcome in ledger.outcomes]


def test_a_retry_with_every_target_delivered_is_completed_at_once() -> None:
    ledger = staged(targets=1)
    ledger.delivered.add(1)
    ledger.answer(2, FOR_GOOD)
    ledger.retry()

    assert (Status.COMPLETED, {}) == (ledger.state.status, ledger.open)


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.FAILED])
def test_only_a_failed_request_can_be_retried(status: Status) -> None:
    with pytest.raises(IllegalStep):
        lifecycle.retry(RunState(1, status), a_request(), past=Past(), staged=True)


def test_cancelling_a_waiting_request_ends_it_at_once() -> None:
    ledger = MemoryLedger(a_request())
    ledger.accept()
    ledger.cancel()

    assert (Status.FAILED, "RUN_CANCELLED", {}) == (ledger.state.status, ledger.state.code, ledger.open)


def test_a_report_that_was_being_made_when_cancelled_is_not_delivered() -> None:
    ledger = begun(targets=2)
    ledger.cancel()
    assert ledger.state.status is Status.IN_PROGRESS
    ledger.answer(1, GENERATED)

    assert (Status.FAILED, "RUN_CANCELLED", (1, 2)) == (
        ledger.state.status,
        ledger.state.code,
        ledger.outcomes[0][1].missing,
    )


def test_a_cancel_that_comes_too_late_for_the_last_delivery_leaves_the_truth() -> None:
    ledger = staged(targets=1)
    ledger.cancel()
    ledger.answer(2, DELIVERED)

    assert (Status.COMPLETED, "") == (ledger.state.status, ledger.state.code)


def test_a_cancelled_step_is_not_tried_again() -> None:
    ledger = staged(targets=1)
    ledger.cancel()

    assert ledger.answer(2, PASSING).fate is Fate.FAILED
    assert (Status.FAILED, "RUN_CANCELLED") == (ledger.state.status, ledger.state.code)


@pytest.mark.parametrize("answer", [HandedBack(), Released(), Lost()])
def test_a_cancelled_job_that_comes_back_undone_ends_the_run(answer: HandedBack | Released | Lost) -> None:
    ledger = begun()
    ledger.cancel()
    ledger.answer(1, answer)

    assert (Status.FAILED, "RUN_CANCELLED", {}) == (ledger.state.status, ledger.state.code, ledger.open)


def test_an_ended_run_cannot_be_cancelled() -> None:
    ledger = MemoryLedger(a_request())
    ledger.accept()
    ledger.drive()

    with pytest.raises(IllegalStep):
        ledger.cancel()


def test_a_lost_worker_costs_no_attempt_until_the_job_has_killed_too_many() -> None:
    ledger = begun()
    for _ in range(POLICY.max_losses):
        assert ledger.answer(1, Lost()).fate is Fate.AGAIN
        assert ledger.open[1].job.attempt == 1
        ledger.start(1)

    assert ledger.answer(1, Lost()).fate is Fate.FAILED
    assert ledger.state.code == "SYS_CRASH_LOOP"


def test_work_that_living_workers_let_go_is_never_given_up_for_that() -> None:
    ledger = begun()
    for _ in range(3 * POLICY.max_losses):
        assert ledger.answer(1, Released()).fate is Fate.AGAIN
        assert (1, 0) == (ledger.open[1].job.attempt, ledger.open[1].job.losses)
        ledger.start(1)


def test_work_handed_back_costs_nothing() -> None:
    ledger = begun()
    before = ledger.open[1].job

    assert (Fate.AGAIN, before) == (ledger.answer(1, HandedBack()).fate, ledger.open[1].job)


def test_the_outcome_opens_its_notices_in_the_same_step() -> None:
    ledger = staged(notify=True)
    ledger.answer(2, DELIVERED)

    assert ledger.state.status is Status.COMPLETED
    assert [Stage.NOTIFY] == [held.job.stage for held in ledger.open.values()]


def test_a_notice_that_fails_for_good_changes_no_outcome() -> None:
    ledger = staged(notify=True)
    ledger.answer(2, DELIVERED)
    step = ledger.answer(3, FOR_GOOD)

    assert (Fate.FAILED, Status.COMPLETED, {}) == (step.fate, ledger.state.status, ledger.open)
    assert ledger.notes[-1].type is EventType.ERROR


def test_a_notice_of_an_older_run_is_still_answered() -> None:
    ledger = staged(notify=True)
    ledger.answer(2, FOR_GOOD)
    ledger.retry()

    assert ledger.answer(3, NOTIFIED).fate is Fate.DONE
    assert ledger.state.run == 2


@pytest.mark.parametrize(
    ("stage", "answer"),
    [(1, DELIVERED), (1, NOTIFIED), (2, GENERATED), (2, NOTIFIED)],
)
def test_an_answer_that_does_not_fit_its_job_changes_nothing(stage: int, answer: object) -> None:
    ledger = begun() if stage == 1 else staged()
    before = ledger.state

    with pytest.raises(IllegalStep):
        ledger.answer(stage, answer)  # type: ignore[arg-type] # that is the point
    assert before == ledger.state


def test_a_report_that_nobody_took_up_cannot_be_staged() -> None:
    ledger = MemoryLedger(a_request())
    ledger.accept()

    with pytest.raises(IllegalStep, match="no way from PENDING by STAGED"):
        ledger.answer(1, GENERATED)


def test_a_refused_request_is_failed_from_the_beginning() -> None:
    step = lifecycle.refuse("VAL_FORMAT", "no format DOC")

    assert (Status.FAILED, "VAL_FORMAT", ()) == (step.state.status, step.state.code, step.opened)
    assert step.error is not None
    assert not step.error.retry_eligible


def test_waits_double_and_are_capped() -> None:
    policy = Policy()

    assert [2, 4, 8] == [policy.delay(attempt, 1.0) for attempt in (1, 2, 3)]
    assert policy.delay(9, 1.0) == policy.delay(10_000, 1.0) == 300


@pytest.mark.parametrize(
    "usual", [Policy(), Policy(max_backoff=20), Policy(backoff_base=1.01), Policy(max_backoff=3_600)]
)
def test_notices_are_tried_for_a_day_whatever_the_longest_wait_is(usual: Policy) -> None:
    policy = usual.lasting(lifecycle.NOTICE_SECONDS)
    average = sum(policy.delay(attempt, 0.5) for attempt in range(1, policy.max_retries + 1))

    assert 86_400 == pytest.approx(average, abs=policy.max_backoff / 2)


def test_a_day_is_583_waits_of_up_to_five_minutes() -> None:
    assert (583, 300) == (lifecycle.NOTIFY_POLICY.max_retries, lifecycle.NOTIFY_POLICY.max_backoff)


@pytest.mark.parametrize(("wish", "waits"), [(7.0, 7.0), (10.0**9, 300.0), (-5.0, 0.0), (None, 0.0)])
def test_the_other_sides_wish_is_honoured_within_limits(wish: float | None, waits: float) -> None:
    assert waits == Policy().delay(1, 0.0, wish)


def test_a_request_expires_like_it_is_cancelled() -> None:
    request = a_request()
    state = lifecycle.accept(request).state
    step = lifecycle.end_early(state, "RUN_EXPIRED", "too late", closed=[], request=request, past=Past)

    assert ("RUN_EXPIRED", Status.PENDING) == (step.state.ending, step.state.status)
    assert request.expires_at > NOON
