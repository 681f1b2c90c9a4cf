"""Other ways to read a history, beside PerSRec's own: the arms of its recipe that need code.

POOL has means where tokens stand. On the weights of what is trained: old events of somebody else
(RANDOM-OLD), keys and values of all old events kept (FULL-KV), a memory that is some events old.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from tastemaker.data.batches import Batch, last
from tastemaker.data.contexts import Contexts, ranges
from tastemaker.nn.next_item import NextItemModel
from tastemaker.nn.view import WHOLE, Past, View
from tastemaker.recommend.persrec import PerSRec
from tastemaker.recommend.persrec_layout import allowed, columns_of, laid_out, split_rows
from tastemaker.seams import Recommender


class Pooled(PerSRec):
    """PerSRec with k means of the old items' vectors where its tokens stand; nothing compresses.

    A column of a mean reads the means alone, so that old events are read through them only.
    """

    def states(self, batch: Batch, view: View = WHOLE, vectors: Tensor | None = None) -> Tensor:
        """As PerSRec, of means."""
        vectors = self.backbone.embed(batch) if vectors is None else vectors
        token = self.layout.is_token[columns_of(batch)]
        allow = allowed(batch, self.layout) & ~(token[:, None] & ~token[None, :])
        vectors = torch.where(token[:, None], self.pooled(batch, vectors), vectors)
        return self.backbone.states(batch, replace(view, allow=allow), vectors)

    def pooled(self, batch: Batch, vectors: Tensor) -> Tensor:
        """(B, n, D) in the columns of tokens the mean of a k-th of the old columns, else 0."""
        columns, old = columns_of(batch), self.layout.old
        token, k = self.layout.is_token[columns], self.layout.tokens
        chunk = columns * k // max(1, old)
        member = (chunk == torch.arange(k)[:, None]) & (columns < old) & batch.valid[:, None, :]
        means = member.float() @ vectors / member.sum(2, keepdim=True).clamp(min=1)
        return torch.zeros_like(vectors).index_copy(1, token.nonzero()[:, 0], means)

    def encode(self, batch: Batch) -> Tensor:
        """(B, D) state of the newest event, all in one pass."""
        recent = batch.valid.sum(1).clamp(max=self.layout.recent)
        made = laid_out(batch, self.layout, recent)
        first = int((columns_of(made) < self.layout.length - self.layout.recent).sum())
        return self.states(made, View(newest=first + recent - 1))[:, 0]


@dataclass(frozen=True)
class Swapped:
    """A model that is shown somebody else's old events with each user's own newest ones."""

    model: Recommender
    grafted: Contexts

    def score(self, contexts: Contexts) -> Tensor:
        """(B, I) scores of users whom `grafted` has."""
        order = np.argsort(self.grafted.users)
        rows = order[np.searchsorted(self.grafted.users[order], contexts.users)]
        return self.model.score(self.grafted.take(rows))


def grafted(contexts: Contexts, recent: int, seed: int = 0) -> Contexts:
    """Each row's newest events behind the older ones of another row, dealt by lot."""
    ends = contexts.offsets[1:]
    cuts = np.maximum(contexts.offsets[:-1], ends - recent)
    circle = np.random.default_rng(seed).permutation(len(contexts))
    other = np.empty_like(circle)
    other[circle] = np.roll(circle, 1)
    starts = np.stack([contexts.offsets[:-1][other], cuts], 1)
    stops = np.stack([cuts[other], ends], 1)
    items = contexts.items[ranges(starts.ravel(), stops.ravel())]
    offsets = np.concatenate([[0], np.cumsum((stops - starts).sum(1))])
    return Contexts(contexts.users, offsets, items)


@dataclass(frozen=True)
class Stale:
    """PerSRec with a memory made `gap` events before the newest R began."""

    model: PerSRec
    gap: int

    def score(self, contexts: Contexts) -> Tensor:
        """(B, I) scores."""
        recent = self.model.layout.recent
        batch = last(contexts, self.model.config.history + self.gap)
        old, newer = split_rows(batch, recent + self.gap)
        state = self.model.asked(split_rows(newer, recent)[1], self.model.compress(old))
        return (state @ self.model.item_vectors().T).float()


@dataclass(frozen=True)
class KeptKeys:
    """A model that reads the newest R events behind kept keys and values of all before."""

    model: NextItemModel
    recent: int

    def kept(self, old: Batch) -> Past:
        """What is kept of old events: P columns a layer."""
        past = self.model.read(old, View(keep=True)).past
        assert past is not None
        return past

    def asked(self, new: Batch, old: Tensor, past: Past) -> Tensor:
        """(B, D) state of the newest event; `old` (B, P) says which columns of the past are."""
        width = new.items.shape[1]
        readable = torch.cat([old, new.valid], 1)[:, None, :].expand(-1, width, -1)
        newest = (new.valid.sum(1) - 1).clamp(min=0)
        placed = replace(new, position_ids=old.sum(1, keepdim=True) + new.position_ids)
        return self.model.states(placed, View(newest=newest, allow=readable, past=past))[:, 0]

    def score(self, contexts: Contexts) -> Tensor:
        """(B, I) scores."""
        old, new = split_rows(last(contexts, self.model.config.history), self.recent)
        state = self.asked(new, old.valid, self.kept(old))
        return (state @ self.model.item_vectors().T).float()
