"""The user half of HLLM: a causal language model that reads vectors, without a token table.

A fresh one of Llama's layout, or any causal model on this machine (HLLM, arXiv 2409.12740).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from tastemaker.counts import counted
from tastemaker.errors import BadInput
from tastemaker.files import read_json, write_json
from tastemaker.models.extras import transformers
from tastemaker.models.library import blank_model, description_of, language_model
from tastemaker.models.packaged import locate

if TYPE_CHECKING:
    from transformers import PreTrainedModel

USER_MODEL = "user_model.json"
"""File of a run that the shape of a language model stands in."""

Layers = Sequence[tuple[Tensor, Tensor]]
"""Keys and values (B, H, C, ·) of each layer."""


def fresh_user_model(
    dim: int, layers: int, heads: int, history: int, dropout: float
) -> PreTrainedModel:
    """A causal model with fresh weights.

    Args:
        dim: Width.
        layers: Blocks.
        heads: Attention heads.
        history: Most events read.
        dropout: Share of attention that is dropped in training.
    """
    library = transformers()
    shape = library.LlamaConfig(
        vocab_size=1,
        bos_token_id=None,
        eos_token_id=None,
        hidden_size=dim,
        intermediate_size=4 * dim,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        max_position_embeddings=max(512, history),
        attention_dropout=dropout,
        initializer_range=0.5 * dim**-0.5,  # the usual 0.02 is for widths of 1,000s
    )
    return without_tokens(library.LlamaModel(shape))


def user_model(name: str, history: int) -> PreTrainedModel:
    """A causal model that is on this machine.

    Args:
        name: What `packaged.locate` takes.
        history: Most events read.

    Raises:
        BadInput: If it is not there, cannot be read, reads fewer events or what comes later.
        ArtefactError: If weights are missing.
    """
    model = without_tokens(language_model(locate(name)))
    values = model.config.to_dict()
    most = values.get("max_position_embeddings") or values.get("n_positions") or history
    if history > most:
        what = f"{name} reads {counted(most, 'position')}, not {history:,}."
        raise BadInput(what, "--model.history", f"Give at most {most:,}.")
    if not is_causal(model):
        what = f"{name} reads what comes later, and so the answer."
        raise BadInput(what, "--model.user-model", "Give a causal model, such as smollm2.")
    return model


def hidden_states(
    model: PreTrainedModel,
    x: Tensor,
    position_ids: Tensor,
    mask: Tensor | None,
    before: Layers | None,
) -> tuple[Tensor, Layers]:
    """What a causal model makes of vectors, some of which it may not read.

    Args:
        model: As the functions above give it.
        x: (B, N, D) vectors.
        position_ids: (B, N).
        mask: (N, C) or (B, N, C) bool, the columns that each position may read; None: those of its
            own that are not after it, C = N.
        before: What stands before, C − N columns; empty: nothing; None: nor is anything kept.

    Returns:
        (B, N, D), and all that a later pass may read, C columns; empty without `before`.
    """
    given = {"inputs_embeds": x, "position_ids": position_ids}
    if mask is None and before is None:
        return model(**given, use_cache=False).last_hidden_state, []
    rows, before = len(x), before or []
    early = [tuple(part.to(x.dtype).expand(rows, -1, -1, -1) for part in pair) for pair in before]
    cache = transformers().DynamicCache(early or None)
    if mask is not None:
        # Added to scores, a form that every kind of attention takes.
        added = x.new_zeros(mask.shape).masked_fill(~mask, torch.finfo(x.dtype).min)
        given["attention_mask"] = added.expand(rows, -1, -1)[:, None]
    out = model(**given, past_key_values=cache, use_cache=True).last_hidden_state
    return out, [(layer.keys, layer.values) for layer in cache.layers]


def keep_user_model(model: PreTrainedModel, run: Path) -> None:
    """Write the shape of a user model, from which a run is opened without the model's folder."""
    write_json(run / USER_MODEL, description_of(model))


def kept_user_model(run: Path, tensors: int) -> PreTrainedModel:
    """A user model of the shape that a run keeps; its weights are still to be loaded.

    Args:
        run: Where `keep_user_model` wrote.
        tensors: How many tensors the weights of the run are.

    Raises:
        ArtefactError: If the shape is not there, or is not that of so many tensors.
        BadInput: If it is of a kind that transformers does not know.
    """
    return without_tokens(blank_model(read_json(run / USER_MODEL), run / USER_MODEL, tensors))


def without_tokens(model: Any) -> PreTrainedModel:
    """The same model without its token table: it reads vectors alone."""
    model.set_input_embeddings(None)  # its type says that there is always one
    ready: PreTrainedModel = model
    return ready


@torch.no_grad()
def is_causal(model: PreTrainedModel) -> bool:
    """Whether a change at the last position leaves what was said before it as it was."""
    generator = torch.Generator().manual_seed(0)
    try:
        vectors = torch.randn(1, 3, int(model.config.hidden_size), generator=generator)
        changed = torch.cat([vectors[:, :2], -vectors[:, 2:]], 1)
        said = [
            model(inputs_embeds=x, use_cache=False).last_hidden_state[:, :2]
            for x in (vectors, changed)
        ]
    except (TypeError, ValueError, AttributeError, RuntimeError, IndexError):
        return False
    return torch.allclose(said[0], said[1], atol=1e-5)
