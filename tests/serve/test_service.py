"""The service: swaps without a failed request, and queues that are full."""

import asyncio
import threading
from pathlib import Path

import pytest

from tastemaker.errors import ArtefactError, BadInput, TastemakerError
from tastemaker.run.saved import SavedRun
from tastemaker.run.similar import Beside
from tastemaker.run.wishes import Wishes
from tastemaker.serve import service as service_file
from tastemaker.serve.experiments import Experiment
from tastemaker.serve.limits import Limits
from tastemaker.serve.opened import Opened
from tastemaker.serve.refusals import Busy
from tastemaker.serve.service import Service
from tastemaker.serve.store import Store
from tests.serve.served import LIMITS, with_heads


def test_a_swap_under_load_fails_nobody_and_mixes_nothing(
    opened: Opened, kept: Store, finished_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Service(Opened(opened.saved, "old"), kept, LIMITS)
    told: list[tuple[str, str]] = []

    async def ask(user: str, ends: asyncio.Event) -> None:
        while not ends.is_set():
            began = service.run.version
            ranked = await service.recommend(user, Wishes(5))
            assert len(ranked.answer.items) == 5
            told.append((began, ranked.run.version))

    async def test() -> None:
        ends = asyncio.Event()
        asking = [asyncio.create_task(ask(f"u{n}", ends)) for n in range(8)]
        await asyncio.sleep(0.1)
        await service.swap(finished_run)
        after = len(told)
        while len(told) < after + 40:
            await asyncio.sleep(0.01)
        ends.set()
        await asyncio.gather(*asking)

    asyncio.run(test())
    service.close()
    assert {now for _, now in told} == {"old", opened.version}
    assert all(now == opened.version for began, now in told if began == opened.version)
    page = service.monitoring.page().decode()
    assert "tastemaker_swaps_total 1.0" in page and f'version="{opened.version}"' in page


def test_a_run_that_is_none_takes_nobodys_place(
    service: Service, opened: Opened, tmp_path: Path
) -> None:
    with pytest.raises(ArtefactError):
        asyncio.run(service.swap(tmp_path))
    assert service.run is opened
    service.close()


def test_full_lines_refuse_and_come_back(opened: Opened, kept: Store) -> None:
    service = Service(opened, kept, Limits(queue=2))

    async def test() -> None:
        hold = threading.Event()
        held = [asyncio.create_task(service.apart(hold.wait)) for _ in range(2)]
        await asyncio.sleep(0.02)
        with pytest.raises(Busy):
            await service.recommend("u1", Wishes())
        hold.set()
        await asyncio.gather(*held)
        assert (await service.recommend("u1", Wishes())).answer.known

    asyncio.run(test())
    service.close()


def test_one_bad_request_among_many_is_refused_alone(service: Service) -> None:
    async def test() -> None:
        hold = threading.Event()
        held = asyncio.create_task(service.worker.call(hold.wait))
        await asyncio.sleep(0.02)
        wishes = [Wishes(3), Wishes(3, only=["Fun"]), Wishes(2)]
        asked = [asyncio.create_task(service.recommend_from((), one)) for one in wishes]
        await asyncio.sleep(0.1)
        hold.set()
        await held
        first, wrong, last = await asyncio.gather(*asked, return_exceptions=True)
        assert isinstance(wrong, TastemakerError)
        assert not isinstance(first, BaseException) and len(first.answer.items) == 3
        assert not isinstance(last, BaseException) and len(last.answer.items) == 2

    asyncio.run(test())
    service.close()


def test_what_is_hidden_while_it_is_read_is_hidden(service: Service, kept: Store) -> None:
    """A set of hidden items that was read before a change is not believed after it."""
    read = kept.hidden

    def slow(now: float | None = None) -> frozenset[str]:
        found = read(now)
        kept.hide("i3")
        service._changed()
        return found

    async def test() -> None:
        kept.hidden = slow  # type: ignore[method-assign]
        assert not (await service.offered(Wishes())).hidden
        kept.hidden = read  # type: ignore[method-assign]
        assert set((await service.offered(Wishes())).hidden) == {"i3"}

    asyncio.run(test())
    service.close()


def test_a_run_that_lacks_an_arm_takes_nobodys_place(
    opened: Opened, kept: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Service(opened, kept, LIMITS, Experiment.parse("x=blend,sasrec"))
    other = with_heads(opened)  # it has mtmh in place of sasrec
    monkeypatch.setattr(service_file, "opened_beside", lambda path, old: other)
    with pytest.raises(BadInput) as caught:
        asyncio.run(service.swap("other"))
    assert "sasrec" in caught.value.what and service.run is opened
    service.close()


def test_nobody_waits_while_what_goes_together_is_counted(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first who asks what goes with an item waits for it, and those alone who ask that too."""
    hold, began = threading.Event(), []

    def slowly(run: SavedRun) -> Beside:
        began.append(1)
        hold.wait(60)
        return made(run)

    made = Beside.of
    vars(service.run.saved).pop("beside", None)
    monkeypatch.setattr(Beside, "of", slowly)

    async def test() -> None:
        asking = [asyncio.create_task(service.similar("i3", Wishes(2))) for _ in range(2)]
        await asyncio.sleep(0.05)
        assert (await service.recommend("u1", Wishes(2))).answer.known
        hold.set()
        assert all(len(one.answer.items) == 2 for one in await asyncio.gather(*asking))

    asyncio.run(test())
    assert began == [1]
    service.close()
