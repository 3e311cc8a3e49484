"""Work on batches by two threads at once, its results in order.

Arrow lets go of the interpreter while it turns columns into text, so two batches are done in little more than
the time of one. A report of a single batch starts no thread.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

_THREADS: Final = 2

T = TypeVar("T")
R = TypeVar("R")


def done_ahead(work: Callable[[T], R], items: Iterator[T]) -> Iterator[R]:
    """`work` of each item, in their order; never more than three items are in hand."""
    first = list(islice(items, _THREADS))
    if len(first) < _THREADS:
        yield from map(work, first)
        return
    in_hand: deque[Future[R]] = deque()
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="export") as threads:
        for item in chain(first, items):
            in_hand.append(threads.submit(work, item))
            if len(in_hand) > _THREADS:
                yield in_hand.popleft().result()
        while in_hand:
            yield in_hand.popleft().result()
