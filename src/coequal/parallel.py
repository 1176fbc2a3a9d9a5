"""Work on many items in threads, given back in order; and reading ahead of what uses it.

Threads pay where the work releases Python's lock, as Pillow's decoders and reading from a disk do.
How many there are changes no result.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

ITEMS_PER_CALL = 4  # so that handing work over takes less time than the work
CALLS_AHEAD = 2  # for each thread: what is done, and not used yet, is held in memory

_threads: ContextVar[int | None] = ContextVar("threads", default=None)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def reading_threads(count: int | None) -> Iterator[None]:
    """Let `in_order` use so many threads inside.

    Args:
        count: at least 1; None: one per core.

    Raises:
        ValueError: it is less than 1.
    """
    if count is not None and count < 1:
        raise ValueError(f"workers must be at least 1, got {count}")
    token = _threads.set(count)
    try:
        yield
    finally:
        _threads.reset(token)


def in_order(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """What `work` gives for each item, in the order of the items.

    The threads stop where the iterator is left, as by Ctrl-C; a few results at a time are ahead of
    the one that is used.

    Args:
        work: is called in several threads at once.
        items: any number.

    Raises:
        Exception: what `work` raises, where its turn comes.
    """
    threads = _threads.get() or cores()
    if threads == 1:
        yield from map(work, items)
        return

    def some(part: Sequence[Item]) -> list[Result]:
        return [work(item) for item in part]

    pool = ThreadPoolExecutor(threads, "reading")
    waiting: deque[Future[list[Result]]] = deque()
    try:
        rest = iter(items)
        while part := list(islice(rest, ITEMS_PER_CALL)):
            waiting.append(pool.submit(some, part))
            if len(waiting) > CALLS_AHEAD * threads:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def ahead(calls: Iterable[Callable[[], Result]]) -> Iterator[Result]:
    """The results of calls in their order, of which the next one is under way in a thread of its
    own while one is used.

    Args:
        calls: each without arguments.

    Raises:
        Exception: what a call raises, where its turn comes.
    """
    pool = ThreadPoolExecutor(1, "ahead")
    waiting: deque[Future[Result]] = deque()
    try:
        for call in calls:
            waiting.append(pool.submit(copy_context().run, call))
            if len(waiting) > 1:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
