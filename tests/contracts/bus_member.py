"""A member of a consumer group in a process of its own."""

from __future__ import annotations

import multiprocessing
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    from reportbus.ports import Batch, Bus

WAIT_SECONDS = 30


class RemoteMember:
    """What its process does on our word; it can be killed at any moment."""

    def __init__(self, process: BaseProcess, orders: Connection) -> None:
        self._process = process
        self._orders = orders

    def poll(self, limit: int, timeout: float) -> list[str]:
        """Take a batch and hold it; the keys of its messages."""
        return self._ask(("poll", limit, timeout))

    def drain(self, limit: int) -> list[str]:
        """Take and commit batches until none comes; the keys of all their messages."""
        return self._ask(("drain", limit, 0.5))

    def ready(self) -> None:
        """Wait until the member is there."""
        self._ask(("poll", 0, 0.0))

    def kill(self) -> None:
        """End the process as a crash would."""
        self._process.kill()
        self._process.join(WAIT_SECONDS)

    def _ask(self, order: tuple[str, int, float]) -> list[str]:
        self._orders.send(order)
        if not self._orders.poll(WAIT_SECONDS):
            raise TimeoutError(f"no answer to {order[0]}")
        keys: list[str] = self._orders.recv()
        return keys


@contextmanager
def remote_member(open_bus: Callable[[], Bus], topic: str, group: str) -> Iterator[RemoteMember]:
    """A new process that opens the bus and subscribes; it is gone after the block."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(open_bus, topic, group, theirs), daemon=True)
    process.start()
    theirs.close()
    member = RemoteMember(process, ours)
    try:
        yield member
    finally:
        member.kill()
        process.close()
        ours.close()


def _serve(open_bus: Callable[[], Bus], topic: str, group: str, orders: Connection) -> None:
    consumer = open_bus().subscribe(topic, group)
    while True:
        order, limit, timeout = orders.recv()
        batch = consumer.poll(limit, timeout)
        keys = _keys(batch)
        while order == "drain" and batch.messages:
            consumer.commit(batch)
            batch = consumer.poll(limit, timeout)
            keys += _keys(batch)
        orders.send(keys)


def _keys(batch: Batch) -> list[str]:
    return [message.key for message in batch.messages]
