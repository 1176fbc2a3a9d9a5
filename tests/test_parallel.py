"""Work in threads: in order, some ahead, errors where their turn comes, and no thread left over."""

import threading

import pytest

from coequal import parallel
from coequal.parallel import ahead, in_order, reading_threads


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 4, 33])
def test_results_come_in_the_order_of_the_items(threads, count):
    with reading_threads(threads):
        assert list(in_order(lambda x: x * x, range(count))) == [x * x for x in range(count)]


def test_several_threads_work_at_once():
    together = threading.Barrier(3, timeout=30)  # broken unless three calls meet
    with reading_threads(3):
        list(
            in_order(
                lambda item: together.wait() if item % parallel.ITEMS_PER_CALL == 0 else 0,
                range(3 * parallel.ITEMS_PER_CALL),
            )
        )


def test_an_error_comes_where_its_turn_is():
    def work(item: int) -> int:
        if item == 9:
            raise OSError("nine")
        return item

    found = []
    with reading_threads(2):
        results = in_order(work, range(1000))
        found += [next(results) for _ in range(8)]
        with pytest.raises(OSError, match="nine"):
            next(results)
    assert found == list(range(8))  # the calls before: of four items each
    assert not left_over()


def test_few_are_done_ahead_and_none_after_the_end():
    done = []
    with reading_threads(2):
        results = in_order(lambda item: done.append(item) or item, range(10_000))
        assert next(results) == 0
        results.close()  # as when Ctrl-C ends what uses them
    # At most two calls for each thread are waiting beside the one that is used, of four items each.
    assert len(done) <= parallel.ITEMS_PER_CALL * (parallel.CALLS_AHEAD * 2 + 1)
    assert not left_over()


def test_the_next_part_is_read_while_one_is_used():
    begun = [threading.Event() for _ in range(3)]

    def call(number: int) -> int:
        begun[number].set()
        return number

    parts = ahead((lambda number=number: call(number)) for number in range(3))
    assert next(parts) == 0
    assert begun[1].wait(30)  # though nobody has asked for it
    assert not begun[2].is_set()
    assert list(parts) == [1, 2]
    assert not left_over()


def test_what_reads_ahead_uses_as_many_threads_as_its_caller():
    with reading_threads(1):
        (one,) = ahead([lambda: list(in_order(lambda _: threading.current_thread().name, [0]))])
    assert one[0].startswith("ahead")


def test_fewer_than_one_thread_is_refused():
    with pytest.raises(ValueError, match="workers must be at least 1, got 0"), reading_threads(0):
        pass


def left_over() -> list[str]:
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if name.startswith(("reading", "ahead"))]
