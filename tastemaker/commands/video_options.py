"""What `tastemaker video` can be asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tastemaker.errors import BadInput

Form = Literal["mult", "add", "add-interact", "add-interact-s"]


@dataclass(frozen=True)
class VideoFitOptions:
    """Fit a law of error to measured runs."""

    points: str = ""
    """table of runs: columns parameters, frames, tokens, examples and score (or error), and task"""
    out: str = "runs/video/fit.json"
    """file of the fit; one that stands there is replaced"""
    form: Form = "add-interact"
    """how error depends on sizes; mult and add need fewer runs"""
    starts: int = 500
    """random starts of which the best is kept"""
    refits: int = 100
    """bootstrap refits that medians and intervals are of"""
    loss: Literal["squares", "huber"] = "squares"
    """of the log of the error; huber hardly minds a run that went wrong"""
    seed: int = 0
    """of starts and refits"""
    vision_parameters: float = 0.43e9
    """parameters of the vision tower"""
    patches: float = 768.0
    """tokens of a frame inside the vision tower"""
    projector_parameters: float = 0.0
    """parameters between vision tower and language model"""

    def __post_init__(self) -> None:
        """Refuse what names no data.

        Raises:
            BadInput: Naming the option.
        """
        if not self.points:
            fix = "Name a CSV with a row for each run; --help says which columns."
            raise BadInput("There are no runs to fit.", "--points", fix)


@dataclass(frozen=True)
class VideoPlanOptions:
    """Split a budget between language model, frames and tokens a frame."""

    fit: str = "runs/video/fit.json"
    """file that `tastemaker video fit` wrote"""
    flops: float = 0.0
    """budget: FLOPs of looking at one video"""
    examples: float = 0.0
    """fine-tuning examples"""
    grid: str = ""
    """JSON file of the sizes to choose from: {"parameters": [...], "frames": [...], "tokens":
    [...]}; default: those that were measured"""
    videos_per_month: float = 0.0
    """videos watched a month once deployed; 0: not known"""


@dataclass(frozen=True)
class VideoPlotOptions:
    """Draw the frontier and how it moves with data, as one page."""

    fit: str = "runs/video/fit.json"
    """file that `tastemaker video fit` wrote"""
    examples: float = 0.0
    """fine-tuning examples; a quarter and four times as many are drawn beside"""
    out: str = "runs/video/frontier.html"
    """the page"""


@dataclass(frozen=True)
class VideoSweepOptions:
    """Train small video models on generated clips, and measure each."""

    out: str = "runs/video/sweep"
    """folder of the sweep"""
    garments: str = ""
    """folder of Fashion-MNIST, whose garments then move; default: plain shapes"""
    cells: int = 40
    """most different runs: one factor at a time around the largest, then others at random"""
    seeds: int = 1
    """runs of each"""
    widths: tuple[int, ...] = (32, 64, 128)
    """of the language model"""
    frames: tuple[int, ...] = (1, 2, 4, 8)
    """of a video"""
    tokens: tuple[int, ...] = (1, 4, 16)
    """of a frame: squares of 1, 2 and 4"""
    examples: tuple[int, ...] = (500, 2000, 8000)
    """of fine-tuning"""
    epochs: int = 10
    """passes over the examples"""
    test: int = 800
    """clips that are measured on"""
    first: int = 1500
    """clips that the frame encoder learns from"""
    seed: int = 0
    """of clips, weights and order"""
    resume: bool = False
    """go on with the sweep in --out"""
