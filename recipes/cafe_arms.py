"""The arms of the recipe on CAFe: one warm start a seed, then the same scenes in the same order.

What an arm has learnt and what it said is kept, so the recipe goes on where it was stopped, and
what is counted of it can be counted again.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from cafe_said import EMBEDDING, Said, say
from cafe_tower import CellSteps, CellTower
from cafe_world import Sizes, pairs, texts

from tastemaker import files
from tastemaker.embed.cafe import CAFe, CAFeConfig
from tastemaker.embed.pair_batches import PairBatches
from tastemaker.models.tiny_vlm import TinyVision, tiny_vision_model
from tastemaker.models.vlm import VisionModel, open_vision_model
from tastemaker.train.config import FitConfig
from tastemaker.train.loop import fit


@dataclass(frozen=True)
class Budget:
    """How long what is learnt."""

    sizes: Sizes = Sizes()
    shape: TinyVision = TinyVision()
    tower_epochs: int = 4
    warm_steps: int = 600
    warm_lr: float = 2e-3
    warm_turns: int = 4
    steps: int = 500
    batch: int = 16
    lr: float = 1e-3
    turns: int = 3
    """of a scene in a step: its caption, and questions"""


@dataclass(frozen=True)
class Arm:
    """What is learnt from where."""

    alpha_con: float
    alpha_lm: float
    start: str = "base"
    """the arm whose weights it begins with"""
    times: int = 1
    """times the scenes of a step, encoded a step's scenes at a time"""


ARMS = {
    "LM-only": Arm(0.0, 1.0),
    "contrastive-only": Arm(1.0, 0.0),
    "CAFe": Arm(1.0, 1.0),
    "contrastive, then LM": Arm(0.0, 1.0, "contrastive-only"),
}
POOL = {"16 pairs": Arm(1.0, 0.0), "64 pairs, 16 at a time": Arm(1.0, 0.0, times=4)}
SWEEP = {f"CAFe, alpha_con {alpha:g}": Arm(alpha, 1.0) for alpha in (0.1, 0.3, 3.0)}


@dataclass(frozen=True)
class Kept:
    """Where a seed's models and what they said lie."""

    folder: Path
    seed: int
    budget: Budget
    base: Path | None = None
    """folder of a warmed-up model; None: it is made here"""

    def model(self, name: str) -> Path:
        """The model of an arm; learnt if it is not there."""
        if name == "base" and self.base:
            return self.base
        folder = self.folder / name
        if not (folder / "cost.json").is_file():
            vision, spent = self._warm() if name == "base" else self._trained(name)
            files.make_folder(folder)
            vision.save(folder / "model")
            files.write_json(folder / "cost.json", {"cpu_seconds": spent})
        return folder / "model"

    def said(self, name: str, validate: bool = False) -> Said:
        """What an arm says of scenes to test on, or to choose with."""
        path = self.folder / name / ("chosen.npz" if validate else "said.npz")
        if not path.is_file():
            vision, began = open_vision_model(self.model(name)), time.process_time()
            found = say(vision, self.budget.sizes.measured(validate), self.budget.sizes.told)
            found["cpu_seconds"] = np.array(time.process_time() - began)
            part = path.with_name(f"part-{path.name}")
            np.savez(part, **found)
            part.replace(path)
        with np.load(path) as held:
            return dict(held)

    def cost(self, name: str) -> float:
        """CPU-seconds that an arm learnt for."""
        spent: float = files.read_json(self.folder / name / "cost.json")["cpu_seconds"]
        return spent

    def _trained(self, name: str) -> tuple[VisionModel, float]:
        arm, budget = (ARMS | SWEEP | POOL)[name], self.budget
        vision = open_vision_model(self.model(arm.start))
        fitting = FitConfig(lr=budget.lr, warmup=50)
        many = (budget.steps, budget.turns)
        return vision, self._fit(vision, arm, many, fitting, self.folder / name)

    def _warm(self) -> tuple[VisionModel, float]:
        """A fresh model whose tower has learnt cells, and that has learnt to tell."""
        budget, world = self.budget, self.budget.sizes.learnt(self.seed)
        prompts = (EMBEDDING.picture_prompt, EMBEDDING.text_prompt)
        vision = tiny_vision_model(budget.shape, texts(world, prompts), self.seed)
        tower = CellTower(vision, budget.shape.vision_dim, len(world.sprites.names))
        epochs = {"epochs": budget.tower_epochs, "anneal": budget.tower_epochs}
        once = FitConfig(lr=2e-3, warmup=50, seed=self.seed, **PLAIN | epochs)
        out, tuning = self.folder / "base" / "tower", budget.sizes.measured(validate=True)
        files.make_folder(out)
        steps = CellSteps(tower, world, 64)
        spent = fit(tower, steps, once, lambda: tower.right(tuning), out, True).cpu_seconds
        fitting = FitConfig(lr=budget.warm_lr, warmup=50)
        many = (budget.warm_steps, budget.warm_turns)
        told = self._fit(vision, Arm(0.0, 1.0), many, fitting, self.folder / "base")
        return vision, spent + told

    def _fit(
        self, vision: VisionModel, arm: Arm, many: tuple[int, int], config: FitConfig, out: Path
    ) -> float:
        """Train for so many steps of so many turns a scene; returns CPU-seconds."""
        steps, turns = many
        batch = self.budget.batch * arm.times
        own = pairs(self.budget.sizes.learnt(self.seed), self.seed)
        rng = np.random.default_rng([self.seed, out.name == "base"])
        drawn = np.concatenate([rng.permutation(len(own)) for _ in range(9)])[: steps * batch]
        batches = PairBatches(
            vision,
            EMBEDDING,
            [own[one] for one in drawn],
            batch,
            turns=turns,
            seed=self.seed,
            vectors=arm.alpha_con > 0,
            told=arm.alpha_lm > 0,
        )
        chunk = self.budget.batch if arm.times > 1 else 0
        model = CAFe(vision, CAFeConfig(arm.alpha_con, arm.alpha_lm, gradcache_chunk=chunk))
        once = replace(config, seed=self.seed, **PLAIN)
        files.make_folder(out / "training")
        return fit(model, batches, once, done, out / "training", True).cpu_seconds


PLAIN = {"epochs": 1, "schedule": "cosine", "anneal": 1, "metric": "right", "patience": 0}


def done() -> dict[str, float]:
    """An arm's weights are those of its last step, whatever they are worth."""
    return {"right": 0.0}
