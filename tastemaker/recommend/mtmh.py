"""MTMH-style retrieval: from one item, what people also engage with and what is really similar.

Paper: Optimizing Recall or Relevance? A Multi-Task Multi-Head Approach for Item-to-Item Retrieval
in Recommendation, arXiv 2506.06239. Its equations are not public: those here are ours.

    h = MLP([id ; categories ; W·content])
    u^e = unit(W_e·h), of a trigger and of a target;  u^r = unit(W_r·h + W'·content)
    L = L_e(u^e) + λ·L_r(u^r) + μ·L_r(u^e)

L_e is a softmax over the targets of a step of co-engaged pairs, corrected for how often each stands
there (logQ, in training alone); L_r brings scores to the cosines of the items' content. λ = μ = 0
is the co-engagement baseline. With g on meaning, a trigger asks by (1−g)·s^e + g·s^r; a user asks
by the newest triggers together, the k-th newest with weight 1/log2(1+k).

Left out: PCGrad, which needs a gradient of each loss of its own where `fit` has one of their sum.
Checked: tests/recommend/test_mtmh.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tastemaker.data.batches import Batch, last
from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import Ground
from tastemaker.data.pair_batches import PairStep, PairSteps
from tastemaker.data.pairs import co_engaged
from tastemaker.errors import ArtefactError
from tastemaker.files import save_tensors
from tastemaker.nn.next_item import not_fewer
from tastemaker.recommend import mtmh_losses as losses
from tastemaker.recommend.merge import ItemHeads
from tastemaker.recommend.mtmh_content import Content, content_of, refuse_alone
from tastemaker.recommend.mtmh_growth import grown_state, refuse_others
from tastemaker.recommend.mtmh_heads import Heads, TwoHeads
from tastemaker.recommend.mtmh_shape import MTMHConfig
from tastemaker.weights import WEIGHTS, Stored, checked_tensors, expected_of, stored_tensors

PAIRS_A_ROW = 16
"""Pairs in a step for each row that the options ask for."""
_FEW = {"listwise": 256, "mse": 256, "margin": 64}
"""Targets of a step, at most, that meaning is learnt from."""
_CHUNK = 8192
"""Items whose vectors are made at a time."""


class MTMH(nn.Module):
    """Two heads on one trunk; the seams `Learned` and `Encoder`."""

    def __init__(self, config: MTMHConfig, num_items: int, content: Content) -> None:
        """A model of `num_items` items of a log and of whatever else `content` knows."""
        super().__init__()
        self.config, self.num_items, self.content = config, num_items, content
        self.network = TwoHeads(config, num_items, content.width, content.num_groups)
        if not config.relevance_weight:
            self.network.silence()
        self.log_variances = nn.Parameter(torch.zeros(2)) if config.uncertainty else None
        self.register_buffer("encoder", torch.zeros(32, dtype=torch.uint8))
        if content.identity:
            named = bytearray.fromhex(content.identity)
            self.encoder: Tensor = torch.frombuffer(named, dtype=torch.uint8)
        self._kept: Kept | None = None

    @classmethod
    def build(cls, config: Any, ground: Ground) -> Self:
        """The model with fresh weights, and what the encoder says of the items.

        Raises:
            BadInput: If an encoder is named and there is nothing for it to read, or nothing
                follows anything; with every picture that cannot be read.
            NumericFault: If the encoder gives values that are not finite.
        """
        if ground.train is not None:
            refuse_alone(ground.train)
        return cls(config, ground.num_items, content_of(config.encoder, ground, config.pictures))

    @classmethod
    def open(cls, config: Any, ground: Ground, run: Path) -> Self:
        """The model as `save` wrote it, for retrieval: no text, picture or encoder is needed.

        Raises:
            ArtefactError: If the files are of another model or another catalogue, or damaged.
        """
        path = run / WEIGHTS
        stored = stored_tensors(path)
        width, groups = (
            stored[name].shape[axis] if name in stored and stored[name].shape else 0
            for name, axis in (("network.project.weight", -1), ("network.groups.weight", 0))
        )
        bare, count = Content.bare(width, groups), ground.num_items + len(ground.unseen.frame)
        with torch.device("meta"):
            expected = expected_of(cls(config, ground.num_items, bare))
        one = Stored((count, config.dim), torch.float32)
        expected |= {f"heads.{name}": one for name in Heads._fields}
        tensors = checked_tensors(path, expected)
        heads = ItemHeads(*(tensors.pop(f"heads.{name}").numpy() for name in Heads._fields))
        model = cls(config, ground.num_items, bare)
        model.load_state_dict(tensors)
        model._kept = Kept.of(heads, config.relevance)
        return model

    def save(self, run: Path) -> None:
        """Write the weights and the vectors of all items."""
        heads = self.item_heads()
        vectors = {name: getattr(heads, name) for name in Heads._fields}
        named = {f"heads.{name}": torch.from_numpy(one) for name, one in vectors.items()}
        save_tensors(run / WEIGHTS, {**self.state_dict(), **named})

    @torch.no_grad()
    def grown(self, ground: Ground) -> Self:
        """The same model for more items, where what is known of them means what it meant.

        Raises:
            ValueError: If there are fewer items than it knows.
            BadInput: If the catalogue's texts or categories give other vectors than those learnt.
        """
        not_fewer(self.num_items, ground)
        content = content_of(self.config.encoder, ground, self.config.pictures)
        grown = type(self)(self.config, ground.num_items, content)
        grown.load_state_dict(grown_state(self.state_dict(), grown.state_dict()))
        refuse_others(self.item_heads(), grown.item_heads(), self.num_items)
        return grown.to(self.encoder.device).train(self.training)

    @property
    def encoder_identity(self) -> str:
        """Hex sha256 of the encoder that it was trained with; empty: none."""
        named = bytes(self.encoder.cpu().numpy())
        return named.hex() if any(named) else ""

    def item_heads(self) -> ItemHeads:
        """Vectors of n = I + C items: row j is item code j + 1, then those the log never saw."""
        return self._vectors().heads

    def item_vectors(self) -> Tensor:
        """(I, 2d) vectors whose dot product with `encode` is the score."""
        return self._vectors().stored[: self.num_items].to(self.encoder.device)

    def encode(self, batch: Batch) -> Tensor:
        """(B, 2d) what the newest events ask together; zero for an empty history."""
        asked = F.embedding(batch.items, self._vectors().asked.to(batch.items.device))
        place = batch.valid.sum(1, keepdim=True) - torch.arange(
            batch.items.shape[1], device=batch.items.device
        )
        weights = torch.where(batch.valid, 1 / torch.log2(1 + place.clamp(min=1)), 0.0)
        total = weights.sum(1, keepdim=True).clamp(min=1e-9)
        return ((weights / total)[..., None] * asked).sum(1)

    def score(self, contexts: Contexts) -> Tensor:
        """(B, I) scores of every item for each row, in float32; column j is item code j + 1."""
        batch = last(contexts, self.config.history).to(self.encoder.device)
        return (self.encode(batch) @ self.item_vectors().T).float()

    def batches(self, train: Contexts, rows: int, seed: int = 0) -> PairSteps:
        """Steps of `PAIRS_A_ROW` pairs for each of `rows`.

        Raises:
            BadInput: If nothing follows anything.
        """
        refuse_alone(train)
        pairs = co_engaged(train, self.config.window, self.config.minutes)
        known = self.content.width or self.content.num_groups
        dropout = self.config.id_dropout if known else 0.0
        events, per_step = len(train.items), rows * PAIRS_A_ROW
        return PairSteps(pairs, self.num_items, events, per_step, dropout, seed)

    def load_state_dict(self, state_dict: Any, *args: Any, **kwargs: Any) -> Any:
        """As any module; vectors of other weights are forgotten.

        Raises:
            ArtefactError: If the weights learnt from other texts, or by another encoder.
        """
        learnt, own = state_dict["encoder"].cpu(), self.encoder.cpu()
        if self.content.identity and not torch.equal(learnt, own):
            want, got = bytes(own.numpy()).hex(), bytes(learnt.numpy()).hex()
            what, fix = "Items have other texts, or another encoder", "Train anew with these items."
            raise ArtefactError("the items table", what, want, got, fix)
        self._kept = None
        return super().load_state_dict(state_dict, *args, **kwargs)

    def forward(self, step: PairStep) -> Tensor:
        """`loss`, so that wrappers of `forward` (DDP, autocast) see it."""
        return self.loss(step)

    def loss(self, step: PairStep) -> Tensor:
        """This part's share of the losses of a whole step, weighted and summed."""
        self._kept = None  # the weights are about to change
        heads = self._heads(step.items, step.dropped)
        scores = (heads.trigger[step.triggers] @ heads.target[step.targets].T).float()
        logits = scores / self.config.temperature - step.log_q
        total = losses.engagement(logits, step.counts, step.pairs, step.weights, step.positives)
        engaging, similar = total / step.total_weight, self._similar(step, heads, scores)
        if self.log_variances is None:
            return engaging if similar is None else engaging + similar
        # Learned weights e^−v, kept from zero by v itself (homoscedastic uncertainty).
        parts = engaging if similar is None else torch.stack([engaging, similar])
        variances = self.log_variances[:1] if similar is None else self.log_variances
        return ((-variances).exp() * parts + variances * step.share).sum()

    def _similar(self, step: PairStep, heads: Heads, scores: Tensor) -> Tensor | None:
        """λ·L_r(u^r) + μ·L_r(u^e), or None where neither counts."""
        config, content = self.config, self._content()
        if not content.width or not (config.relevance_weight or config.trade):
            return None
        triggers, targets = step.triggers, step.targets
        spread = -(-len(targets) // _FEW[config.relevance_loss])
        targets, scores = targets[::spread], scores[:, ::spread]
        vectors = content.vectors[step.items]
        written = vectors.any(1)
        allowed = written[triggers][:, None] & written[targets]
        allowed &= step.items[triggers][:, None] != step.items[targets]
        meaning = vectors[triggers] @ vectors[targets].T
        total = scores.new_zeros(())
        if config.relevance_weight:
            own = (heads.relevance[triggers] @ heads.relevance[targets].T).float()
            total = total + config.relevance_weight * self._compared(own, meaning, allowed)
        if config.trade:
            total = total + config.trade * self._compared(scores, meaning, allowed)
        return total / step.trigger_count

    def _compared(self, scores: Tensor, meaning: Tensor, allowed: Tensor) -> Tensor:
        """The configured L_r, summed over triggers."""
        config = self.config
        if config.relevance_loss == "mse":
            return losses.squared(scores, meaning, allowed).sum()
        if config.relevance_loss == "margin":
            return losses.margin(scores, meaning, allowed).sum()
        temperatures = config.temperature, config.softness
        return losses.listwise(scores, meaning, allowed, *temperatures).sum()

    def _heads(self, codes: Tensor, dropped: Tensor) -> Heads:
        """Vectors of items by code; the id of those `dropped` is not looked at."""
        content = self._content()
        ids = codes.masked_fill(dropped, 0)
        heads: Heads = self.network(ids, content.vectors[codes], *content.groups_of(codes))
        return heads

    def _content(self) -> Content:
        self.content = self.content.to(self.encoder.device)
        return self.content

    def _vectors(self) -> Kept:
        """Vectors of today's weights."""
        if self._kept is None:
            self._kept = Kept.of(self._made(), self.config.relevance)
        return self._kept

    @torch.no_grad()
    def _made(self) -> ItemHeads:
        """Vectors of all items; what has no training events goes by content alone."""
        content = self._content()
        made = []
        every = torch.arange(len(content.seen), device=content.seen.device)
        for start in range(1, len(content.seen), _CHUNK):
            codes = every[start : start + _CHUNK]
            seen = content.seen[codes]
            heads = self._heads(codes, ~seen)
            silent = seen[:, None].float()
            made.append((heads.trigger * silent, heads.target * silent, heads.relevance))
        joined = (torch.cat(part).float().cpu().numpy() for part in zip(*made, strict=True))
        return ItemHeads(*joined)


class Kept(NamedTuple):
    """Vectors of all items, and what is searched and asked with them."""

    heads: ItemHeads
    stored: Tensor
    """(n, 2d) both targets side by side"""
    asked: Tensor
    """(1 + n, 2d) what each item asks as a trigger; row 0 is padding"""

    @classmethod
    def of(cls, heads: ItemHeads, relevance: float) -> Kept:
        """With weight `relevance` on meaning."""
        asked = heads.queries(np.arange(len(heads.target)), relevance)
        padded = np.concatenate([np.zeros_like(asked[:1]), asked])
        return cls(heads, torch.from_numpy(heads.stored()), torch.from_numpy(padded))
