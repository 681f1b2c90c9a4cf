"""VRec's loop: read the prompt, think, check, read the thought, think again; then answer.

    H_1 = LM(x);  r_t = thought(H_t);  r~_t = verify(r_t);  H_{t+1} = LM(x, r~_1 … r~_t)

The slot that ends the prompt is a learnt vector, and what is said there is the answer's first
token: LM(x, r~_1 … r~_N, slot). A thought is made of what stands before the slot alone, so the slot
is read once, at the end, and keys and values are kept: a further thought costs one column.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from tastemaker.models.causal import Past, Prompt, read
from tastemaker.recommend.vrec_thoughts import Memory, ThoughtLayer
from tastemaker.recommend.vrec_verifiers import Verdict, Verifiers

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class Reasoned(NamedTuple):
    """What came of thinking."""

    prompt: Prompt
    """the prompt with its thoughts, ready to be answered"""
    thoughts: tuple[Tensor, ...]
    """N times (B, D) what was read on with: r~, or r where nothing was checked"""
    verdicts: tuple[Verdict, ...]
    """N, or none where nothing was checked"""


class Reasoner(nn.Module):
    """N thoughts, and what checks them."""

    def __init__(
        self, dim: int, thoughts: int, classes: Sequence[int] = (), constant: bool = False,
        newest: int = 0,
    ) -> None:  # fmt: skip
        """Fresh weights.

        Args:
            dim: Width D.
            thoughts: N.
            classes: (M,) classes of each verifier; none: nothing is checked.
            constant: N learnt vectors stand in place of thoughts.
            newest: Columns that a thought reads; 0: all.
        """
        super().__init__()
        self.count = thoughts
        self.think = ThoughtLayer(dim, newest) if thoughts and not constant else None
        self.pauses = nn.Parameter(torch.randn(thoughts, dim)) if thoughts and constant else None
        self.verifiers = Verifiers(dim, classes) if classes and thoughts else None

    def forward(
        self,
        body: PreTrainedModel,
        x: Tensor,
        valid: Tensor,
        slot: Tensor,
        check: Check,
    ) -> Reasoned:
        """Think about B prompts.

        Args:
            body: The language model.
            x: (B, T, D) prompts as it reads them.
            valid: (B, T) bool, at least one column of each row.
            slot: (D,) vector of the thought token.
            check: How thoughts are checked.
        """
        thoughts: list[Tensor] = []
        verdicts: list[Verdict] = []
        past: Past | None = None
        memory: Memory | None = None
        new, there = x, valid
        one = valid.new_ones(len(valid), 1)
        for turn in range(self.count):
            states, past = read(body, new, there, past)
            thought, memory = self._thought(turn, states, there, memory)
            if self.verifiers is not None and check.verify:
                verdict = self.verifiers(thought, check.feedback, check.prototypes)
                verdicts.append(verdict)
                thought = verdict.verified
            thoughts.append(thought)
            new, there = thought[:, None], one
        ending = slot.expand(len(x), 1, -1)
        columns = torch.cat([new, ending], 1), torch.cat([there, one], 1)
        states, past = read(body, *columns, past)
        return Reasoned(Prompt(past, states[:, -1]), tuple(thoughts), tuple(verdicts))

    def _thought(
        self, turn: int, states: Tensor, valid: Tensor, memory: Memory | None
    ) -> tuple[Tensor, Memory | None]:
        """(B, D) the next thought."""
        if self.pauses is not None:
            return self.pauses[turn].expand(len(states), -1), None
        assert self.think is not None
        thought, memory = self.think(states, valid, memory)
        return thought, memory


class Check(NamedTuple):
    """How thoughts are checked."""

    verify: bool = True
    """whether verifiers are asked at all"""
    feedback: bool = True
    """whether thoughts are drawn to the prototypes: else w = 0"""
    prototypes: bool = True
    """whether there is something to be drawn to: else g = 0, and thoughts only shrink"""
