"""HLLM: an item language model turns texts into vectors, a user language model reads them.

Paper: HLLM, arXiv 2409.12740.

    e_i = ItemLLM(text_i);  u_j = UserLLM(e_1 … e_j);  s = exp(θ)·cos(u_j, e_i)

Both models train end to end on the softmax over items; θ starts at ln(1/.07), and exp(θ) stays at
or below 100. An item is its text, so an item nobody has chosen yet has a vector like any other.

Pictures, if asked for, are encoded once by a frozen model, beside the text's vector.

What keeps it small: the item model's lower layers are frozen and their output is computed once; in
a step the items read and the negatives alone are encoded, at most `fresh` of them with a gradient;
vectors for scoring are made once after training and anew only for texts that change. The projection
from item model to user model starts as a whitening of the texts.

A run holds the vectors, and the user model's shape and weights: opening one opens no other model.

What keeps it honest: within a step whatever is read or competes is encoded by the weights of that
step. Vectors of different age would tell the items of a batch, and so its targets, from others.

Left out: pre-trained weights of 1–7 billion parameters; the models are those on the machine.
Checked: tests/recommend/test_hllm.py and recipes/hllm_text.py.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tastemaker.data.batches import Batch
from tastemaker.data.catalog import Catalog
from tastemaker.data.ground import Ground
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.models.item_llm import ItemLLM, ReadTexts
from tastemaker.models.user_llm import hidden_states, keep_user_model
from tastemaker.nn.next_item import Competitors, NextItemModel, not_fewer, targets_of
from tastemaker.nn.view import WHOLE, KeyValue, Pass, View
from tastemaker.nn.whitening import whitening
from tastemaker.recommend.hllm_shape import (
    HLLMConfig,
    Kept,
    item_model_of,
    item_weights,
    looks_of,
    texts_of,
    user_model_of,
)
from tastemaker.weights import WEIGHTS, Stored, filled, stored_tensors

_SCALE = 100.0
_CHUNK = 512


class HLLM(NextItemModel):
    """The model; implements the seams `Encoder` and `Trainable`."""

    features: Tensor
    """(I+1, H) what the item model says of each text, and beside it the vector of the picture."""
    looks: Tensor
    """(I, P) vectors of pictures; no item model, none of them."""
    vectors: Tensor
    """(I+1, D) unit vectors made of the features."""
    stale: Tensor
    """(I+1,) features that are not of today's weights and text; row 0: nor are the vectors."""
    steps: Tensor
    """() steps of training so far."""

    def __init__(
        self, config: HLLMConfig, num_items: int, catalog: Catalog, kept: Kept | None = None
    ) -> None:
        """Both models, and a vector for every text once the first is asked for.

        Args:
            config: Shape.
            num_items: I.
            catalog: I rows, row i for item code i + 1.
            kept: What a finished run holds: the model is for scoring with the vectors there, has no
                item model, and opens no folder.

        Raises:
            BadInput: If items have no text and no text stands for them, or a model cannot be used.
        """
        super().__init__(config, num_items)
        self.hllm, self.catalog = config, catalog
        self.texts = texts_of(config, catalog)
        self.user = user_model_of(config, kept)
        width = int(self.user.config.hidden_size)
        self.item = None if kept else item_model_of(config)
        looks = torch.zeros(0) if kept else looks_of(config, catalog)
        self.register_buffer("looks", looks, persistent=False)
        length = kept.width if kept else self._reader.width + looks.shape[1]
        self.project = nn.Linear(length, width)
        self.drop = nn.Dropout(config.dropout)
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        self.register_buffer("features", torch.zeros(num_items + 1, length))
        self.register_buffer("vectors", torch.zeros(num_items + 1, width))
        self.register_buffer("stale", torch.ones(num_items + 1, dtype=torch.bool))
        self.register_buffer("steps", torch.tensor(0))
        self._reading: ReadTexts | None = None
        self._run = kept.run if kept else None

    @classmethod
    def build(cls, config: Any, ground: Ground) -> Self:
        """The model with fresh weights; `ground.catalog` has the texts."""
        return cls(config, ground.num_items, ground.catalog)

    @classmethod
    def open(cls, config: Any, ground: Ground, run: Path) -> Self:
        """The model as `save` wrote it, for scoring: no other model is opened.

        Raises:
            ArtefactError: If the files are of another model or damaged, or vectors are stale.
        """
        path, fix = run / WEIGHTS, "Restore the run from a copy, or make it again."
        stored = stored_tensors(path)
        features = stored.get("features", Stored((), "nothing"))
        if len(features.shape) != 2:
            raise ArtefactError(str(path), "Features do not fit", "(I+1, H)", str(features), fix)
        kept = Kept(features.shape[1], len(stored), run)
        items, catalog = ground.num_items, ground.catalog
        model = filled(lambda: cls(config, items, catalog, kept), path, config.layers, "item.")
        if model.stale.any():
            fault, want = "Vectors are not of the weights", "fresh vectors"
            raise ArtefactError(str(path), fault, want, "stale ones", fix)
        return model

    def save(self, run: Path) -> None:
        """Write weights, fresh vectors, and the shape of the user model."""
        self.refresh()
        keep_user_model(self.user, run)
        super().save(run)

    @torch.no_grad()
    def grown(self, ground: Ground) -> Self:
        """The same model for more items; texts that are new or others are encoded when asked for.

        One that was opened for scoring takes its item model back from its run.

        Raises:
            ValueError: If there are fewer items than it knows.
            BadInput: If new items have no text and none stands for them, or a model that the
                options name is not here.
            ArtefactError: If the run that it was opened from holds no such item model.
        """
        not_fewer(self.num_items, ground)
        grown = type(self)(self.hllm, ground.num_items, ground.catalog).to(self.vectors.device)
        state = grown.state_dict()
        for name, learned in self.state_dict().items():
            if name in ("features", "vectors", "stale"):
                state[name][: len(learned)] = learned
            else:
                state[name] = learned
        if len(grown.texts) < ground.num_items:
            raise BadInput("New items have no texts.", "the items table", "Give them titles.")
        pairs = enumerate(zip(self.texts, grown.texts, strict=False), start=1)
        state["stale"][[row for row, (before, now) in pairs if before != now]] = True
        if self.item is None and self._run is not None:
            assert grown.item is not None
            state |= item_weights(grown.item, self._run / WEIGHTS)
        grown.load_state_dict(state)
        return grown.train(self.training)

    @property
    def _reader(self) -> ItemLLM:
        """The item model, or BadInput where a finished run keeps vectors in its stead."""
        if self.item is None:
            what = "A finished run holds the vectors of its texts and no item model."
            raise BadInput(what, "new texts", "Train with the new texts and --model.item-model.")
        return self.item

    def parameter_groups(self) -> list[dict[str, Any]]:
        """The item model learns at `item_lr` of the rate of everything else."""
        item = {id(parameter) for parameter in self._reader.parameters()}
        rest = [parameter for parameter in self.parameters() if id(parameter) not in item]
        slow = list(self._reader.parameters())
        return [{"params": rest, "share": 1.0}, {"params": slow, "share": self.hllm.item_lr}]

    def embed(self, batch: Batch) -> Tensor:
        """(B, N, D) unit vectors of the texts."""
        return F.embedding(batch.items, self.table())

    def read(self, batch: Batch, view: View = WHOLE, vectors: Tensor | None = None) -> Pass:
        """Unit vectors times the learned scale, of every position or of the `newest`."""
        x = self.embed(batch) if vectors is None else vectors
        # Unit vectors have entries of about 1/√D; a language model reads entries of about 1.
        x = self.drop(x * x.shape[-1] ** 0.5)
        position_ids = batch.position_ids.expand(x.shape[:2])
        before = None if view.plain else [] if view.past is None else [*view.past.layers]
        x, layers = hidden_states(self.user, x, position_ids, view.mask(batch), before)
        x = F.normalize(view.pick(x), dim=-1) * self.log_scale.exp().clamp(max=_SCALE)
        keys_values = [KeyValue(*pair) for pair in layers]
        return view.passed(x * view.pick(batch.valid[..., None]), keys_values, batch)

    def table(self) -> Tensor:
        """(I+1, D) unit vectors of all texts; row 0 is padding. Those that changed are encoded."""
        self.refresh()
        return self.vectors

    def competitors(self, batch: Batch) -> Competitors:
        """Begin a step: all texts for the full softmax, else those that the batch names alone."""
        targets, negatives = targets_of(batch), batch.negatives
        if not self.steps:
            self.start()  # `fit` has; other callers need not know
        self.stale[0] = True  # the weights are about to change
        self.steps += 1
        ids = torch.arange(self.num_items + 1, device=batch.items.device)
        if self.config.loss != "softmax" and negatives is not None:
            named = (batch.items, targets, negatives, ids[:1])
            ids = torch.unique(torch.cat([codes.flatten() for codes in named]))
        table = self._projected(self._today(ids))
        items, targets = (torch.searchsorted(ids, codes) for codes in (batch.items, targets))
        drawn = None if negatives is None else torch.searchsorted(ids, negatives)
        return Competitors(table, F.embedding(items, table), items, targets, drawn)

    def update(self, catalog: Catalog) -> int:
        """Take new texts of the same items, encode those that changed, and say how many they were.

        Raises:
            BadInput: As at construction.
        """
        fresh = texts_of(self.hllm, catalog)
        self.catalog = catalog
        pairs = enumerate(zip(self.texts, fresh, strict=True))
        changed = [row for row, (old, new) in pairs if old != new]
        self.texts = fresh
        if changed:
            self._reading, reading = None, self._reader.read([fresh[row] for row in changed])
            with torch.no_grad():
                features = self._reader(reading, np.arange(len(changed)))
            rows = torch.tensor(changed)
            self.features[rows + 1] = torch.cat([features, self.looks[rows]], 1)
            self.stale[0] = True
        return len(changed)

    @torch.no_grad()
    def start(self) -> None:
        """Whiten: the projection begins as the largest principal axes of the catalogue's texts.

        Vectors of a language model share one large direction, so that all cosines are high and
        training would first have to unlearn it. Texts alone decide; no event is used. Nothing
        happens once texts have been encoded, as in a model that was trained or opened.
        """
        if self.features.any():
            return
        self.refresh()
        axes, mean = whitening(self.features[1:], len(self.project.weight))
        self.project.weight[: len(axes)] = axes
        self.project.bias.copy_(-self.project.weight @ mean)
        self.stale[0] = True

    @torch.no_grad()
    def refresh(self) -> None:
        """Make the features and vectors anew that are not of today's weights and texts."""
        if not self.stale.any():
            return
        rows = self.stale[1:].nonzero()[:, 0].cpu().numpy()
        training = self.training
        self.eval()
        for start in range(0, len(rows), _CHUNK):
            chunk = rows[start : start + _CHUNK]
            self.features[torch.from_numpy(chunk + 1)] = self._encoded(chunk)
        self.vectors[1:] = self._projected(self.features[1:])
        self.stale[:] = False
        self.train(training)

    def _today(self, ids: Tensor) -> Tensor:
        """(n, H) features of `ids`, the first of which is padding, by the weights of this step.

        At most `fresh` of them, drawn by chance, have a gradient.
        """
        features = F.embedding(ids, self.features)
        learns = any(parameter.requires_grad for parameter in self._reader.parameters())
        if not learns or self.steps <= self.hllm.thaw:
            return features
        self.stale[1:] = True
        order = 1 + torch.randperm(len(ids) - 1).to(ids.device)
        learn, rest = order[: self.hllm.fresh], order[self.hllm.fresh :]
        parts = [self._encoded((ids[learn] - 1).cpu().numpy())]
        with torch.no_grad():
            if len(rest):
                parts.append(self._encoded((ids[rest] - 1).cpu().numpy()))
        return features.index_copy(0, order, torch.cat(parts))

    def _projected(self, features: Tensor) -> Tensor:
        """(n, H) → (n, D) unit vectors."""
        return F.normalize(self.project(features), dim=-1)

    def _encoded(self, rows: Any) -> Tensor:
        """(n, H) what is known of items by number."""
        if self._reading is None:
            self._reading = self._reader.read(self.texts)
        features: Tensor = self._reader(self._reading, np.asarray(rows))
        return torch.cat([features, self.looks[rows]], 1)
