"""The models of one run: a neural one, the counting ones, and their blend."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from tastemaker import files
from tastemaker.config import from_json
from tastemaker.counts import counted
from tastemaker.data.catalog import Catalog
from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import Ground
from tastemaker.data.interactions import Interactions
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.recommend.backbones import backbone_of
from tastemaker.recommend.blend import PARTS, Blend, parts_of
from tastemaker.recommend.counting import COUNTING
from tastemaker.recommend.saved_tensors import read_saved
from tastemaker.run.folder import CONFIG, ITEMS
from tastemaker.seams import Headed, Learned, Reasoning, Recommender, Shape

CountingSettings = Mapping[str, Mapping[str, float]]
"""Counting model → its settings."""
_FIX = "Restore the run from a copy, or make it again."


@dataclass
class Models:
    """Everything a run can rank with."""

    neural_name: str
    neural: Learned
    counting: dict[str, Any]
    """name → fitted counting model"""
    candidates: npt.NDArray[np.bool_]
    """(I,) items with training events: the ones that may be recommended"""
    weights: dict[str, float] | None = None
    """weights of the blend, once fitted"""
    skipped: dict[str, str] | None = None
    """counting models that were not fitted, and why"""
    validation: dict[str, float] = field(default_factory=dict)
    """NDCG@10 on validation of the models measured so far; not saved"""

    @classmethod
    def fit_counting(
        cls,
        neural_name: str,
        neural: Learned,
        train: Contexts,
        num_items: int,
        knobs: CountingSettings | None = None,
    ) -> Models:
        """Fit every counting model on the training events; one that is too large is skipped.

        Args:
            neural_name: Name of the neural model.
            neural: The neural model, trained.
            train: Training events, one row a user.
            num_items: I.
            knobs: Settings of counting models that are not at their defaults.
        """
        fitted: dict[str, Any] = {}
        skipped = {}
        for name, kind in COUNTING.items():
            try:
                fitted[name] = kind.fit(train, num_items, **(knobs or {}).get(name, {}))
            except BadInput as error:
                skipped[name] = str(error)
        counts = np.bincount(train.items, minlength=num_items + 1)[1:]
        return cls(neural_name, neural, fitted, counts > 0, None, skipped)

    @property
    def names(self) -> list[str]:
        """Every model of the run, the blend last."""
        return [self.neural_name, *self.counting, *(["blend"] if self.weights else [])]

    def get(self, name: str) -> Recommender:
        """The model called `name`.

        Raises:
            BadInput: If there is none.
        """
        if name == self.neural_name:
            self.neural.train(False)
            return self.neural
        if name in self.counting:
            model: Recommender = self.counting[name]
            return model
        if name == "blend" and self.weights:
            return Blend(self.parts(), self.weights)
        known = ", ".join(self.names)
        raise BadInput(f"This run has no model {name!r}.", "--model", f"It has: {known}.")

    def heads_in(self, name: str) -> Headed | None:
        """The neural model, where it has named heads and takes part in the ranking of `name`."""
        weighed = name == "blend" and (self.weights or {}).get(self.neural_name)
        if not (name == self.neural_name or weighed) or not isinstance(self.neural, Headed):
            return None
        self.neural.train(False)
        return self.neural

    @property
    def thinker(self) -> Reasoning | None:
        """The neural model, where it can think before it answers."""
        if not isinstance(self.neural, Reasoning):
            return None
        self.neural.train(False)
        return self.neural

    @property
    def best_counting(self) -> str:
        """The counting model with the highest validation value, the earlier of equals."""
        return max(self.counting, key=lambda name: self.validation[name])

    @property
    def blend_is(self) -> str:
        """The model whose ranking the blend repeats, having all weight on it; empty: none.

        Parts that others are mixed into are no such models, as popularity smooths Markov counts.
        """
        weighted = [name for name, weight in (self.weights or {}).items() if weight]
        mixed = {blended.name for blended in PARTS if blended.beside}
        return weighted[0] if len(weighted) == 1 and weighted[0] not in mixed else ""

    def parts(self) -> dict[str, Recommender]:
        """What the blend is made of, each on a common scale."""
        return parts_of(self.neural_name, self.get(self.neural_name), self.counting)

    def save(self, run: Path) -> None:
        """Write weights and counts as safetensors, and the blend's weights as JSON."""
        self.neural.save(run)
        tensors = {
            f"{name}/{key}": torch.from_numpy(np.ascontiguousarray(array))
            for name, model in self.counting.items()
            for key, array in model.tensors().items()
        }
        tensors["candidates"] = torch.from_numpy(self.candidates)
        files.save_tensors(run / "counting.safetensors", tensors)
        extra = {"weights": self.weights, "skipped": self.skipped}
        files.write_json(run / "blend.json", extra)

    def let_go(self) -> None:
        """Free the counting models, once they are saved: names and values stay, none ranks more."""
        self.counting = dict.fromkeys(self.counting)

    @classmethod
    def open(
        cls,
        run: Path,
        config: Mapping[str, Any],
        interactions: Interactions,
        catalog: Catalog,
        unseen: Catalog | None = None,
    ) -> Models:
        """Read what `save` wrote, for the vocabulary it was trained on.

        `unseen` are items of the catalogue that the log never saw, which some models know too.

        Raises:
            ArtefactError: If the weights belong to another vocabulary or shape.
        """
        if config.get("vocabulary_sha256") != interactions.vocabulary_sha256:
            raise ArtefactError(
                str(run / "vocab.parquet"),
                "The model was trained on another vocabulary",
                str(config.get("vocabulary_sha256")),
                interactions.vocabulary_sha256,
                "Train on this data, or open the run the model came with.",
            )
        name, shape = _stored_shape(run, config)
        ground = Ground(interactions.num_items, catalog, unseen=unseen or Catalog.empty())
        if len(catalog.frame) != ground.num_items:
            want = f"{counted(ground.num_items, 'row')}, one an item"
            holds = counted(len(catalog.frame), "row")
            raise ArtefactError(str(run / ITEMS), "Items differ", want, holds, _FIX)
        neural = backbone_of(name).model.open(shape, ground, run)
        counting, candidates = _open_counting(run, interactions.num_items)
        models = cls(name, neural, counting, candidates)
        models.weights, models.skipped = _open_blend(run, models)
        return models


