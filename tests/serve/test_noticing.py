"""Another version in the folder is asked for once, and again when it comes back mended."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

from tastemaker.artifacts import MANIFEST
from tastemaker.run.folder import seal_run, version_of
from tastemaker.serve.noticing import noticing


async def until(true: Callable[[], bool]) -> None:
    for _ in range(12_000):
        if true():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it never came to that")


def test_each_version_that_is_not_served_is_asked_for_once(
    finished_run: Path, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    served, again = [version_of(run)], asyncio.Event()

    async def test() -> None:
        watching = asyncio.create_task(noticing(run, lambda: served[0], again, 0.005))
        await asyncio.sleep(0.05)
        assert not again.is_set()
        manifest = (run / MANIFEST).read_text()
        seal_run(run, {"best": "other"})
        await until(again.is_set)
        again.clear()
        await asyncio.sleep(0.05)
        assert not again.is_set(), "refused once, and not looked at each time"
        other = (run / MANIFEST).read_text()
        for text in ("", "{}"):  # no run can be read
            (run / MANIFEST).write_text(text)
            await asyncio.sleep(0.03)
        (run / MANIFEST).unlink()
        await asyncio.sleep(0.03)
        assert not again.is_set() and not watching.done()
        (run / MANIFEST).write_text(manifest)
        await asyncio.sleep(0.05)
        (run / MANIFEST).write_text(other)
        await until(again.is_set)
        again.clear()
        served[0] = version_of(run)
        await asyncio.sleep(0.03)
        assert not again.is_set()
        watching.cancel()

    asyncio.run(test())
