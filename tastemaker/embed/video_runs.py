"""One run of a sweep of small video models: trained on some questions, measured on others.

The frame encoder is trained once and frozen; its features of every frame are kept, and its cost is
charged for every frame all the same.
"""

from __future__ import annotations

import base64
import logging
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from torch import Tensor

from tastemaker import files
from tastemaker.config import seed_everything
from tastemaker.embed.frame_encoder import (
    EncoderConfig,
    FrameEncoder,
    frame_flops,
    kept_features,
    trained,
)
from tastemaker.embed.video_cost import VideoCost
from tastemaker.embed.video_vlm import (
    VideoModel,
    VideoModelConfig,
    Vocabulary,
    cost_of,
    right,
    steps_of,
    taken,
)
from tastemaker.errors import BadInput
from tastemaker.files import JsonObject
from tastemaker.train.config import FitConfig
from tastemaker.train.loop import fit
from tastemaker.worlds.clips import KINDS, Asked, ClipOptions, clips, questions
from tastemaker.worlds.sprites import Sprites

LOG = logging.getLogger(__name__)
_TRAIN, _TEST, _FIRST = 1, 2, 3
"""Seeds of the clips that video models learn from, are measured on, and the encoder learns from."""


@dataclass(frozen=True)
class SweepConfig:
    """Which models are trained on how much."""

    widths: tuple[int, ...] = (32, 64, 128)
    """of the language model"""
    frames: tuple[int, ...] = (1, 2, 4, 8)
    tokens: tuple[int, ...] = (1, 4, 16)
    """of a frame"""
    examples: tuple[int, ...] = (500, 2000, 8000)
    cells: int = 40
    """most different runs: a star around the largest at each number of examples, then others"""
    seeds: int = 1
    """runs of each"""
    epochs: int = 10
    batch: int = 32
    lr: float = 2e-3
    test: int = 800
    """clips that questions are asked of to measure"""
    first: int = 1500
    """clips that the frame encoder learns from"""
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    seed: int = 0


@dataclass(frozen=True)
class Cell:
    """One run: a configuration and a number of examples."""

    width: int
    frames: int
    tokens: int
    examples: int


def cells_of(config: SweepConfig) -> list[Cell]:
    """A star around the largest configuration at each number of examples, then others at random.

    Raises:
        BadInput: If an axis is empty or there are fewer than one cell.
    """
    axes = (config.widths, config.frames, config.tokens, config.examples)
    if not all(axes) or config.cells < 1 or config.seeds < 1:
        raise BadInput("These options make no run.", "sweep", "Give every axis a size.")
    every = [Cell(*(int(v) for v in row)) for row in np.stack(
        np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 4)]  # fmt: skip
    centre = tuple(max(axis) for axis in axes[:3])

    def apart(cell: Cell) -> int:
        own = (cell.width, cell.frames, cell.tokens)
        return sum(a != b for a, b in zip(own, centre, strict=True))

    star = [cell for cell in every if apart(cell) <= 1]
    others = [cell for cell in every if apart(cell) > 1]
    order = np.random.default_rng(config.seed).permutation(len(others))
    return [*star, *(others[k] for k in order)][: config.cells]


@dataclass(frozen=True, eq=False)
class World:
    """What every run of a sweep shares."""

    config: SweepConfig
    vocabulary: Vocabulary
    learned: list[Asked]
    """questions to learn from, in an order in which the first n are n examples"""
    asked: list[Asked]
    """questions to measure by"""
    features: Tensor
    """(N, F, 4, 4, D) of the clips that are learned from"""
    measured: Tensor
    """the same of those that are measured on"""
    flops: float
    """of a frame in the encoder"""
    share: float
    """of places that the encoder tells right"""

    @property
    def cost(self) -> VideoCost:
        """What a video costs: the encoder is charged for every frame."""
        return cost_of(self.flops)


def open_world(config: SweepConfig, sprites: Sprites, held: Sprites, out: Path) -> World:
    """Draw the clips; train the frame encoder, or read the one that lies in `out`.

    Args:
        config: Of the sweep.
        sprites: What clips to learn from are made of.
        held: The same of those to measure by.
        out: Folder of the sweep.
    """
    first = clips(sprites, ClipOptions(config.first, seed=_FIRST + 10 * config.seed))
    path = out / "encoder.safetensors"
    if path.is_file():
        encoder = FrameEncoder(config.encoder, len(sprites.names))
        encoder.load_state_dict(files.load_tensors(path))
        encoder.eval().requires_grad_(False)
        share = float(files.read_json(out / "encoder.json")["share"])
    else:
        LOG.info("training the frame encoder on %d clips", config.first)
        encoder, share = trained(first, config.encoder)
        files.write_json(out / "encoder.json", {"share": share, "flops": frame_flops(encoder)})
        files.save_tensors(path, encoder.state_dict())
    many = -(-max(config.examples) // 3)  # of each clip three questions or four
    own = clips(sprites, ClipOptions(many, seed=_TRAIN + 10 * config.seed))
    test = clips(held, ClipOptions(config.test, seed=_TEST + 10 * config.seed))
    learned = questions(own)
    order = np.random.default_rng(config.seed).permutation(len(learned))
    return World(
        config,
        Vocabulary.of(learned, sprites.names),
        [learned[k] for k in order],
        questions(test),
        kept_features(encoder, own),
        kept_features(encoder, test),
        frame_flops(encoder),
        share,
    )


def run_cell(world: World, cell: Cell, seed: int) -> JsonObject:
    """Train one model and measure it.

    Returns:
        The cell and seed, `parameters`, `flops`, `score`, `scores` by kind of question, `right`
        (which questions, as bits in base 64), `cpu_seconds`.
    """
    began, config = time.process_time(), world.config
    seed_everything(1000 * config.seed + seed)
    shape = VideoModelConfig(cell.width, frames=cell.frames, tokens=cell.tokens)
    model = VideoModel(shape, world.features.shape[-1], world.vocabulary)
    pooled, shown = (taken(f, cell.frames, cell.tokens) for f in (world.features, world.measured))
    steps = steps_of(world.learned[: cell.examples], pooled, world.vocabulary, config.batch, seed)
    test = steps_of(world.asked, shown, world.vocabulary, config.batch, seed)
    told: list[Tensor] = []

    def validate() -> dict[str, float]:
        told.append(right(model, test))
        return {"accuracy": float(told[-1].float().mean())}

    training = FitConfig(
        epochs=config.epochs, batch=config.batch, lr=config.lr, warmup=20, schedule="cosine",
        anneal=config.epochs, validate_every=config.epochs, patience=0, metric="accuracy",
        seed=seed,
    )  # fmt: skip
    fit(model, steps, training, validate)
    answered = told[-1].numpy()
    kinds = np.array([one.kind for one in world.asked])
    scores = {kind: float(answered[kinds == kind].mean()) for kind in KINDS}
    x = np.array([model.parameters_read, cell.frames, cell.tokens], np.float64)
    return {
        **asdict(cell),
        "seed": seed,
        "parameters": model.parameters_read,
        "flops": float(world.cost.flops(x)),
        "score": float(answered.mean()),
        "scores": scores,
        "right": base64.b64encode(np.packbits(answered).tobytes()).decode(),
        "cpu_seconds": round(time.process_time() - began, 1),
    }
