"""The other language that VRec speaks: titles, by a causal model that was trained on texts before.

A history is read as a short instruction and the newest titles, a line each; an answer is the title
of the next item and a token that ends it. What does not fit into the model is dropped on the left:
the instruction stands, the oldest titles go. The slot of thoughts is a learnt vector and no token:
neither the tokenizer nor the token table grows, and a tokenizer without such a token needs none.

With LoRA the model stays bit for bit and is kept as the identity of its files; only adapters are
trained and saved. Without, all of it is.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tastemaker.data.batches import Batch
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.files import write_json
from tastemaker.models.causal import Causal, Prompt, read
from tastemaker.models.foreign_causal import Apart
from tastemaker.models.full_ranking import NODES
from tastemaker.models.lora import adapt, freeze
from tastemaker.models.trie import Trie
from tastemaker.models.user_llm import keep_user_model
from tastemaker.recommend.vrec_shape import LANGUAGE, TITLES, VRecConfig
from tastemaker.recommend.vrec_titles import Titles

_VALUES = 2**23
"""Log probabilities of one user that are held at once, at most."""


class TitleLanguage(nn.Module):
    """A causal model with its titles, and how items are read and said."""

    tokens: Tensor
    """(I+1, L) int64 tokens of each answer, its end among them, −1 after it; row 0 is padding"""
    lines: Tensor
    """(I+1, W) int64 tokens of each item's line in a prompt, −1 after the last; row 0: none"""
    opening: Tensor
    """(P,) int64 what every prompt begins with"""
    rows, ranked = 16, 4
    """Users that are answered together by beams, and by a ranking of all items."""

    def __init__(self, config: VRecConfig, titles: Titles, apart: Apart, identity: str) -> None:
        """A model that reads and says titles.

        Args:
            config: Its options.
            titles: Of I items, in its tokens.
            apart: Its parts, which are its own from now on.
            identity: Of the files that it was opened from.

        Raises:
            BadInput: If it reads too little, or is too narrow to think.
            ArtefactError: If titles are in tokens that it does not have.
        """
        super().__init__()
        self.titles, self.identity, self.adapted = titles, identity, config.lora > 0
        if titles.largest >= len(apart.rows):
            want, got = f"tokens below {len(apart.rows):,}", f"{titles.largest:,}"
            fix = "Restore the run from a copy, or make it again."
            raise ArtefactError(TITLES, "Titles are in another language", want, got, fix)
        if apart.dim % 2:
            fix = "Give a model of an even width."
            raise BadInput(f"Thoughts have no width {apart.dim}.", "--model.language", fix)
        answers, lines = (
            _with(titles.tokens, [titles.end]),
            _with(titles.tokens, titles.between.tolist()),
        )
        self.room = titles.most - len(titles.opening) - config.thoughts - 1 - answers.shape[1]
        if self.room < lines.shape[1]:
            what = f"{config.language} reads {titles.most:,} tokens: no title fits in beside what "
            fix = "Give fewer --model.title-tokens or --model.thoughts."
            raise BadInput(f"{what}is thought and said.", "--model.language", fix)
        spread = apart.rows.detach().std()
        if self.adapted:
            adapt(apart.body, config.lora)
            freeze(apart.table)
            if apart.head is not None:
                freeze(apart.head)
        self.body, self.table, self.head = apart.body, apart.table, apart.head
        self.parts, self.dim = apart, apart.dim
        self.slot = nn.Parameter(torch.randn(self.dim) * spread)
        for name, rows in (("tokens", answers), ("lines", lines)):
            self.register_buffer(name, F.pad(rows, (0, 0, 1, 0), value=-1), persistent=False)
        self.register_buffer("opening", titles.opening, persistent=False)

    @property
    def num_items(self) -> int:
        """I."""
        return len(self.tokens) - 1

    @property
    def begin(self) -> Tensor:
        """(D,) what every prompt begins with."""
        return self.embed(self.opening[0])

    @property
    def nodes(self) -> int:
        """Items whose beginnings are read in one pass: few, since a vocabulary is wide."""
        return max(1, min(NODES, _VALUES // (len(self.parts.rows) * self.tokens.shape[1])))

    @property
    def causal(self) -> Causal:
        """The model as what decodes it sees it."""
        return Causal(self.body, self.embed, self.logits)

    def pretrained(self) -> list[nn.Parameter]:
        """What learns at `language_lr` of the rate: all but the slot."""
        return [parameter for parameter in self.parameters() if parameter is not self.slot]

    def trie(self) -> Trie:
        """What may be said; of items with one title the one most often chosen is named first."""
        return Trie.of(self.titles.tokens, self.titles.end, self.titles.order).to(self.slot.device)

    def embed(self, tokens: Tensor) -> Tensor:
        """(...) tokens → (..., D) vectors as the body reads them."""
        vectors: Tensor = self.table(tokens)
        return vectors

    def logits(self, states: Tensor) -> Tensor:
        """(..., D) last hidden states → (..., V)."""
        return self.parts.logits(states)

    def prompt(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """(B, T, D) histories as the body reads them, after the instruction.

        Returns:
            The vectors, and (B, T) bool which columns hold something.
        """
        lines = self.lines[batch.items].masked_fill(~batch.valid[..., None], -1).flatten(1)
        said = lines >= 0
        count = said.sum(1, keepdim=True)
        width = min(self.room, int(count.max())) if len(lines) else 0
        # Packed from the left, and of what is too long the newest columns.
        place = said.cumsum(1) - 1 - (count - width).clamp(min=0)
        kept = said & (place >= 0)
        tokens = lines.new_zeros(len(lines), width)
        tokens[kept.nonzero()[:, 0], place[kept]] = lines[kept]
        there = torch.arange(width, device=lines.device) < count
        opening = self.opening.expand(len(lines), -1)
        valid = torch.cat([torch.ones_like(opening, dtype=torch.bool), there], 1)
        return self.embed(torch.cat([opening, tokens], 1)), valid

    def answer_logits(self, prompt: Prompt, answers: Tensor) -> Tensor:
        """(B, L, V) what is said at each token of the (B,) items that answer, given those before.

        This is V times L vectors an answer: `answer_loss` makes those alone that are wanted.
        """
        return self.logits(self._states(prompt, self.tokens[answers]))

    def answer_loss(self, prompt: Prompt, answers: Tensor) -> Tensor:
        """(B,) mean cross-entropy over the tokens of each answer; 0 where there is no answer."""
        wanted = self.tokens[answers]
        said = wanted >= 0
        wanted, said = (part[:, : max(1, int(said.sum(1).max()))] for part in (wanted, said))
        logits = self.logits(self._states(prompt, wanted)[said]).float()
        lost = F.cross_entropy(logits, wanted[said], reduction="none")
        sums = lost.new_zeros(len(wanted)).index_add(0, said.nonzero()[:, 0], lost)
        return sums / said.sum(1).clamp(min=1)

    def _states(self, prompt: Prompt, wanted: Tensor) -> Tensor:
        """(B, L, D) states that say each of the (B, L) tokens, given those before."""
        before = wanted[:, :-1]
        states = prompt.state[:, None]
        if before.shape[1]:
            x = self.embed(before.clamp(min=0))
            said, _ = read(self.body, x, before >= 0, prompt.past)
            states = torch.cat([states, said], 1)
        return states

    def save(self, run: Path) -> None:
        """Write the titles, and the shape of the model or, with LoRA, what it must be again."""
        self.titles.save(run / TITLES)
        if self.adapted:
            write_json(run / LANGUAGE, {"identity": self.identity})
        else:
            keep_user_model(self.body, run)


def _with(tokens: Tensor, more: list[int]) -> Tensor:
    """(I, L+M) rows of tokens, −1 after the last, each with M more after its own last."""
    ended = F.pad(tokens, (0, len(more)), value=-1)
    rows, lengths = torch.arange(len(tokens), device=tokens.device), (tokens >= 0).sum(1)
    for place, token in enumerate(more):
        ended[rows, lengths + place] = token
    return ended
