"""How a topic is measured and trimmed on every bus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.bus_messages import GROUP, TOPIC, keys, messages, numbered, take

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from reportbus.ports import Bus


class BusKeeping:
    """Depth and trim."""

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
