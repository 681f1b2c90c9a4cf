"""Does a law that is fitted to forty small runs say how to spend a video's budget?

Small video models are trained on clips of moving garments: forty cells of model width, frames,
tokens a frame and examples. Three forms predict cells that were held out. Then, at three budgets,
what the law chooses is trained beside the median of what the budget pays for, seed by seed, and
both answer the same questions.
"""

import base64
import sys
import time
from dataclasses import replace

import numpy as np
from evidence import Evidence, size_of
from video_budget_sweep import PAIRS, called, choices, configs, sprites, star

from tastemaker import records
from tastemaker.embed.video_budget import VideoFitConfig, fit_law
from tastemaker.embed.video_checks import cross_validated
from tastemaker.embed.video_points import ALL, read_points
from tastemaker.embed.video_runs import Cell, World, open_world, run_cell
from tastemaker.errors import BadInput
from tastemaker.run.video_sweep import RUNS, sweep_video

FORMS, SCORE = ("mult", "add", "add-interact-s", "add-interact"), "accuracy"


def right(line: dict, world: World) -> np.ndarray:
    """Which questions a run answered."""
    bits = np.unpackbits(np.frombuffer(base64.b64decode(line["right"]), np.uint8))
    return bits[: len(world.asked)].astype(np.float64)


def trained(found: Evidence, world: World, cell: Cell, seed: int) -> np.ndarray:
    """One run, or the finished one."""
    path = found.cache / "pairs.jsonl"
    same = {**vars(cell), "seed": seed}
    for line in records.read(path):
        if {name: line[name] for name in same} == same:
            return right(line, world)
    records.append(path, run_cell(world, cell, seed))
    return right(records.read(path)[-1], world)


def main() -> None:
    """Sweep, fit, train the pairs, compare, print."""
    size, began = size_of(__doc__ or ""), time.process_time()
    config, seeds = configs(size)
    found = Evidence("video_budget", "arXiv 2505.18855", "moving things", size, seeds, [SCORE])
    folder = found.cache / "sweep"
    things, held = sprites(size)
    resume = (folder / "config.json").is_file()
    swept = sweep_video(config, things, held, folder, resume)
    found.notes.append(f"the frame encoder tells {swept['encoder']:.1%} of places")
    points = read_points(folder / "points.csv").tasks[ALL]
    quick = VideoFitConfig(starts=50, refits=20)
    for form in FORMS:
        try:
            told = cross_validated(points, replace(quick, form=form))
            found.tables.setdefault("cells held out", {})[form] = told.to_json()
            found.notes.append(f"{form}: held-out cells are off by {told.percent:.2f} %")
        except BadInput as refused:
            found.notes.append(f"{form}: {refused.what}")
    scores = found.tables.get("cells held out", {"add": {"percent": 0.0}})
    form = min(scores, key=lambda name: scores[name]["percent"])
    law = fit_law(points, VideoFitConfig(form))
    world = open_world(config, things, held, folder)
    for budget, (frontier, naive) in choices(law, world, records.read(folder / RUNS)).items():
        for arm, cell in (("frontier", frontier), ("median", naive)):
            for seed in seeds:
                found.add(f"{arm}, {budget}", {SCORE: trained(found, world, cell, 100 + seed)})
        key, claim = f"P{1 + PAIRS.index(budget)}", f"{budget}: the frontier is above the median"
        found.relate(key, claim, f"frontier, {budget}", f"median, {budget}")
        found.notes.append(f"{budget}: {frontier} against {naive}")
    for cell in dict.fromkeys(cell for row in star(config).values() for cell in row):
        for seed in seeds:
            found.add(called(cell), {SCORE: trained(found, world, cell, 100 + seed)})
    found.spent(time.process_time() - began)
    sys.stdout.write("\n".join([str(found.write()), *found.notes, ""]))


if __name__ == "__main__":
    main()
