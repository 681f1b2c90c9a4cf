"""PerSRec: old events in a few tokens, whose keys and values are kept for each user.

Paper: Efficient Sequential Recommendation for Long Term User Interest Via Personalization,
arXiv 2601.03479.

k learnable tokens T stand behind the old part of a history, and everything newer reads the old part
through them alone. So their keys and values are all that a later request needs of it:

    compress(i_1 … i_P) = keys and values of t_1 … t_k in every layer
    predict(i_{P+1} … i_{P+R}, cache) = forward([i_1 … i_P, t_1 … t_k, i_{P+1} … i_{P+R}])

exactly. T is the same for all users; what is personal are the activations. Positions, masks and
targets: `persrec_layout.py`. Any backbone reads so by its `View`, which carries mask and cache.

The public code differs: its attention divides by the number of rows asked, which changes between
training and serving, and its cached path was not the one evaluated. Ours scores by the cache.
Checked: tests/recommend/test_persrec.py, recipes/persrec.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn

from tastemaker.data.batches import Batch, last
from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import Ground
from tastemaker.files import save_tensors
from tastemaker.nn.next_item import Competitors, NextItemModel, next_item_loss
from tastemaker.nn.view import WHOLE, KeyValue, Past, View
from tastemaker.recommend.backbone_option import fresh_backbone, opened_backbone, paces, start
from tastemaker.recommend.hllm_shape import HLLMConfig
from tastemaker.recommend.persrec_batches import PerSRecBatches
from tastemaker.recommend.persrec_layout import (
    Layout,
    allowed,
    columns_of,
    laid_out,
    split_rows,
    with_tokens,
)
from tastemaker.recommend.persrec_shape import TOKENS, PerSRecConfig
from tastemaker.weights import Stored, checked_tensors


@dataclass(frozen=True, eq=False)
class Memory:
    """What is kept of B users' old events."""

    past: Past
    """keys and values of the tokens of the parts read so far"""
    state: Tensor
    """(B, D) at the last token, which answers while nothing is newer; zero where there is none"""

    @property
    def columns(self) -> int:
        """Tokens that are kept."""
        return self.past.position_ids.shape[-1]

    def rows(self, rows: Tensor | slice) -> Memory:
        """The same of some users."""
        layers = tuple(KeyValue(*(_some(part, rows) for part in pair)) for pair in self.past.layers)
        times = None if self.past.times is None else _some(self.past.times, rows)
        return Memory(Past(layers, self.past.position_ids, times), _some(self.state, rows))


def _some(values: Tensor, rows: Tensor | slice) -> Tensor:
    return values if len(values) == 1 else values[rows]


