"""What CAFe costs: a joint step, vectors of pictures, memory, and large steps in small chunks.

Tiny models of fresh weights on scenes of plain shapes, 64 pixels a side. One thread; CPU-seconds,
the median of calls that take turns. Memory is that of a process of its own, libraries and all.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tastemaker import files
from tastemaker.config import environment
from tastemaker.embed.cafe import CAFe, CAFeConfig
from tastemaker.embed.pair_batches import Pair, PairBatches
from tastemaker.models.tiny_vlm import TinyVision, tiny_vision_model
from tastemaker.models.vlm_vectors import PictureTextEncoder, save_reader
from tastemaker.train.config import FitConfig
from tastemaker.train.step import Trainer, adamw
from tastemaker.worlds.scene_words import caption
from tastemaker.worlds.scenes import SceneOptions, scenes
from tastemaker.worlds.sprites import shapes

ROOT = Path(__file__).parents[1]
ASK, BATCH, LARGE, CHUNK = "what is there ?", 8, 64, 8
Row = dict[str, Any]
Memory = dict[str, tuple[int, int]]
MEMORY: Memory = {
    "one": (BATCH, 0), "whole": (LARGE, 0), "chunked": (LARGE, CHUNK), "encoding": (0, 0),
}  # fmt: skip
"""What a process does whose memory is looked at → pairs of a step, and of a chunk."""


def row(
    what: str, ours: float, peer: float | None = None, most: float | None = None,
    least: float | None = None,
) -> Row:  # fmt: skip
    """One line: a number at most or at least so large, or beside another."""
    ratio = None if peer is None else round(ours / peer, 3)
    target, met = None, None
    if most is not None:
        target, met = f"≤ {most:g}", (ours if ratio is None else ratio) <= most
    elif least is not None:
        target, met = f"≥ {least:g}", ours >= least
    shown = round(ours, 4), None if peer is None else round(peer, 4)
    keys = ("what", "ours", "peer", "ratio", "target", "met")
    return dict(zip(keys, (what, *shown, ratio, target, met), strict=True))


def pairs(many: int) -> list[Pair]:
    """Scenes and their captions."""
    drawn = scenes(shapes(12), SceneOptions(many))
    told = [caption(things, drawn.sprites.names) for things in drawn.things]
    coloured = np.repeat(drawn.images[..., None], 3, axis=3)
    return [Pair(one, said, ((ASK, said),)) for one, said in zip(coloured, told, strict=True)]


def fresh(some: list[Pair], chunk: int = 0, shape: TinyVision | None = None) -> CAFe:
    """A model that has learnt nothing."""
    vision = tiny_vision_model(shape or TinyVision(), [ASK, *(one.text for one in some)])
    return CAFe(vision, CAFeConfig(gradcache_chunk=chunk)).train()


def training(model: CAFe, some: list[Pair], batch: int) -> Callable[[], float]:
    """A step of training, its rows included."""
    batches = PairBatches(model.vision, model.config.embedding, some, batch)
    trainer, rng = Trainer(model, adamw(model, FitConfig()), 5.0), np.random.default_rng(0)

    def step() -> float:
        drawn = rng.permutation(len(some))[:batch]
        return float(trainer.step(batches.step(drawn, rng), 1e-3))

    return step


def timed(calls: dict[str, Callable[[], object]], runs: int) -> dict[str, float]:
    """Median CPU-seconds of each call, which take turns."""
    spent: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(2 + runs):
        for name, call in calls.items():
            began = time.process_time()
            call()
            if number >= 2:
                spent[name].append(time.process_time() - began)
    return {name: statistics.median(values) for name, values in spent.items()}


def encoder(model: CAFe, folder: Path) -> PictureTextEncoder:
    """The same model, opened for vectors."""
    model.vision.save(folder)
    save_reader(folder, model.reader)
    return PictureTextEncoder(folder)


def memory(what: str) -> float:
    """GB at most of a process that does one thing."""
    command = [sys.executable, __file__, "--memory", what]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout)) / 2**20


def occupied(what: str) -> int:
    """KB at most of this process, once it has done so."""
    batch, chunk = MEMORY[what]
    some = pairs(2 * LARGE)
    model = fresh(some, chunk)
    if batch:
        step = training(model, some, batch)
        for _ in range(3):
            step()
    else:
        with tempfile.TemporaryDirectory() as folder:
            encoder(model, Path(folder)).pictures([one.picture for one in some])
    # What `getrusage` says is no less than what the process that started this one had.
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def measured(runs: int) -> Iterator[Row]:
    """Every line."""
    some = pairs(256)
    whole, chunked = fresh(some), fresh(some, CHUNK)
    took = timed({"step": training(whole, some, BATCH)}, runs)
    yield row(f"CPU-seconds of a joint step of {BATCH} pairs", took["step"], most=0.5)
    with tempfile.TemporaryDirectory() as folder:
        encode = encoder(whole.eval(), Path(folder))
        texts, shown = [one.text for one in some], [one.picture for one in some]
        calls: dict[str, Callable[[], object]] = {
            "pictures": lambda: encode.pictures(shown),
            "texts": lambda: encode.texts(texts),
        }
        took = timed(calls, max(3, runs // 4))
    yield row("pictures encoded a CPU-second", len(some) / took["pictures"], least=100)
    yield row("texts encoded a CPU-second", len(some) / took["texts"])
    calls = {
        "whole": training(whole.train(), some, LARGE),
        "chunked": training(chunked, some, LARGE),
    }
    took = timed(calls, max(3, runs // 4))
    text = f"CPU-seconds of a step of {LARGE} pairs in chunks of {CHUNK}, beside the step whole"
    yield row(text, took["chunked"], took["whole"])
    gigabytes = {what: memory(what) for what in MEMORY}
    yield row(f"GB at most of a process that trains, {BATCH} pairs", gigabytes["one"], most=2)
    yield row("GB at most of a process that encodes", gigabytes["encoding"], most=2)
    text = f"GB at most of a process that trains, {LARGE} pairs in chunks of {CHUNK}, beside whole"
    yield row(text, gigabytes["chunked"], gigabytes["whole"])


def main() -> None:
    """Measure, print and write `results/bench-cafe.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20, help="timed steps")
    parser.add_argument("--memory", choices=MEMORY, help="only say what that takes")
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.memory:
        sys.stdout.write(json.dumps(occupied(given.memory)))
        return
    rows = []
    for one in measured(given.runs):
        rows.append(one)
        print(*(value for value in one.values() if value is not None), flush=True)
    results = {"name": "cafe", "rows": rows, "load": os.getloadavg(), **environment()}
    files.write_json(ROOT / "results" / "bench-cafe.json", results)


if __name__ == "__main__":
    main()
