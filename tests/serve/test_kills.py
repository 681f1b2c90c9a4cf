"""What was acknowledged is there after a kill at any moment, on both databases."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tastemaker.serve.events import Event
from tastemaker.serve.store import Store

WRITER = """
import sys
from tastemaker.serve.events import Event
from tastemaker.serve.store import Store

url, name = sys.argv[1:]
with Store.open(url) as store:
    for batch in range(10**6):
        told = [Event(f"{name}-{batch}-{n}", f"u{n % 5}", f"i{n}", batch) for n in range(50)]
        if store.append(told).new == 50:
            print(batch, flush=True)
"""


@pytest.mark.parametrize("trials", [1, pytest.param(20, marks=pytest.mark.slow)])
def test_what_was_acknowledged_is_there_after_kill_9(url: str, tmp_path: Path, trials: int) -> None:
    draw = random.Random(0)
    acknowledged: dict[str, int] = {}
    for trial in range(trials):
        said = tmp_path / f"said-{trial}"
        with said.open("wb") as out:
            words = [sys.executable, "-c", WRITER, url, str(trial)]
            writer = subprocess.Popen(words, stdout=out, cwd=Path(__file__).parents[2])
        for _ in range(600):
            if said.stat().st_size:
                break
            time.sleep(0.1)
        time.sleep(draw.random() / 2)
        os.kill(writer.pid, signal.SIGKILL)
        assert writer.wait(60) == -signal.SIGKILL
        batches = said.read_text().splitlines()
        assert batches
        acknowledged[str(trial)] = len(batches)
    with Store.open(url, create=False) as store:
        known = {one.event_id for n in range(5) for one in store.history(f"u{n}", 10**6)}
        for name, batches_of in acknowledged.items():
            told = [f"{name}-{batch}-{n}" for batch in range(batches_of) for n in range(50)]
            assert known.issuperset(told)
        # A batch that was on its way is there or not, as a whole.
        assert len(store) == len(known) and len(known) % 50 == 0
        assert store.append([Event("after", "u0", "i", 5)]).new == 1
