"""What every next-item model shares: tables of items and positions, scores, and the loss.

A model turns a history into a state at every position; the state at position j is compared with
every item to predict item j+1 (backbones §1–3.2). Subclasses say how, in `read`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import torch
from torch import Tensor, nn

from tastemaker.data.batches import Batch, NextItemBatches, last
from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import Ground
from tastemaker.files import save_tensors
from tastemaker.nn import losses
from tastemaker.nn.next_item_shape import NextItemConfig
from tastemaker.nn.view import WHOLE, Pass, View
from tastemaker.weights import WEIGHTS, filled


@dataclass(frozen=True)
class Competitors:
    """What competes in the loss of one step, and which of it the step's items are."""

    table: Tensor
    """(n, D) vectors, all made by the weights of this step; row 0 never competes."""
    inputs: Tensor
    """(B, N, D) what the batch's items are to the model, as `embed` gives it."""
    items: Tensor
    """Row of each of the batch's items, of their shape."""
    targets: Tensor
    """Row of each target, of their shape; 0 carries no loss."""
    negatives: Tensor | None
    """Row of each negative, of their shape, as (K,) or, of groups, (C, K)."""


class NextItemModel(nn.Module, ABC):
    """Scores and loss from states and item vectors; the seams `Encoder` and `Learned`."""

    def __init__(self, config: NextItemConfig, num_items: int) -> None:
        """A model of `num_items` items; subclasses add its parts."""
        super().__init__()
        self.config, self.num_items = config.suited(num_items), num_items

    @classmethod
    def build(cls, config: NextItemConfig, ground: Ground) -> Self:
        """The model that `config` shapes, with fresh weights."""
        return cls(config, ground.num_items)

    @classmethod
    def open(cls, config: NextItemConfig, ground: Ground, run: Path) -> Self:
        """The model as `save` wrote it.

        Raises:
            ArtefactError: If the weights there are of another model, or damaged.
        """
        return filled(lambda: cls.build(config, ground), run / WEIGHTS, config.layers)

    def save(self, run: Path) -> None:
        """Write the weights."""
        save_tensors(run / WEIGHTS, self.state_dict())

    @abstractmethod
    def embed(self, batch: Batch) -> Tensor:
        """(B, N, D) what stands for each item read, before positions and scale."""

    @abstractmethod
    def read(self, batch: Batch, view: View = WHOLE, vectors: Tensor | None = None) -> Pass:
        """State of every position, which depends on nothing after it; and what a later pass reads.

        Args:
            batch: B rows of N positions.
            view: Which positions are wanted, what they may read, and what stands before them.
            vectors: (B, N, D) in place of `self.embed(batch)`; then no item is looked at.

        Returns:
            States (B, N, D), or (B, 1, D) of the view's `newest`; and the past if it keeps one.
        """

    @abstractmethod
    def table(self) -> Tensor:
        """(I+1, D) vectors whose dot products with states are scores; row 0 never competes."""

    def states(self, batch: Batch, view: View = WHOLE, vectors: Tensor | None = None) -> Tensor:
        """(B, N, D) or (B, 1, D) states alone, as `read` gives them; padded positions are zero."""
        return self.read(batch, view, vectors).states

    def encode(self, batch: Batch) -> Tensor:
        """(B, D) state at the last real position; zero for an empty history."""
        newest = (batch.valid.sum(1) - 1).clamp(min=0)
        return self.states(batch, View(newest=newest))[:, 0]

    def item_vectors(self) -> Tensor:
        """(I, D) vectors whose dot product with `encode` is the score."""
        return self.table()[1:]

    def score(self, contexts: Contexts) -> Tensor:
        """(B, I) scores of every item for each row, in float32; column j is item code j + 1."""
        batch = last(contexts, self.config.history).to(next(self.parameters()).device)
        return (self.encode(batch) @ self.item_vectors().T).float()

    def batches(self, train: Contexts, rows: int, seed: int = 0) -> NextItemBatches:
        """Batches of training events as this model wants them: their length and their negatives.

        Args:
            train: Training events, a row a user.
            rows: Full rows of N events in a batch.
            seed: Of order and negatives.
        """
        config = self.config
        return NextItemBatches(
            train,
            history=config.history,
            tokens=rows * config.history,
            negatives=config.sampled,
            popular=config.drawn == "popular",
            seed=seed,
        )

    @abstractmethod
    def grown(self, ground: Ground) -> Self:
        """The same model for more items, as the seam `Growing` says."""

    def forward(self, batch: Batch) -> Tensor:
        """`loss`, so that wrappers of `forward` (DDP, autocast) see it."""
        return self.loss(batch)

    def competitors(self, batch: Batch) -> Competitors:
        """What competes in the loss of a step; asked once a step, before its states.

        Targets and negatives may have any shape, so that a head can bring several targets a
        position and negatives of groups.

        Raises:
            ValueError: If the batch has no targets.
        """
        targets, inputs = targets_of(batch), self.embed(batch)
        return Competitors(self.table(), inputs, batch.items, targets, batch.negatives)

    def loss(self, batch: Batch) -> Tensor:
        """Sum over this batch's targets divided by the targets of the whole step."""
        return next_item_loss(self, batch)

    def competition(
        self, states: Tensor, table: Tensor, targets: Tensor, negatives: Tensor | None
    ) -> Tensor:
        """The configured loss, summed: (T, D) states, (I+1, D) table, (T,) targets → scalar."""
        kind = self.config.loss
        if kind == "softmax":
            return losses.full_softmax(states, table, targets)
        if negatives is None:
            raise ValueError(f"loss {kind!r} needs a batch with negatives")
        if kind == "sampled":
            return losses.sampled_softmax(states, table, targets, negatives)
        calibration = self.config.calibration
        return losses.gbce(states, table, targets, negatives, self.num_items, calibration)