class PerSRec(nn.Module):
    """Memory tokens on a backbone; the seams `Learned` and `Encoder`.

    Where `memories` are set, they say what is kept of each row of contexts' old events; else it is
    made anew.
    """

    def __init__(self, config: PerSRecConfig, backbone: NextItemModel) -> None:
        """Tokens near zero, as a backbone's items begin.

        Args:
            config: How much goes into how many tokens.
            backbone: What reads; its history is N = P + k + R.
        """
        super().__init__()
        self.config, self.backbone, self.layout = config, backbone, config.layout
        self.memories: Callable[[Contexts], Memory] | None = None
        dim = int(backbone.table().shape[1])
        # HLLM reads unit vectors, whose entries are about 1/√D.
        spread = dim**-0.5 if isinstance(config.backbone, HLLMConfig) else 0.02
        self.tokens = nn.Parameter(torch.empty(config.tokens, dim))
        if config.tokens:
            nn.init.trunc_normal_(self.tokens, std=spread)

    @classmethod
    def build(cls, config: Any, ground: Ground) -> Self:
        """The model with fresh weights."""
        return cls(config, fresh_backbone(config.inner, ground))

    @classmethod
    def open(cls, config: Any, ground: Ground, run: Path) -> Self:
        """The model as `save` wrote it.

        Raises:
            ArtefactError: If the files are of another model or another catalogue, or damaged.
        """
        model = cls(config, opened_backbone(config.inner, ground, run))
        shape = Stored(tuple(model.tokens.shape), torch.float32)
        model.tokens.data = checked_tensors(run / TOKENS, {"tokens": shape})["tokens"]
        return model

    def save(self, run: Path) -> None:
        """Write the backbone as it would be alone, and the tokens."""
        self.backbone.save(run)
        save_tensors(run / TOKENS, {"tokens": self.tokens.detach()})

    @property
    def num_items(self) -> int:
        """I."""
        return self.backbone.num_items

    @torch.no_grad()
    def grown(self, ground: Ground) -> Self:
        """The same model for more items, whose codes stand behind those that it knows.

        Raises:
            ValueError: If there are fewer items than it knows.
            BadInput: If its backbone cannot read the new ones.
        """
        grown = type(self)(self.config, self.backbone.grown(ground))
        grown.tokens.copy_(self.tokens)
        return grown.to(self.tokens.device).train(self.training)

    def batches(self, train: Contexts, rows: int, seed: int = 0) -> PerSRecBatches:
        """Batches of the backbone, P + R events long, laid out."""
        made = self.backbone.batches(train, rows, seed)
        history = self.config.history
        made = replace(made, history=history, tokens=rows * history)
        return PerSRecBatches(made, self.layout, self.config.hidden)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Tokens learn at the rate of the training, parts of the backbone at their own."""
        return paces(self, self.backbone)

    def start(self) -> None:
        """Let the backbone look at its data."""
        start(self.backbone)

    def forward(self, batch: Batch) -> Tensor:
        """`loss`, so that wrappers of `forward` (DDP, autocast) see it."""
        return self.loss(batch)

    def loss(self, batch: Batch) -> Tensor:
        """Sum over this batch's targets divided by the targets of the whole step."""
        return next_item_loss(self, batch)

    def competitors(self, batch: Batch) -> Competitors:
        """What competes in the loss of a step, as the backbone says."""
        return self.backbone.competitors(batch)

    def competition(
        self, states: Tensor, table: Tensor, targets: Tensor, negatives: Tensor | None
    ) -> Tensor:
        """The loss that the backbone is configured with, summed."""
        return self.backbone.competition(states, table, targets, negatives)

    def states(self, batch: Batch, view: View = WHOLE, vectors: Tensor | None = None) -> Tensor:
        """(B, n, D) states of a laid-out batch, all in one pass; padded columns are zero."""
        vectors = self.backbone.embed(batch) if vectors is None else vectors
        vectors = with_tokens(vectors, self.tokens, batch, self.layout)
        view = replace(view, allow=allowed(batch, self.layout))
        return self.backbone.states(batch, view, vectors)

    def table(self) -> Tensor:
        """(I+1, D) vectors whose dot products with states are scores; row 0 never competes."""
        return self.backbone.table()

    def item_vectors(self) -> Tensor:
        """(I, D) vectors whose dot product with `encode` is the score."""
        return self.backbone.item_vectors()

    def compress(self, old: Batch, before: Memory | None = None, part: int | None = None) -> Memory:
        """What is kept of old events.

        Args:
            old: B rows, content left, of at most P items: those of all parts, or of one.
            before: What is kept of the parts before `part`; None: it is the first, or all.
            part: Number of the part that these are, 0..m−1; None: all of them.

        Raises:
            ValueError: If a row has too many events, or other parts stand before.
        """
        laid = self._placed(old, part)
        past, ready = (None, 0) if before is None else (before.past, before.columns)
        if ready != (part or 0) * (self.layout.tokens // self.layout.parts):
            raise ValueError(f"{ready} tokens do not stand before part {part}")
        if not self.config.tokens:
            return Memory(Past((), laid.position_ids[:0]), self.tokens.new_zeros(1, 1))
        allow = allowed(laid, self.layout)
        allow = torch.cat([allow.new_ones(*allow.shape[:2], ready), allow], 2)
        vectors = with_tokens(self.backbone.embed(laid), self.tokens, laid, self.layout)
        newest = torch.full((len(laid.items),), laid.items.shape[1] - 1, device=allow.device)
        read = self.backbone.read(laid, View(newest, allow, past, keep=True), vectors)
        assert read.past is not None
        fresh = self.layout.is_token.to(allow.device)[columns_of(laid)]
        kept = torch.cat([fresh.new_ones(ready), fresh]).nonzero()[:, 0]
        return Memory(read.past.columns(kept), read.states[:, 0])

    def predict(self, recent: Batch, memory: Memory, newest: Tensor | None = None) -> Tensor:
        """States of recent events, which read the tokens that are kept.

        Args:
            recent: B rows, content left, of at most R items.
            memory: What is kept of their old events.
            newest: (B,) positions that are wanted; None: all.

        Returns:
            (B, n, D) or (B, 1, D).

        Raises:
            ValueError: If a row has too many events.
        """
        if recent.items.shape[1] > self.layout.recent:
            raise ValueError(f"a row has more than {self.layout.recent} recent items")
        first = self.layout.length - self.layout.recent
        placed = replace(recent, position_ids=first + recent.position_ids)
        past = memory.past if memory.columns else None
        return self.backbone.states(placed, View(newest=newest, past=past))

    def encode(self, batch: Batch) -> Tensor:
        """(B, D) state that ranks: of the newest event, through what is kept of the old ones."""
        old, recent = split_rows(batch, self.layout.recent)
        return self.asked(recent, self.compress(self._shared(old)))

    def asked(self, recent: Batch, memory: Memory) -> Tensor:
        """(B, D) state of the newest event; of the tokens where nothing is newer."""
        counts = recent.valid.sum(1)
        states = self.predict(recent, memory, (counts - 1).clamp(min=0))[:, 0]
        silent = (counts == 0)[:, None]
        return torch.where(silent, memory.state.expand_as(states), states)

    def score(self, contexts: Contexts) -> Tensor:
        """(B, I) scores of every item for each row, in float32; column j is item code j + 1."""
        device = self.tokens.device
        if self.memories is None:
            state = self.encode(last(contexts, self.config.history).to(device))
        else:
            recent = last(contexts, self.layout.recent).to(device)
            state = self.asked(recent, self.memories(contexts))
        return (state @ self.item_vectors().T).float()

    def _shared(self, old: Batch) -> Batch:
        """One row for all where nobody has old events."""
        return old.shard(0, len(old.items)) if not old.valid.any() and len(old.items) else old

    def _placed(self, old: Batch, part: int | None) -> Batch:
        """Old events with their tokens, of all parts or of one."""
        layout, none = self.layout, torch.zeros_like(old.valid.sum(1))
        if part is None:
            return laid_out(old, layout, none)
        if not 0 <= part < layout.parts:
            raise ValueError(f"there is no part {part} of {layout.parts}")
        alone = Layout(layout.old // layout.parts, 0, layout.tokens // layout.parts)
        made = laid_out(old, alone, none)
        columns = columns_of(made) + part * alone.length
        return replace(made, columns=columns, position_ids=columns)
