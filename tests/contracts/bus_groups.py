"""How the members of a group share messages on every bus, whatever becomes of a member."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

from contracts.bus_member import remote_member
from contracts.bus_messages import GROUP, TOPIC, WAIT_SECONDS, drain, keys, messages, numbered, take

if TYPE_CHECKING:
    from collections.abc import Callable

    from reportbus.ports import Bus


class BusGroups:
    """Groups, and what a member leaves behind."""

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
