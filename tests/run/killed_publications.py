"""Publications in processes of their own, each ended by SIGKILL before one change of the disk.

`python -m tests.run.killed_publications FOLDER PATTERN` finds `older`, `old` and `new` there, three
runs, and prints a JSON object for a kill at each change that the pattern matches.
"""

import json
import os
import re
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from tastemaker.errors import TastemakerError
from tastemaker.run.folder import finished_folder, verify_run, version_of
from tastemaker.run.publishing import held, next_run, roll_back, run_before, take_place
from tests.run.forked import forked, watched


def published(place: Path) -> None:
    run = place / "run"
    with held(run):
        take_place(run, next_run(run))


def rolled_back(place: Path) -> None:
    run = place / "run"
    with held(run):
        roll_back(run)


def sound(run: Path) -> str:
    """Version of a run, every byte of it checked; empty where there is none that is whole."""
    try:
        verify_run(finished_folder(run))
        return version_of(run)
    except TastemakerError:
        return ""


def changes(work: Callable[[Path], None], place: Path) -> list[str]:
    """What the work changes on the disk, in order."""
    seen: list[str] = []

    def count() -> None:
        watched(place, seen.append)
        work(place)
        (place / "changes").write_text("\n".join(seen))

    assert forked(count) == 0
    return (place / "changes").read_text().splitlines()


def killed(work: Callable[[Path], None], place: Path, point: int) -> int:
    left = [point]

    def die(label: str) -> None:
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def run() -> None:
        watched(place, die)
        work(place)

    return forked(run)


def kills(folder: Path, work: Callable[[Path], None], base: Path) -> None:
    labels = changes(work, Path(shutil.copytree(base, folder / f"{work.__name__}-whole")))
    for point, label in enumerate(labels):
        if not re.search(sys.argv[2], label):
            continue
        place = Path(shutil.copytree(base, folder / f"{work.__name__}-{point}"))
        code = killed(work, place, point)
        after, before = sound(place / "run"), sound(run_before(place / "run"))
        again = forked(lambda place=place: work(place))  # type: ignore[misc]
        names = sorted(path.name for path in place.iterdir())
        answer = {
            "work": work.__name__,
            "point": label,
            "killed": code == -signal.SIGKILL,
            "after": after,
        }
        answer |= {"before": before, "again": again, "names": names}
        answer |= {"run": sound(place / "run"), "kept": sound(run_before(place / "run"))}
        answer["inside"] = sorted(path.name for path in (place / "run").iterdir())
        print(json.dumps(answer), flush=True)
        shutil.rmtree(place)


if __name__ == "__main__":
    top = Path(sys.argv[1])
    start, ended = top / "start", top / "ended"
    for name, source in (("run", "old"), ("run.next", "new"), ("run.before", "older")):
        shutil.copytree(top / source, start / name)
    shutil.copytree(start, ended)
    published(ended)
    shutil.rmtree(next_run(ended / "run"))
    kills(top, published, start)
    kills(top, rolled_back, ended)
