"""A causal language model of this machine, taken apart: what reads, its token table, its head.

So taken apart it reads vectors that are no tokens, keeps keys and values, and says one token at a
time, as `causal` has it. A kind of model that then says other than it does whole is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tastemaker.errors import ArtefactError, BadInput
from tastemaker.files import read_json
from tastemaker.models.causal import read
from tastemaker.models.library import WritingModel, blank_model, writing_model
from tastemaker.models.user_llm import without_tokens
from tastemaker.weights import Stored

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_FIX = "Give a causal model of a usual kind, such as smollm2."


@dataclass(frozen=True)
class Apart:
    """The three parts; in float32, in evaluation mode."""

    body: PreTrainedModel
    """reads vectors, gives last hidden states; without token table and head"""
    table: nn.Module
    """(...) int64 tokens → (..., D) vectors as the body reads them"""
    head: nn.Linear | None
    """(..., D) states → (..., V); None: the rows of the table are those of the head"""

    @property
    def dim(self) -> int:
        """D."""
        return int(self.rows.shape[1])

    @property
    def rows(self) -> Tensor:
        """(V, D) weights of the token table."""
        table: Any = self.table
        weight: Tensor = table.weight
        return weight

    def logits(self, states: Tensor) -> Tensor:
        """(..., D) last hidden states → (..., V)."""
        if self.head is None:
            return F.linear(states, self.rows)
        logits: Tensor = self.head(states)
        return logits


def opened_apart(folder: Path) -> tuple[Apart, WritingModel]:
    """A model of this machine in parts, and as it was opened: its tokenizer, and what it can read.

    Raises:
        BadInput: If it is of another kind, cannot be read, or is no causal model that says its
            tokens by a plain head.
        ArtefactError: If weights are missing.
    """
    try:
        whole = writing_model(folder)
    except ArtefactError as error:
        named = " ".join(map(str, read_json(folder / "config.json").get("architectures") or []))
        if not named or "CausalLM" in named or "LMHead" in named:
            raise
        raise BadInput(f"A {named} reads text and writes none.", str(folder), _FIX) from error
    model: Any = whole.model
    tokens = torch.arange(4)[None] % model.get_input_embeddings().num_embeddings
    with torch.no_grad():
        try:
            said = model(input_ids=tokens, use_cache=False).logits[:, -1]
        except (TypeError, ValueError, AttributeError, RuntimeError, IndexError):
            said = None
    table, head = model.get_input_embeddings(), model.get_output_embeddings()
    tied = head is not None and head.weight is table.weight and head.bias is None
    apart = Apart(without_tokens(model.base_model), table, None if tied else head)
    if said is None or not _says(apart, tokens, said):
        what = f"Models of type {model.config.model_type!r} cannot be read vector by vector here."
        raise BadInput(what, str(folder), _FIX)
    return apart, whole


def blank_apart(
    description: dict[str, Any], where: Path, stored: dict[str, Stored], head: str
) -> Apart:
    """The parts of a model of a shape that was kept; its weights are still to be loaded.

    Args:
        description: What `library.description_of` gave of the body.
        where: File it comes from, for messages.
        stored: The tensors of its weights.
        head: Name of its head among them.

    Raises:
        ArtefactError: If the shape has more layers than there are tensors.
        BadInput: If it is of a kind that transformers does not know.
    """
    model: Any = blank_model(description, where, len(stored))
    table = model.get_input_embeddings()
    own = None
    if f"{head}.weight" in stored:
        dim, count = int(table.weight.shape[1]), int(table.weight.shape[0])
        own = nn.Linear(dim, count, bias=f"{head}.bias" in stored)
    return Apart(without_tokens(model), table, own)


@torch.no_grad()
def _says(apart: Apart, tokens: Tensor, said: Tensor) -> bool:
    """Whether the parts say what the whole said after (1, 4) tokens, read in two goes."""
    try:
        x = apart.table(tokens)
        junk = torch.cat([x[:, :2], torch.ones_like(x[:, :1]), x[:, 2:3]], 1)
        valid = torch.tensor([[True, True, False, True]])
        _, past = read(apart.body, junk, valid)
        states, _ = read(apart.body, x[:, 3:], valid[:, :1], past)
        logits = apart.logits(states[:, -1])
    except (TypeError, ValueError, AttributeError, RuntimeError, IndexError):
        return False
    scale = float(said.abs().max())
    return torch.allclose(logits, said, rtol=0, atol=1e-4 * max(scale, 1.0))
