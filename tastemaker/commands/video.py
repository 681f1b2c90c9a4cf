"""tastemaker video: which language model, how many frames, how many tokens."""

from __future__ import annotations

from pathlib import Path

from tastemaker.commands.verbs import Later, Verb
from tastemaker.commands.video_options import (
    VideoFitOptions,
    VideoPlanOptions,
    VideoPlotOptions,
    VideoSweepOptions,
)
from tastemaker.commands.video_shown import show_fit, show_plan, show_plot, show_sweep
from tastemaker.files import JsonObject


def video_fit(options: VideoFitOptions) -> JsonObject:
    """Fit a law of error to measured runs, with its intervals, and save it."""
    from tastemaker.embed.video_budget import VideoFitConfig
    from tastemaker.embed.video_cost import VideoCost
    from tastemaker.run.video import fit_video

    config = VideoFitConfig(
        options.form, options.starts, options.refits, options.loss, options.seed
    )
    cost = VideoCost(options.vision_parameters, options.patches, options.projector_parameters)
    return fit_video(Path(options.points), Path(options.out), config, cost)


def video_plan(options: VideoPlanOptions) -> JsonObject:
    """Split a budget between language model, frames and tokens a frame."""
    from tastemaker.embed.video_plan import PlanRequest
    from tastemaker.run.video import plan_video

    request = PlanRequest(options.flops, options.examples, options.videos_per_month)
    return plan_video(Path(options.fit), request, Path(options.grid) if options.grid else None)


def video_plot(options: VideoPlotOptions) -> JsonObject:
    """Draw the frontier and how it moves with data, as one page."""
    from tastemaker.run.video import plot_video

    return plot_video(Path(options.fit), options.examples, Path(options.out))


def video_sweep(options: VideoSweepOptions) -> JsonObject:
    """Train small video models on generated clips, and measure what each is worth."""
    from tastemaker.data.idx import read_pictures
    from tastemaker.embed.video_runs import SweepConfig
    from tastemaker.run.video_sweep import sweep_video
    from tastemaker.worlds.sprites import garments, parted, shapes

    sprites = shapes()
    if options.garments:
        pictures = read_pictures(Path(options.garments), "train")
        sprites = garments(pictures.images, pictures.labels)
    chosen = {name: value for name, value in vars(options).items()
              if name not in ("out", "garments", "resume")}  # fmt: skip
    things, held = parted(sprites, 0.2)
    return sweep_video(SweepConfig(**chosen), things, held, Path(options.out), options.resume)


def _one_thread(options: object) -> int:
    """Its arrays are too small for several."""
    return 1


VERBS: dict[str, Verb | Later] = {
    "video sweep": Verb(video_sweep, VideoSweepOptions, show_sweep, _one_thread),
    "video fit": Verb(video_fit, VideoFitOptions, show_fit, _one_thread),
    "video plan": Verb(video_plan, VideoPlanOptions, show_plan, _one_thread),
    "video plot": Verb(video_plot, VideoPlotOptions, show_plot, _one_thread),
}
