"""A sweep of small video models, resumable, and the table of what its runs are worth.

Each run is a line of `runs.jsonl`, so a sweep that was stopped goes on after the last one;
`points.csv` is what `tastemaker video fit` reads.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import polars as pl

from tastemaker import files, records
from tastemaker.config import from_json, to_json
from tastemaker.embed.video_runs import SweepConfig, cells_of, open_world, run_cell
from tastemaker.embed.video_vlm import VideoModelConfig
from tastemaker.errors import BadInput
from tastemaker.files import JsonObject
from tastemaker.run.folder import only_writer
from tastemaker.train.stopping import listening
from tastemaker.worlds.clips import ClipOptions
from tastemaker.worlds.sprites import Sprites

LOG = logging.getLogger(__name__)
RUNS, POINTS = "runs.jsonl", "points.csv"
_CONFIG, _THINGS = "config.json", "things_sha256"


def sweep_video(
    config: SweepConfig, sprites: Sprites, held: Sprites, out: Path, resume: bool = False
) -> JsonObject:
    """Make every run that is missing.

    Args:
        config: Which runs.
        sprites: Things that clips to learn from are made of.
        held: Other pictures of the same kinds, for the clips that are measured on.
        out: Folder of the sweep.
        resume: Go on with the sweep that lies there.

    Returns:
        `folder`, `points` (the table), `runs`, `encoder` (its share of right places), `cost`, and
        `fit`, the words of the command that fits them.

    Raises:
        BadInput: If a size is none, or a sweep lies there already, or one with other options or
            of other things.
        Stopped: After SIGTERM or Ctrl-C; finished runs are kept.
    """
    refuse_unfit(config)
    cells = list(dict.fromkeys(cells_of(config)))
    files.make_folder(out)
    with listening(str(out)), only_writer(out):
        _settle(config, _told_apart(sprites, held), out, resume)
        world = open_world(config, sprites, held, out)
        lines = records.read(out / RUNS)
        done = {_key(line) for line in lines}
        jobs = [(cell, seed) for cell in cells for seed in range(config.seeds)]
        for number, (cell, seed) in enumerate(jobs, 1):
            if (*asdict(cell).values(), seed) not in done:
                line = run_cell(world, cell, seed)
                records.append(out / RUNS, line)
                told = f"{line['score']:.3f} in {line['cpu_seconds']:.0f} CPU-s"
                LOG.info("run %d of %d, %s: %s", number, len(jobs), cell, told)
        lines = records.read(out / RUNS)
        points_of(lines).write_csv(out / POINTS)
    cost = to_json(world.cost)
    words = [f"--{name.replace('_', '-')} {value:.10g}" for name, value in cost.items()]
    return {
        "folder": str(out),
        "points": str(out / POINTS),
        "runs": len(lines),
        "encoder": world.share,
        "cost": cost,
        "fit": " ".join(["tastemaker video fit --points", str(out / POINTS), *words]),
    }


def refuse_unfit(config: SweepConfig) -> None:
    """Refuse what no run can be made of, before the frame encoder is trained.

    Raises:
        BadInput: Naming the option.
    """
    least = {"epochs": 1, "test": 1, "first": 1, "seed": 0}
    for name, one in least.items():
        if vars(config)[name] < one:
            what = f"{name} = {vars(config)[name]} makes no run."
            raise BadInput(what, f"--{name}", f"Give {one} or more.")
    film = ClipOptions().frames
    for cell in cells_of(config):
        VideoModelConfig(cell.width, frames=max(1, cell.frames), tokens=max(0, cell.tokens))
        if not 1 <= cell.frames <= film:
            what = f"A clip has {film} frames, not {cell.frames}."
            raise BadInput(what, "--frames", f"Give numbers from 1 to {film}.")
        if cell.examples < 1:
            what = f"Nothing is learned from {cell.examples} examples."
            raise BadInput(what, "--examples", "Give 1 or more.")


def _told_apart(*sprites: Sprites) -> str:
    """A digest of every picture that clips are made of, and of what each is called."""
    digest = hashlib.sha256()
    for one in sprites:
        for name, images in zip(one.names, one.images, strict=True):
            digest.update(f"{name} {images.shape} {images.dtype}".encode())
            digest.update(images.tobytes())
    return digest.hexdigest()


def _settle(config: SweepConfig, things: str, out: Path, resume: bool) -> None:
    """Write options and digest of things, or compare with those of the sweep that is gone on with.

    A sweep that was begun when the digest was not kept yet is gone on with unasked.
    """
    path = out / _CONFIG
    if not path.is_file():
        files.write_json(path, to_json(config) | {_THINGS: things})
        return
    if not resume:
        raise BadInput("A sweep lies there already.", str(out), "Give --resume, or another --out.")
    written = files.read_json(path)
    if written.pop(_THINGS, things) != things:
        what = "The sweep there is of clips of other things."
        fix = (
            "Resume with the --garments that it was begun with, or without; or give another --out."
        )
        raise BadInput(what, str(path), fix)
    before = from_json(SweepConfig, written, str(path))
    if replace(before, cells=0, seeds=0) != replace(config, cells=0, seeds=0):
        fix = "Resume with the options that it was begun with, or give another --out."
        raise BadInput("The sweep there was begun with other options.", str(path), fix)
    files.write_json(path, to_json(config) | {_THINGS: things})


def _key(line: JsonObject) -> tuple[object, ...]:
    return tuple(line[name] for name in ("width", "frames", "tokens", "examples", "seed"))


def model_size(line: JsonObject) -> int:
    """Parameters of a run's language model.

    What it learns of the places of tokens in a frame is left out, so that one width is one size.
    """
    return int(line["parameters"] - line["tokens"] * line["width"])


def points_of(lines: Sequence[JsonObject]) -> pl.DataFrame:
    """A row a run and kind of question, as `video fit` reads them."""
    kept = ("frames", "tokens", "examples", "seed")
    rows = [
        {"parameters": model_size(line)}
        | {name: line[name] for name in kept}
        | {"task": kind, "score": score}
        for line in lines
        for kind, score in line["scores"].items()
    ]
    return pl.DataFrame(rows)
