"""The language that VRec speaks on a CPU: a small causal model over semantic ids.

A history is read one column an item, the sum of the vectors of its codes and one of its own; an
answer is said one code at a time. Its head is its token table, so what freezes one freezes both.
The vector of the thought slot is no code, so that no number of codes moves it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tastemaker.data.batches import Batch
from tastemaker.data.semantic_ids import SemanticIds
from tastemaker.models.causal import Causal, Prompt, read
from tastemaker.models.full_ranking import NODES
from tastemaker.models.trie import Trie
from tastemaker.models.user_llm import fresh_user_model
from tastemaker.recommend.vrec_shape import IDS, VRecConfig


class CodeLanguage(nn.Module):
    """A fresh model of Llama's layout, its codes, and how items are read and said."""

    tokens: Tensor
    """(I+1, L) int64 codes of each item, −1 after the last; row 0 is padding"""
    rows = ranked = 32
    """Users that are answered together by beams, and by a ranking of all items."""
    nodes = NODES
    """Items whose beginnings are read in one pass."""

    def __init__(self, config: VRecConfig, ids: SemanticIds) -> None:
        """Fresh weights for I items."""
        super().__init__()
        self.ids, self.dim = ids, config.dim
        dim, columns = config.dim, 2 + config.history + config.thoughts + len(ids.sizes)
        shape = dim, config.layers, config.heads, columns, config.dropout
        self.body = fresh_user_model(*shape)
        self.table = nn.Embedding(ids.num_tokens, dim)
        self.items = nn.Embedding(ids.num_items + 1, dim, padding_idx=0)
        nn.init.normal_(self.table.weight, std=dim**-0.5)
        nn.init.zeros_(self.items.weight)  # an item without events is what its codes are
        self.begin, self.slot = nn.Parameter(torch.randn(dim)), nn.Parameter(torch.randn(dim))
        self.drop = nn.Dropout(config.dropout)
        # Rows of the table are of length about 1; the body reads entries of about 1.
        self.scale = float(dim**0.5)
        tokens = np.pad(ids.tokens(), ((1, 0), (0, 0)), constant_values=-1)
        self.register_buffer("tokens", torch.from_numpy(tokens), persistent=False)

    @torch.no_grad()
    def take(self, known: CodeLanguage) -> None:
        """Be what one of fewer items has learned, code by code; what is new stays fresh."""
        state = self.state_dict()
        fitting = {n: w for n, w in known.state_dict().items() if w.shape == state[n].shape}
        self.load_state_dict(state | fitting)
        self.items.weight[: len(known.tokens)] = known.items.weight
        begin = before = 0
        for size, had in zip(self.ids.sizes, known.ids.sizes, strict=False):
            self.table.weight[begin : begin + had] = known.table.weight[before : before + had]
            begin, before = begin + size, before + had

    @property
    def causal(self) -> Causal:
        """The model as what decodes it sees it."""
        return Causal(self.body, self.embed, self.logits)

    @property
    def num_items(self) -> int:
        """I."""
        return len(self.tokens) - 1

    def pretrained(self) -> list[nn.Parameter]:
        """What learns at `language_lr` of the rate: nothing."""
        return []

    def save(self, run: Path) -> None:
        """Write the semantic ids."""
        self.ids.save(run / IDS)

    def trie(self) -> Trie:
        """What may be said."""
        return Trie.of(self.tokens[1:].cpu().numpy()).to(self.begin.device)

    def embed(self, tokens: Tensor) -> Tensor:
        """(...) codes → (..., D) vectors as the body reads them."""
        vectors: Tensor = self.table(tokens)
        return vectors * self.scale

    def logits(self, states: Tensor) -> Tensor:
        """(..., D) last hidden states → (..., V)."""
        return states @ self.table.weight.T

    def prompt(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """(B, 1 + N, D) histories as the body reads them, after a column that begins them.

        Returns:
            The vectors, and (B, 1 + N) bool which columns hold something.
        """
        tokens = self.tokens[batch.items]
        codes = self.embed(tokens.clamp(min=0)) * (tokens >= 0)[..., None]
        x = self.drop(codes.sum(-2) + self.scale * self.items(batch.items))
        begin = self.begin.expand(len(x), 1, -1)
        valid = torch.cat([batch.valid.new_ones(len(x), 1), batch.valid], 1)
        return torch.cat([begin, x], 1), valid

    def answer_logits(self, prompt: Prompt, answers: Tensor) -> Tensor:
        """(B, L, V) what is said at each code of the (B,) items that answer, given those before."""
        before = self.tokens[answers][:, :-1]
        states = prompt.state[:, None]
        if before.shape[1]:
            x = self.drop(self.embed(before.clamp(min=0)))
            said, _ = read(self.body, x, before >= 0, prompt.past)
            states = torch.cat([states, said], 1)
        return self.logits(states)

    def answer_loss(self, prompt: Prompt, answers: Tensor) -> Tensor:
        """(B,) mean cross-entropy over the codes of each answer; 0 where there is no answer."""
        logits, wanted = self.answer_logits(prompt, answers).float(), self.tokens[answers]
        lost = F.cross_entropy(
            logits.flatten(0, 1), wanted.flatten(), ignore_index=-1, reduction="none"
        ).view(wanted.shape)
        return lost.sum(1) / (wanted >= 0).sum(1).clamp(min=1)
