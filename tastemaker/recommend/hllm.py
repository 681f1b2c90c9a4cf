"""HLLM: an item language model turns texts into vectors, a user language model reads them.

Paper: HLLM, arXiv 2409.12740.

    e_i = ItemLLM(text_i);  u_j = UserLLM(e_1 … e_j);  s = exp(θ)·cos(u_j, e_i)

Both models train end to end on the softmax over items; θ starts at ln(1/.07), and exp(θ) stays at
or below 100. An item is its text, so an item nobody has chosen yet has a vector like any other.

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
from tastemaker.data.item_texts import item_texts
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.models.item_llm import ItemLLM, Reading
from tastemaker.models.user_llm import keep_user_model
from tastemaker.nn.attention import pick
from tastemaker.nn.next_item import NextItemModel
from tastemaker.nn.whitening import whitening
from tastemaker.recommend.hllm_shape import HLLMConfig, Kept, item_model_of, user_model_of
from tastemaker.weights import WEIGHTS, Stored, filled, stored_tensors

_SCALE = 100.0
_CHUNK = 512


class HLLM(NextItemModel):
    """The model; implements the seams `Encoder` and `Trainable`."""

    features: Tensor
    """(I+1, H) what the item model says of each text."""
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
        self.texts = item_texts(catalog, config.missing_text)
        self.user = user_model_of(config, kept)
        width = int(self.user.config.hidden_size)
        self.item = None if kept else item_model_of(config)
        length = kept.width if kept else self._reader.width
        self.project = nn.Linear(length, width)
        self.drop = nn.Dropout(config.dropout)
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        self.register_buffer("features", torch.zeros(num_items + 1, length))
        self.register_buffer("vectors", torch.zeros(num_items + 1, width))
        self.register_buffer("stale", torch.ones(num_items + 1, dtype=torch.bool))
        self.register_buffer("steps", torch.tensor(0))
        self._reading: Reading | None = None

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

    def states(self, batch: Batch, newest: Tensor | None = None) -> Tensor:
        """(B, N, D), or (B, 1, D) of the `newest`: unit vectors times the learned scale."""
        return self._states(batch, F.embedding(batch.items, self.table()), newest)

    def table(self) -> Tensor:
        """(I+1, D) unit vectors of all texts; row 0 is padding. Those that changed are encoded."""
        self.refresh()
        return self.vectors

    def loss(self, batch: Batch) -> Tensor:
        """Sum over this batch's targets divided by the targets of the whole step."""
        if batch.targets is None:
            raise ValueError("a training batch carries targets")
        if not self.steps:
            self.start()  # `fit` has; other callers need not know
        self.stale[0] = True  # the weights are about to change
        self.steps += 1
        ids = torch.arange(self.num_items + 1, device=batch.items.device)
        negatives = batch.negatives
        if self.config.loss != "softmax":
            if negatives is None:
                raise ValueError(f"loss {self.config.loss!r} needs a batch with negatives")
            known = [batch.items.flatten(), batch.targets.flatten(), negatives, ids[:1]]
            ids = torch.unique(torch.cat(known))
            negatives = torch.searchsorted(ids, negatives)
        table = self._projected(self._today(ids))
        at = torch.searchsorted(ids, batch.items)
        wanted = batch.targets > 0
        states = self._states(batch, F.embedding(at, table), None)[wanted]
        targets = torch.searchsorted(ids, batch.targets[wanted])
        total = self.competition(states, table, targets, negatives)
        return total / max(1, batch.target_count)

    def update(self, catalog: Catalog) -> int:
        """Take new texts of the same items, encode those that changed, and say how many they were.

        Raises:
            BadInput: As at construction.
        """
        fresh = item_texts(catalog, self.hllm.missing_text)
        self.catalog = catalog
        changed = [at for at, (a, b) in enumerate(zip(self.texts, fresh, strict=True)) if a != b]
        self.texts = fresh
        if changed:
            self._reading, reading = None, self._reader.read([fresh[at] for at in changed])
            with torch.no_grad():
                found = self._reader(reading, np.arange(len(changed)))
            self.features[torch.tensor(changed) + 1] = found
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
            part = rows[start : start + _CHUNK]
            self.features[torch.from_numpy(part + 1)] = self._encoded(part)
        self.vectors[1:] = self._projected(self.features[1:])
        self.stale[:] = False
        self.train(training)

    def _today(self, ids: Tensor) -> Tensor:
        """(n, H) features of `ids`, the first of which is padding, by the weights of this step.

        At most `fresh` of them, drawn by chance, have a gradient.
        """
        kept = F.embedding(ids, self.features)
        learns = any(parameter.requires_grad for parameter in self._reader.parameters())
        if not learns or self.steps <= self.hllm.thaw:
            return kept
        self.stale[1:] = True
        order = 1 + torch.randperm(len(ids) - 1).to(ids.device)
        learn, rest = order[: self.hllm.fresh], order[self.hllm.fresh :]
        parts = [self._encoded((ids[learn] - 1).cpu().numpy())]
        with torch.no_grad():
            if len(rest):
                parts.append(self._encoded((ids[rest] - 1).cpu().numpy()))
        return kept.index_copy(0, order, torch.cat(parts))

    def _projected(self, features: Tensor) -> Tensor:
        """(n, H) → (n, D) unit vectors."""
        return F.normalize(self.project(features), dim=-1)

    def _encoded(self, rows: Any) -> Tensor:
        """(n, H) what the item model says of texts by number."""
        if self._reading is None:
            self._reading = self._reader.read(self.texts)
        found: Tensor = self._reader(self._reading, np.asarray(rows))
        return found

    def _states(self, batch: Batch, inputs: Tensor, newest: Tensor | None) -> Tensor:
        # Unit vectors have entries of about 1/√D; a language model reads entries of about 1.
        x = self.drop(inputs * inputs.shape[-1] ** 0.5)
        at = batch.position_ids.expand(x.shape[:2])
        x = self.user(inputs_embeds=x, position_ids=at, use_cache=False).last_hidden_state
        scale = self.log_scale.exp().clamp(max=_SCALE)
        x = F.normalize(pick(x, newest), dim=-1) * scale
        return x * pick(batch.valid[..., None], newest)