class Competing(Protocol):
    """What the next-item loss asks of a model."""

    def competitors(self, batch: Batch) -> Competitors:
        """What competes in the loss of a step; asked once a step, before its states."""

    def states(self, batch: Batch, view: View = WHOLE, vectors: Tensor | None = None) -> Tensor:
        """(B, N, D) states of `vectors`."""

    def competition(
        self, states: Tensor, table: Tensor, targets: Tensor, negatives: Tensor | None
    ) -> Tensor:
        """The loss, summed: (T, D) states, (I+1, D) table, (T,) targets → scalar."""


def next_item_loss(model: Competing, batch: Batch) -> Tensor:
    """Sum over a batch's targets divided by the targets of the whole step."""
    competing = model.competitors(batch)
    states = model.states(batch, vectors=competing.inputs)
    wanted = competing.targets > 0
    total = model.competition(
        states[wanted], competing.table, competing.targets[wanted], competing.negatives
    )
    return total / max(1, batch.target_count)


def targets_of(batch: Batch) -> Tensor:
    """The batch's targets.

    Raises:
        ValueError: If it has none, as when it is for scoring.
    """
    if batch.targets is None:
        raise ValueError("a training batch carries targets")
    return batch.targets


def not_fewer(known: int, ground: Ground) -> None:
    """Refuse to grow to fewer items.

    Raises:
        ValueError: If there are fewer than are known.
    """
    if ground.num_items < known:
        raise ValueError(f"{ground.num_items:,} items are fewer than the {known:,} known")


class IdModel(NextItemModel):
    """A next-item model that knows items by id: one table for input and output."""

    def __init__(self, config: NextItemConfig, num_items: int) -> None:
        """Item table with a padding row 0, position table; both near zero."""
        super().__init__(config, num_items)
        self.items = nn.Embedding(num_items + 1, config.dim, padding_idx=0)
        self.positions = nn.Embedding(config.history, config.dim)
        self.drop = nn.Dropout(config.dropout)
        for table in (self.items, self.positions):
            nn.init.trunc_normal_(table.weight, std=0.02)
        with torch.no_grad():
            self.items.weight[0] = 0

    def embed(self, batch: Batch) -> Tensor:
        """(B, N, D) rows of the item table."""
        vectors: Tensor = self.items(batch.items)
        return vectors

    def inputs(self, batch: Batch, vectors: Tensor | None = None) -> Tensor:
        """(B, N, D) what the first layer reads: vectors·√D + P[positions]."""
        x = self.embed(batch) if vectors is None else vectors
        x = x * self.config.dim**0.5 + self.positions(batch.position_ids)
        dropped: Tensor = self.drop(x)
        return dropped

    def table(self) -> Tensor:
        """(I+1, D) the item table; row 0 is padding."""
        return self.items.weight

    @torch.no_grad()
    def grown(self, ground: Ground) -> Self:
        """The same model for I′ ≥ I items: what it learned stays bit for bit.

        The items that it knows keep their codes; those of new items, behind them, begin as all
        items of a fresh model do.

        Raises:
            ValueError: If there are fewer items than it knows.
        """
        not_fewer(self.num_items, ground)
        grown = type(self)(self.config, ground.num_items).to(self.items.weight.device)
        kept = self.state_dict()
        table = grown.items.weight.detach().clone()
        table[: self.num_items + 1] = kept["items.weight"]
        grown.load_state_dict(kept | {"items.weight": table})
        return grown.train(self.training)
