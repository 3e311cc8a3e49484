"""What every bus does."""

from __future__ import annotations

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.bus_member import remote_member
from reportbus.core.errors import Permanent
from reportbus.ports import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from reportbus.ports import Batch, Bus, Consumer

TOPIC = "report-requests"
GROUP = "orchestrator"
WAIT_SECONDS = 20
MAX_BODY = 262_144

_topics = (f"topic-{number}" for number in itertools.count())


def messages(*keys: str) -> list[Message]:
    return [Message(key, f"body of {key}") for key in keys]


def numbered(count: int) -> list[Message]:
    return messages(*(f"{number:04}" for number in range(count)))


def keys(batch: Batch) -> list[str]:
    return [message.key for message in batch.messages]


def take(consumer: Consumer, limit: int = 500) -> list[str]:
    """What is there now, committed."""
    batch = consumer.poll(limit, 0)
    consumer.commit(batch)
    return keys(batch)


def drain(consumer: Consumer, limit: int = 500) -> list[str]:
    """All that comes, committed, until nothing comes for a while."""
    found: list[str] = []
    while True:
        batch = consumer.poll(limit, 0.3)
        if not batch.messages:
            return found
        consumer.commit(batch)
        found += keys(batch)


class BusContract:
    """The subclass has four fixtures.

    `bus` is an empty one; `open_bus` opens the same bus in any process; `later` lets time pass for the bus
    and says what time it is; `lapse` lets the time pass that a member may hold a batch.
    """

    # -- publish and poll ---------------------------------------------------------------------------------

    def test_messages_are_polled_whole_and_in_order(self, bus: Bus) -> None:
        sent = [Message("R-1", '{"ü": "\u0000\n"}'), Message("", ""), Message("R-1", "x" * 100_000)]
        bus.publish(TOPIC, sent)
        assert bus.subscribe(TOPIC, GROUP).poll(10, 0).messages == tuple(sent)

    def test_a_batch_has_at_most_as_many_messages_as_asked_for(self, bus: Bus) -> None:
        bus.publish(TOPIC, messages("1", "2", "3"))
        consumer = bus.subscribe(TOPIC, GROUP)
        assert [take(consumer, 2), take(consumer, 2), take(consumer, 2)] == [["1", "2"], ["3"], []]

    def test_asking_for_nothing_takes_nothing(self, bus: Bus) -> None:
        bus.publish(TOPIC, messages("1"))
        consumer = bus.subscribe(TOPIC, GROUP)
        assert [take(consumer, 0), take(consumer)] == [[], ["1"]]

    def test_publishing_nothing_is_harmless(self, bus: Bus) -> None:
        bus.publish(TOPIC, [])
        assert take(bus.subscribe(TOPIC, GROUP)) == []

    def test_topics_do_not_mix(self, bus: Bus) -> None:
        for number in range(3):
            bus.publish(TOPIC, messages(f"ours-{number}"))
            bus.publish("another", messages(f"theirs-{number}"))
        assert take(bus.subscribe(TOPIC, GROUP)) == ["ours-0", "ours-1", "ours-2"]
        assert take(bus.subscribe("another", GROUP)) == ["theirs-0", "theirs-1", "theirs-2"]

    @pytest.mark.parametrize("body", ["x" * (MAX_BODY + 1), "ü" * (MAX_BODY // 2 + 1), "\ud800"])
    def test_a_message_the_bus_cannot_carry_is_refused_with_all_that_came_with_it(
        self, bus: Bus, body: str
    ) -> None:
        with pytest.raises(Permanent) as refused:
            bus.publish(TOPIC, [Message("good", ""), Message("bad", body)])
        assert refused.value.code == "SYS_MESSAGE"
        assert take(bus.subscribe(TOPIC, GROUP)) == []

    def test_the_largest_message_allowed_is_carried(self, bus: Bus) -> None:
        bus.publish(TOPIC, [Message("large", "ü" * (MAX_BODY // 2))])
        assert take(bus.subscribe(TOPIC, GROUP)) == ["large"]

    # -- waiting ------------------------------------------------------------------------------------------

    def test_an_empty_poll_ends_at_its_time_limit(self, bus: Bus) -> None:
        consumer = bus.subscribe(TOPIC, GROUP)
        started = time.monotonic()
        assert consumer.poll(10, 0.1).messages == ()
        assert 0.1 <= time.monotonic() - started < WAIT_SECONDS

    def test_a_message_published_while_one_waits_ends_the_wait(
        self, bus: Bus, open_bus: Callable[[], Bus]
    ) -> None:
        consumer = bus.subscribe(TOPIC, GROUP)
        with ThreadPoolExecutor(1) as pool:
            for publisher in (bus, open_bus()):
                waiting = pool.submit(consumer.poll, 10, WAIT_SECONDS)
                publisher.publish(TOPIC, messages("news"))
                batch = waiting.result(WAIT_SECONDS / 2)
                assert keys(batch) == ["news"]
                consumer.commit(batch)
            publisher.close()

    # -- groups -------------------------------------------------------------------------------------------

    def test_every_group_gets_every_message_also_one_that_comes_late(self, bus: Bus) -> None:
        first = bus.subscribe(TOPIC, "first")
        bus.publish(TOPIC, messages("1", "2"))
        assert take(first) == ["1", "2"]
        assert take(bus.subscribe(TOPIC, "second")) == ["1", "2"]

    def test_members_of_a_group_share_its_messages(self, bus: Bus) -> None:
        bus.publish(TOPIC, messages("1", "2", "3"))
        ann, ben = (bus.subscribe(TOPIC, GROUP) for _ in range(2))
        held = [keys(ann.poll(1, 0)), keys(ben.poll(1, 0)), keys(ann.poll(5, 0)), keys(ben.poll(5, 0))]
        assert held == [["1"], ["2"], ["3"], []]

    def test_what_is_committed_does_not_come_again(self, bus: Bus, lapse: Callable[[], None]) -> None:
        bus.publish(TOPIC, messages("1"))
        consumer = bus.subscribe(TOPIC, GROUP)
        batch = consumer.poll(10, 0)
        consumer.commit(batch)
        consumer.commit(batch)
        consumer.commit(consumer.poll(10, 0))
        consumer.close()
        lapse()
        assert take(bus.subscribe(TOPIC, GROUP)) == []

    def test_batches_may_be_committed_in_any_order(self, bus: Bus) -> None:
        bus.publish(TOPIC, messages("1", "2", "3"))
        consumer = bus.subscribe(TOPIC, GROUP)
        first, second, third = (consumer.poll(1, 0) for _ in range(3))
        consumer.commit(third)
        consumer.commit(first)
        consumer.close()
        assert second.messages
        assert drain(bus.subscribe(TOPIC, GROUP)) == ["2"]

    def test_four_threads_share_a_thousand_messages_and_none_comes_twice(self, bus: Bus) -> None:
        bus.publish(TOPIC, numbered(1_000))
        members = [bus.subscribe(TOPIC, GROUP) for _ in range(4)]
        with ThreadPoolExecutor(4) as pool:
            found = [key for some in pool.map(lambda member: drain(member, 7), members) for key in some]
        assert sorted(found) == [message.key for message in numbered(1_000)]

    def test_four_processes_share_a_thousand_messages_and_none_comes_twice(
        self, bus: Bus, open_bus: Callable[[], Bus]
    ) -> None:
        with ExitStack() as stack, ThreadPoolExecutor(4) as pool:
            members = [stack.enter_context(remote_member(open_bus, TOPIC, GROUP)) for _ in range(4)]
            for member in members:
                member.ready()
            drains = [pool.submit(member.drain, 7) for member in members]
            for start in range(0, 1_000, 100):
                bus.publish(TOPIC, numbered(1_000)[start : start + 100])
            found = [key for one in drains for key in one.result(WAIT_SECONDS)]
        found += drain(bus.subscribe(TOPIC, GROUP))
        assert sorted(found) == [message.key for message in numbered(1_000)]

    # -- what a member leaves behind ----------------------------------------------------------------------

    def test_what_a_closed_member_held_goes_to_another_at_once(self, bus: Bus) -> None:
        bus.publish(TOPIC, messages("1", "2", "3"))
        ann, ben = (bus.subscribe(TOPIC, GROUP) for _ in range(2))
        ann.poll(2, 0)
        ann.close()
        ann.close()
        assert drain(ben) == ["1", "2", "3"]

    def test_what_a_member_held_is_handed_out_in_smaller_batches_where_the_next_asks_for_less(
        self, bus: Bus
    ) -> None:
        bus.publish(TOPIC, numbered(7))
        ann, ben = (bus.subscribe(TOPIC, GROUP) for _ in range(2))
        ann.poll(5, 0)
        ann.close()
        assert drain(ben, 2) == [message.key for message in numbered(7)]
        assert bus.depth(TOPIC, GROUP) == 0

    def test_what_a_killed_process_held_goes_to_a_member_that_waits(
        self, bus: Bus, open_bus: Callable[[], Bus]
    ) -> None:
        bus.publish(TOPIC, messages("1", "2", "3"))
        consumer = bus.subscribe(TOPIC, GROUP)
        with remote_member(open_bus, TOPIC, GROUP) as member, ThreadPoolExecutor(1) as pool:
            assert member.poll(3, WAIT_SECONDS) == ["1", "2", "3"]
            assert keys(consumer.poll(10, 0)) == []
            waiting = pool.submit(consumer.poll, 10, WAIT_SECONDS)
            member.kill()
            assert keys(waiting.result(WAIT_SECONDS / 2)) == ["1", "2", "3"]

    def test_what_a_living_member_holds_too_long_goes_to_another(
        self, bus: Bus, lapse: Callable[[], None]
    ) -> None:
        bus.publish(TOPIC, messages("1"))
        ann, ben = (bus.subscribe(TOPIC, GROUP) for _ in range(2))
        late = ann.poll(10, 0)
        assert keys(ben.poll(10, 0)) == []
        lapse()
        again = ben.poll(10, 0)
        assert keys(again) == ["1"]
        ann.commit(late)
        ben.close()
        assert keys(ann.poll(10, 0)) == ["1"]

    def test_a_commit_that_comes_late_counts_where_nobody_has_taken_over(
        self, bus: Bus, lapse: Callable[[], None]
    ) -> None:
        bus.publish(TOPIC, messages("1"))
        consumer = bus.subscribe(TOPIC, GROUP)
        batch = consumer.poll(10, 0)
        lapse()
        consumer.commit(batch)
        assert take(consumer) == []

    # -- replay, depth and trim ---------------------------------------------------------------------------

    def test_a_group_can_be_set_back(self, bus: Bus, later: Callable[[], datetime]) -> None:
        other = bus.subscribe(TOPIC, "other")
        consumer = bus.subscribe(TOPIC, GROUP)
        moments = []
        for key in ("1", "2", "3"):
            moments.append(later())
            bus.publish(TOPIC, messages(key))
        assert take(consumer) == take(other) == ["1", "2", "3"]
        bus.seek(TOPIC, GROUP, moments[1])
        assert take(consumer) == ["2", "3"]
        bus.seek(TOPIC, GROUP, moments[0])
        assert take(consumer) == ["1", "2", "3"]
        assert take(other) == []

    def test_a_group_can_be_set_forward(self, bus: Bus, later: Callable[[], datetime]) -> None:
        consumer = bus.subscribe(TOPIC, GROUP)
        bus.publish(TOPIC, messages("1", "2"))
        moment = later()
        bus.publish(TOPIC, messages("3"))
        bus.seek(TOPIC, GROUP, moment)
        assert take(consumer) == ["3"]
        bus.publish(TOPIC, messages("4"))
        bus.seek(TOPIC, GROUP, later())
        assert take(consumer) == []
        bus.publish(TOPIC, messages("5"))
        assert take(consumer) == ["5"]

    def test_a_group_that_is_set_back_takes_what_its_members_hold_again(
        self, bus: Bus, later: Callable[[], datetime]
    ) -> None:
        moment = later()
        bus.publish(TOPIC, messages("1", "2"))
        consumer = bus.subscribe(TOPIC, GROUP)
        batch = consumer.poll(1, 0)
        bus.seek(TOPIC, GROUP, moment)
        consumer.commit(batch)
        assert take(consumer) == ["1", "2"]
        assert take(consumer) == []

    def test_a_group_may_be_set_before_it_has_members(self, bus: Bus, later: Callable[[], datetime]) -> None:
        bus.publish(TOPIC, messages("1"))
        bus.seek(TOPIC, GROUP, later())
        bus.publish(TOPIC, messages("2"))
        assert take(bus.subscribe(TOPIC, GROUP)) == ["2"]

    def test_depth_is_what_the_group_has_not_committed(self, bus: Bus) -> None:
        assert bus.depth(TOPIC, GROUP) == 0
        bus.publish(TOPIC, numbered(5))
        bus.publish("another", numbered(3))
        assert bus.depth(TOPIC, GROUP) == 5
        consumer = bus.subscribe(TOPIC, GROUP)
        held = consumer.poll(2, 0)
        assert bus.depth(TOPIC, GROUP) == 5
        consumer.commit(held)
        assert (bus.depth(TOPIC, GROUP), bus.depth(TOPIC, "other")) == (3, 5)

    def test_trim_drops_old_messages_that_every_group_has_committed(
        self, bus: Bus, later: Callable[[], datetime]
    ) -> None:
        bus.publish(TOPIC, messages("1", "2"))
        moment = later()
        bus.publish(TOPIC, messages("3"))
        first, second = (bus.subscribe(TOPIC, group) for group in ("first", "second"))
        assert take(first) == ["1", "2", "3"]
        second.commit(second.poll(1, 0))
        held = second.poll(1, 0)
        assert keys(held) == ["2"]
        assert bus.trim(TOPIC, moment) == 1
        second.commit(held)
        assert [bus.trim(TOPIC, moment), bus.trim(TOPIC, moment)] == [1, 0]
        assert take(second) == ["3"]
        assert bus.trim(TOPIC, moment) == 0
        assert take(bus.subscribe(TOPIC, "third")) == ["3"]

    # -- everything together ------------------------------------------------------------------------------

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        steps=st.lists(
            st.tuples(st.sampled_from(["publish", "poll", "commit", "close", "lapse"]), st.integers(0, 3)),
            max_size=25,
        )
    )
    def test_whatever_members_do_nothing_is_lost_and_nothing_is_in_two_hands(
        self, bus: Bus, lapse: Callable[[], None], steps: Sequence[tuple[str, int]]
    ) -> None:
        topic = next(_topics)
        members = [bus.subscribe(topic, GROUP) for _ in range(2)]
        published: list[str] = []
        committed: set[str] = set()
        held: list[list[Batch]] = [[], []]
        for step, number in steps:
            who = number % 2
            if step == "publish":
                some = [f"{len(published) + more}" for more in range(number + 1)]
                bus.publish(topic, messages(*some))
                published += some
            elif step == "poll":
                batch = members[who].poll(number + 1, 0)
                in_hands = {key for batches in held for other in batches for key in keys(other)}
                assert not in_hands.union(committed).intersection(keys(batch))
                held[who].append(batch)
            elif step == "commit" and held[who]:
                batch = held[who].pop(0)
                members[who].commit(batch)
                committed.update(keys(batch))
            elif step == "close":
                members[who].close()
                members[who], held[who] = bus.subscribe(topic, GROUP), []
            elif step == "lapse":
                lapse()
                held = [[], []]
            assert bus.depth(topic, GROUP) == len(published) - len(committed)
        for member in members:
            member.close()
        last = bus.subscribe(topic, GROUP)
        left = []
        while some := take(last, 3):
            left += some
        assert sorted(left, key=int) == [key for key in published if key not in committed]
        last.close()

    # -- closing ------------------------------------------------------------------------------------------

    def test_closing_twice_is_harmless_and_messages_stay(self, bus: Bus, open_bus: Callable[[], Bus]) -> None:
        bus.publish(TOPIC, messages("1", "2"))
        bus.subscribe(TOPIC, GROUP).poll(1, 0)
        bus.close()
        bus.close()
        again = open_bus()
        assert drain(again.subscribe(TOPIC, GROUP)) == ["1", "2"]
        again.close()

    def test_a_closed_consumer_says_so(self, bus: Bus) -> None:
        consumer = bus.subscribe(TOPIC, GROUP)
        consumer.close()
        with pytest.raises(Permanent, match="closed"):
            consumer.poll(1, WAIT_SECONDS)