def _stored_shape(run: Path, config: Mapping[str, Any]) -> tuple[str, Shape]:
    """Name and shape of a run's neural model."""
    name, values = config.get("model"), config.get("model_config")
    if not isinstance(name, str) or not isinstance(values, Mapping):
        path, holds = str(run / CONFIG), f"{name!r:.80} and {type(values).__name__}"
        raise ArtefactError(path, "The model is not named", "model and model_config", holds, _FIX)
    return name, from_json(backbone_of(name).config, values, f"{name} options")


def _open_counting(run: Path, num_items: int) -> tuple[dict[str, Any], npt.NDArray[np.bool_]]:
    """The counting models by name, and the items that may be recommended."""
    saved = read_saved(run / "counting.safetensors", num_items)
    candidates = saved["candidates"].flags("", (num_items,))
    fitted = {n: kind.from_tensors(saved[n]) for n, kind in COUNTING.items() if n in saved}
    return fitted, candidates


def _open_blend(run: Path, models: Models) -> tuple[dict[str, float] | None, dict[str, str] | None]:
    """Weights of the blend, one a part, and the models that were skipped."""
    path = run / "blend.json"
    extra = files.read_json(path)
    weights, skipped = extra.get("weights"), extra.get("skipped")
    numbers = isinstance(weights, dict) and all(
        isinstance(weight, int | float) and math.isfinite(weight) for weight in weights.values()
    )
    if weights is not None and not (numbers and weights.keys() <= models.parts().keys()):
        want, holds = f"numbers for {', '.join(models.parts())}", f"{weights!r:.200}"
        raise ArtefactError(str(path), "Weights do not fit", want, holds, _FIX)
    return weights, skipped if isinstance(skipped, dict) else None
