"""Video budgets: fitting, planning, and reading frames of a 720p video.

One thread, CPU-seconds, the median of three. The fit is of sixty runs drawn from a known law; the
video is made here, ten seconds of 720p with noise that moves, as H.264 with a key frame every two
seconds.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import statistics
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from tastemaker import files
from tastemaker.config import environment
from tastemaker.data.media import Sampling, read_frames
from tastemaker.embed.video_budget import VideoFitConfig, fit_law
from tastemaker.embed.video_cost import VideoCost
from tastemaker.embed.video_designs import SIZES, paper_grid, star
from tastemaker.embed.video_file import VideoFit, open_fit, save_fit
from tastemaker.embed.video_forms import Layout
from tastemaker.embed.video_plan import PlanRequest, plan
from tastemaker.embed.video_points import VideoPoints

ROOT = Path(__file__).parents[1]
SECONDS, RATE, SIZE, FRAMES = 10, 30, (720, 1280), 8
TRUE = (-3, -3, -3, -4, -4, -4, -3, -2, 0.5, 0.4, 0.6, 0.2, 0.3, 0.15, 0.2)


def row(what: str, ours: float, target: str, met: bool) -> dict[str, Any]:
    """One line of the results."""
    return {"what": what, "ours": ours, "peer": None, "ratio": None, "target": target, "met": met}


def spent(call: Callable[[], object]) -> float:
    """CPU-seconds of a call, the median of three."""
    took = []
    for _ in range(3):
        began = time.process_time()
        call()
        took.append(time.process_time() - began)
    return statistics.median(took)


def runs() -> VideoPoints:
    """Sixty runs of a known law, with 1 % noise."""
    rng, grid = np.random.default_rng(0), paper_grid()
    x, n = star((7.5e9, 32, 196), grid, SIZES)
    x = np.concatenate([x, grid[rng.choice(len(grid), 60 - len(x), replace=False)]])
    n = np.concatenate([n, rng.choice(SIZES, 60 - len(n))])
    centre = np.log([2.8e9, 8, 49, 5e5])
    law = Layout.of("add-interact").powers(np.array([TRUE], np.float64), centre, 0.0)
    return VideoPoints(x, n, law(x, n)[0] * np.exp(0.01 * rng.normal(size=60)))


def film(path: Path) -> Path:
    """Noise in blocks that moves, so that there is something to decode in every frame."""
    noise = np.random.default_rng(0).integers(0, 255, (SIZE[0] // 8 + 60, SIZE[1] // 8, 3))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"preset": "veryfast"})
        stream.height, stream.width, stream.pix_fmt = *SIZE, "yuv420p"
        stream.codec_context.gop_size = 2 * RATE
        for number in range(SECONDS * RATE):
            top = number % 60
            picture = np.kron(noise[top : top + SIZE[0] // 8], np.ones((8, 8, 1))).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def main() -> None:
    """Measure, print and write `results/bench-video.json`."""
    points, grid = runs(), paper_grid()
    fitted = spent(lambda: fit_law(points, VideoFitConfig(refits=0)))
    whole = spent(lambda: fit_law(points))
    law = fit_law(points)
    axes = tuple(tuple(np.unique(grid[:, k]).tolist()) for k in range(3))
    asked = PlanRequest(15e12, 1e6)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fit.json"
        save_fit(path, VideoFit({"all tasks": law}, VideoCost(), axes, {}))
        opened = open_fit(path)
        planned = 1000 * spent(lambda: plan(opened, asked))
        video = film(Path(folder) / "film.mp4")
        size = video.stat().st_size / 1e6
        took = {
            kind: spent(lambda kind=kind: read_frames(video, Sampling(kind, FRAMES, RATE)))
            for kind in ("uniform", "keyframes", "stride")
        }
    about = f"{SECONDS} s of 720p ({size:.0f} MB), {FRAMES} frames"
    rows = [
        row("add-interact, 60 runs, 500 starts: CPU-s", round(fitted, 2), "≤ 60", fitted <= 60),
        row("the same and 100 bootstrap refits: CPU-s", round(whole, 2), "≤ 60", whole <= 60),
        row("a plan, once the fit is open: ms", round(planned, 1), "≤ 100", planned <= 100),
        *(
            row(f"{about}, {kind}: × real time", round(SECONDS / t, 1), "≥ 10", SECONDS / t >= 10)
            for kind, t in took.items()
        ),
    ]
    for one in rows:
        print(one["what"], one["ours"], one["target"])
    files.write_json(
        ROOT / "results" / "bench-video.json",
        {"name": "video", "rows": rows, **environment("av")},
    )


if __name__ == "__main__":
    main()
