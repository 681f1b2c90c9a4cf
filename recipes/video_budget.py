"""Does a law that is fitted to forty small runs say how to spend a video's budget?

Small video models are trained on clips of moving garments: forty cells of model width, frames,
tokens a frame and examples. Four forms predict cells that were held out. Then, at three budgets,
what the law chooses is trained beside the largest model that fits with the most frames it leaves
room for, and beside the median of what the budget pays for, seed by seed, on the same questions.
"""

import sys
import time

import numpy as np
import video_budget_claims as claims
from evidence import Evidence, size_of
from video_budget_sweep import best_form, called, choices, configs, sprites

from tastemaker import records
from tastemaker.embed.video_budget import VideoFitConfig, fit_law
from tastemaker.embed.video_file import VideoFit, axes_of
from tastemaker.embed.video_points import ALL, read_points
from tastemaker.embed.video_runs import Cell, World, open_world, run_cell
from tastemaker.run.video_sweep import RUNS, sweep_video

SCORE = claims.SCORE


def trained(found: Evidence, world: World, cell: Cell, seed: int) -> np.ndarray:
    """One run, or the finished one."""
    path = found.cache / "pairs.jsonl"
    same = {**vars(cell), "seed": seed}
    for line in records.read(path):
        if {name: line[name] for name in same} == same:
            return claims.right(line, world)
    records.append(path, run_cell(world, cell, seed))
    return claims.right(records.read(path)[-1], world)


def main() -> None:
    """Sweep, fit, train the pairs, compare, print."""
    size, began = size_of(__doc__ or ""), time.process_time()
    config, seeds = configs(size)
    measures = [SCORE, claims.OFF, claims.MOVES]
    found = Evidence("video_budget", "arXiv 2505.18855", "moving things", size, seeds, measures)
    folder = found.cache / "sweep"
    things, held = sprites(size)
    resume = (folder / "config.json").is_file()
    swept = sweep_video(config, things, held, folder, resume)
    found.notes.append(f"the frame encoder tells {swept['encoder']:.1%} of places")
    points, lines = read_points(folder / "points.csv").tasks[ALL], records.read(folder / RUNS)
    law = fit_law(points, VideoFitConfig(best_form(points)))
    world = open_world(config, things, held, folder)
    fit = VideoFit({ALL: law}, world.cost, axes_of(points), {})
    for budget, arms in choices(fit, lines).items():
        for arm, cell in arms.items():
            for seed in seeds:
                found.add(f"{arm}, {budget}", {SCORE: trained(found, world, cell, 100 + seed)})
        for other, words in claims.OTHERS.items():
            claim = f"{budget}: the frontier is above {words}"
            found.relate("R3", claim, f"frontier, {budget}", f"{other}, {budget}")
        told = ", ".join(f"{arm} {called(cell)}" for arm, cell in arms.items())
        found.notes.append(f"{budget}: {told}")
    claims.forms(found, points)
    claims.beyond(found, points, records.read(found.cache / "pairs.jsonl"))
    claims.moves(found, points, fit)
    claims.frontiers(found, fit)
    found.spent(time.process_time() - began)
    sys.stdout.write("\n".join([str(found.write()), *found.notes, ""]))
    told = claims.star_of(config, lines, world, size)
    told.made_with = found.made_with
    sys.stdout.write("\n".join([str(told.write()), *told.notes, ""]))


if __name__ == "__main__":
    main()
