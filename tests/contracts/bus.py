"""What every bus does."""

from __future__ import annotations

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.bus_groups import BusGroups
from contracts.bus_keeping import BusKeeping
from contracts.bus_messages import GROUP, MAX_BODY, TOPIC, WAIT_SECONDS, drain, keys, messages, take
from reportbus.core.errors import Permanent
from reportbus.ports import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reportbus.ports import Batch, Bus

_topics = (f"topic-{number}" for number in itertools.count())


class BusContract(BusGroups, BusKeeping):
    """The subclass has four fixtures.

    `bus` is an empty one; `open_bus` opens the same bus in any process; `later` lets time pass for the bus
    and says what time it is; `lapse` lets the time pass that a member may hold a batch.
    """

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
