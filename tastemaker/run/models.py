"""The models of one run: a neural one, the counting ones, and their blend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from tastemaker import files
from tastemaker.config import from_json
from tastemaker.data.catalog import Catalog
from tastemaker.data.contexts import Contexts
from tastemaker.data.interactions import Interactions
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.metrics.ranking import Recommender
from tastemaker.nn.next_item import NextItemModel
from tastemaker.recommend.backbones import NEURAL, build
from tastemaker.recommend.blend import Blend, LogMarkov, LogSoftmax
from tastemaker.recommend.counting import COUNTING
from tastemaker.recommend.soundness import read_saved
from tastemaker.train.checkpoints import load_weights

Knobs = Mapping[str, Mapping[str, float]]
"""Counting model → its settings."""


@dataclass
class Models:
    """Everything a run can rank with."""

    neural_name: str
    neural: NextItemModel
    counting: dict[str, Any]
    """name → fitted counting model"""
    candidates: npt.NDArray[np.bool_]
    """(I,) items with training events: the ones that may be recommended"""
    weights: dict[str, float] | None = None
    """weights of the blend, once fitted"""
    skipped: dict[str, str] | None = None
    """counting models that were not fitted, and why"""

    @classmethod
    def fit_counting(
        cls,
        neural_name: str,
        neural: NextItemModel,
        train: Contexts,
        num_items: int,
        knobs: Knobs | None = None,
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
            self.neural.eval()
            return self.neural
        if name in self.counting:
            model: Recommender = self.counting[name]
            return model
        if name == "blend" and self.weights:
            return Blend(self.parts(), self.weights)
        known = ", ".join(self.names)
        raise BadInput(f"This run has no model {name!r}.", "--model", f"It has: {known}.")

    def parts(self) -> dict[str, Recommender]:
        """What the blend is made of, each on a common scale."""
        markov = LogMarkov(self.get("markov-last-5"), self.get("popularity"))
        parts: dict[str, Recommender] = {
            self.neural_name: LogSoftmax(self.get(self.neural_name)),
            "markov-last-5": markov,
        }
        return parts | ({"ease": self.get("ease")} if "ease" in self.counting else {})

    def save(self, run: Path) -> None:
        """Write weights and counts as safetensors, and the blend's weights as JSON."""
        files.save_tensors(run / "model.safetensors", self.neural.state_dict())
        tensors = {
            f"{name}/{key}": torch.from_numpy(np.ascontiguousarray(array))
            for name, model in self.counting.items()
            for key, array in model.tensors().items()
        }
        tensors["candidates"] = torch.from_numpy(self.candidates)
        files.save_tensors(run / "counting.safetensors", tensors)
        extra = {"weights": self.weights, "skipped": self.skipped}
        files.write_json(run / "blend.json", extra)

    @classmethod
    def open(
        cls,
        run: Path,
        config: Mapping[str, Any],
        interactions: Interactions,
        catalog: Catalog,
    ) -> Models:
        """Read what `save` wrote, for the vocabulary it was trained on.

        Raises:
            ArtefactError: If the weights belong to another vocabulary or shape.
        """
        if config["vocabulary_sha256"] != interactions.vocabulary_sha256:
            raise ArtefactError(
                str(run / "vocab.parquet"),
                "The model was trained on another vocabulary",
                config["vocabulary_sha256"],
                interactions.vocabulary_sha256,
                "Train on this data, or open the run the model came with.",
            )
        own = config["model"]
        shape = from_json(NEURAL[own][1], config["model_config"], f"{own} options")
        neural = build(shape, interactions.num_items, catalog)
        load_weights(neural, run / "model.safetensors")
        saved = read_saved(run / "counting.safetensors", interactions.num_items)
        candidates = saved["candidates"].flags("", (interactions.num_items,))
        counting = {n: kind.from_tensors(saved[n]) for n, kind in COUNTING.items() if n in saved}
        extra = files.read_json(run / "blend.json")
        weights, skipped = extra["weights"], extra["skipped"]
        return cls(own, neural, counting, candidates, weights, skipped)
