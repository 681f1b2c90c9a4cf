"""The thread that computes: together what waits, bounded, and in order at the end."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest

from tastemaker.serve.refusals import Busy
from tastemaker.serve.worker import TOGETHER, Worker


def using(
    test: Callable[[Worker], Coroutine[Any, Any, None]], most: int = 500, patience: float = 5.0
) -> None:
    worker = Worker(most, patience)
    try:
        asyncio.run(test(worker))
    finally:
        worker.close()


def test_what_waits_is_answered_together_and_each_gets_its_own() -> None:
    sizes: list[int] = []

    def work(asked: Sequence[int]) -> list[int | Exception]:
        assert threading.current_thread() is not threading.main_thread()
        sizes.append(len(asked))
        return [ValueError(n) if n == 13 else 10 * n for n in asked]

    async def test(worker: Worker) -> None:
        hold = threading.Event()
        held = asyncio.create_task(worker.call(hold.wait))
        await asyncio.sleep(0.05)
        tasks = [asyncio.create_task(worker.together("kind", n, work)) for n in range(100)]
        await asyncio.sleep(0)
        assert worker.waiting == 101
        hold.set()
        told = await asyncio.gather(*tasks, return_exceptions=True)
        assert await held
        assert [n for n in range(100) if told[n] != 10 * n] == [13]
        assert isinstance(told[13], ValueError)
        assert worker.waiting == 0

    using(test)
    assert sizes == [TOGETHER, 100 - TOGETHER]


def test_a_full_line_refuses_and_goes_on() -> None:
    async def test(worker: Worker) -> None:
        hold = threading.Event()
        held = [asyncio.create_task(worker.call(hold.wait)) for _ in range(3)]
        await asyncio.sleep(0.05)
        with pytest.raises(Busy) as error:
            await worker.call(lambda: 1)
        assert error.value.status == 503
        hold.set()
        await asyncio.gather(*held)
        assert await worker.call(lambda: 1) == 1

    using(test, most=3)


def test_who_waited_too_long_or_has_gone_is_passed_over() -> None:
    done: list[str] = []

    async def test(worker: Worker) -> None:
        hold = threading.Event()
        held = asyncio.create_task(worker.call(hold.wait))
        await asyncio.sleep(0.05)
        late = asyncio.create_task(worker.call(lambda: done.append("late")))
        gone = asyncio.create_task(worker.call(lambda: done.append("gone")))
        await asyncio.sleep(0.2)
        gone.cancel()
        hold.set()
        with pytest.raises(Busy):
            await late
        await held
        for _ in range(6_000):  # who has gone is passed over by a thread of its own
            if not worker.waiting:
                break
            await asyncio.sleep(0.01)
        assert worker.waiting == 0

    using(test, patience=0.1)
    assert done == []


def test_an_exception_of_all_reaches_each() -> None:
    def work(asked: Sequence[int]) -> list[int | Exception]:
        raise RuntimeError("broken")

    async def test(worker: Worker) -> None:
        asked = (worker.together("a", n, work) for n in range(3))
        told = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(one) for one in told] == [RuntimeError] * 3

    using(test)


def test_several_threads_take_one_request_each() -> None:
    """One that waits for its disk holds up nobody else, and all are through at the end."""

    async def test() -> None:
        worker, hold = Worker(10, 5.0, "the store", threads=2), threading.Event()
        held = asyncio.create_task(worker.call(hold.wait))
        await asyncio.sleep(0.02)
        assert [await worker.call(lambda n=n: n) for n in range(5)] == list(range(5))
        with pytest.raises(Busy, match="already") as error:
            await asyncio.gather(*(worker.call(hold.wait) for _ in range(20)))
        assert error.value.where == "the store"
        hold.set()
        assert await held
        worker.close()

    asyncio.run(test())
