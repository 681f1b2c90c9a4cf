"""The item half of HLLM: a language model that turns texts into vectors and can be fine-tuned.

Any `transformers` encoder (BERT's layout) or causal model (Llama's layout), by name or path, or
`random`: two fresh layers over hashed words, for data without a model at hand. Only the top layers
train; what stands below them is frozen, so its output for a text never changes and is computed
once (HLLM, arXiv 2409.12740; backbones §3.5).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from tastemaker.counts import counted
from tastemaker.errors import BadInput
from tastemaker.models.extras import transformers
from tastemaker.models.library import text_model
from tastemaker.models.packaged import locate

if TYPE_CHECKING:
    from transformers import PreTrainedModel

Tokens = Callable[[str], list[int]]
"""Ids of a text's tokens, never none."""
_WORDS = 8192
"""Words that `random` tells apart."""
_CHUNK = 64
"""Texts encoded at a time."""


@dataclass(frozen=True)
class ReadTexts:
    """What the trained layers read of each text: rows of one flat tensor."""

    flat: Tensor
    """(T,) int64 token ids, or (T, H) outputs of the frozen layers in half precision."""
    offsets: npt.NDArray[np.int64]
    """(n+1,) row bounds, one row a text."""

    def rows(self, wanted: npt.NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Some rows padded on the right, (B, L) or (B, L, H), and their mask (B, L)."""
        starts, ends = self.offsets[:-1][wanted], self.offsets[1:][wanted]
        columns = np.arange(int((ends - starts).max()))
        inside = columns[None] < (ends - starts)[:, None]
        places = torch.from_numpy(np.where(inside, starts[:, None] + columns, 0))
        padded, mask = self.flat[places], torch.from_numpy(inside)
        return (padded.float() if padded.is_floating_point() else padded), mask


class ItemLLM(nn.Module):
    """The layers that train, after those that do not."""

    def __init__(
        self,
        name: str,
        *,
        trained_layers: int = -1,
        max_tokens: int = 32,
        pooling: Literal["mean", "item"] = "mean",
        dim: int = 64,
        checkpointing: bool = False,
    ) -> None:
        """Open the model and cut it.

        Args:
            name: `random`, a packaged model, a folder, or a name in the local hub cache.
            trained_layers: Top layers to train; −1 for all of them and the token table.
            max_tokens: Tokens read of a text; the rest is cut off.
            pooling: Mean over tokens, or the output at a learned vector appended as last token.
            dim: Width of a `random` model.
            checkpointing: Recompute activations in the backward pass to hold fewer of them.

        Raises:
            BadInput: If there is no such model here, or it cannot be cut that way.
        """
        super().__init__()
        self.max_tokens, self.pooling = max_tokens, pooling
        opened = _random(dim) if name == "random" else _open(name, max_tokens, pooling)
        self._tokens, model = opened
        self.width = int(model.config.hidden_size)
        layers = _layers(model, name)
        if not -1 <= trained_layers <= len(layers):
            fix = f"It has {counted(len(layers), 'layer')}: give 0 to {len(layers)}, or -1 for all."
            what = f"{name} has no {counted(trained_layers, 'layer')} to train."
            raise BadInput(what, "--model.trained-layers", fix)
        self.frozen: tuple[nn.Module, int] | None = None
        if trained_layers >= 0:
            # A tuple hides the whole model from `parameters` and from saved weights.
            self.frozen = (model, len(layers) - trained_layers)
            model = _copy_of_top(model, trained_layers)
        self.top = model
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0  # noise in targets; the user model's inputs are dropped out instead
        if checkpointing:
            self.top.activation_checkpointing_enable()
        self.slot = nn.Parameter(torch.randn(self.width) * 0.02, pooling == "item")

    @torch.no_grad()
    def read(self, texts: Sequence[str]) -> ReadTexts:
        """Everything about texts that training never changes; not for a call a step.

        Args:
            texts: n texts, none of them empty.
        """
        tokens = [self._tokens(text)[: self.max_tokens] for text in texts]
        offsets = np.concatenate([[0], np.cumsum([len(text) for text in tokens])]).astype(np.int64)
        flat = torch.tensor([token for text in tokens for token in text])
        ids = ReadTexts(flat, offsets)
        if self.frozen is None:
            return ids
        whole, depth = self.frozen
        device = self.slot.device
        whole.eval().to(device)
        states = torch.empty(len(flat), self.width, dtype=torch.bfloat16)
        for rows in _chunks(np.diff(offsets)):
            padded, mask = ids.rows(rows)
            asked = {"input_ids": padded.to(device), "attention_mask": mask.long().to(device)}
            outputs = whole(**asked, output_hidden_states=True)
            hidden = outputs.hidden_states[depth].cpu()
            for row, values, real in zip(rows, hidden, mask, strict=True):
                states[offsets[row] : offsets[row + 1]] = values[real].bfloat16()
        whole.cpu()  # a GPU's memory is for what trains
        return ReadTexts(states, offsets)

    def forward(self, reading: ReadTexts, rows: npt.NDArray[np.int64]) -> Tensor:
        """(len(rows), H) one vector a text, in chunks of texts of like length."""
        chunks, device = _chunks(np.diff(reading.offsets)[rows]), self.slot.device
        parts = []
        for chunk in chunks:
            padded, mask = reading.rows(rows[chunk])
            parts.append(self._pooled(padded.to(device), mask.to(device)))
        back = torch.from_numpy(np.argsort(np.concatenate(chunks))).to(device)
        return torch.cat(parts)[back]

    def _pooled(self, x: Tensor, mask: Tensor) -> Tensor:
        if not x.is_floating_point():
            x = self.top.get_input_embeddings()(x)
        if self.pooling == "item":
            ends = mask.sum(1)
            x = torch.cat([x, torch.zeros_like(x[:, :1])], 1)
            here = torch.arange(x.shape[1], device=x.device) == ends[:, None]
            x = torch.where(here[..., None], self.slot.to(x.dtype), x)
            mask = torch.cat([mask, torch.zeros_like(mask[:, :1])], 1) | here
        if len(_layers(self.top, "")):
            read = self.top(inputs_embeds=x, attention_mask=mask.long(), use_cache=False)
            x = read.last_hidden_state
        if self.pooling == "item":
            return x[torch.arange(len(x), device=x.device), mask.sum(1) - 1]
        weights = mask[..., None].to(x.dtype)
        return (x * weights).sum(1) / weights.sum(1)


def _chunks(lengths: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    """Numbers of texts, shortest first, so that a chunk holds little padding."""
    order = np.argsort(lengths, kind="stable")
    return [order[start : start + _CHUNK] for start in range(0, len(order), _CHUNK)]


def _open(name: str, max_tokens: int, pooling: str) -> tuple[Tokens, PreTrainedModel]:
    """Tokeniser (text → ids, never empty) and model, from this machine alone."""
    opened = text_model(locate(name))
    most = opened.most_tokens - (pooling == "item")
    if max_tokens > most:
        what = f"{name} reads {counted(most, 'token')}, not {max_tokens:,}."
        raise BadInput(what, "--model.max-tokens", f"Give at most {most:,}.")

    def tokens(text: str) -> list[int]:
        ids = opened.tokenizer(text, truncation=True, max_length=max_tokens)["input_ids"]
        return list(ids) or [opened.tokenizer.eos_token_id or 0]

    return tokens, opened.model


def _random(dim: int) -> tuple[Tokens, PreTrainedModel]:
    """Two fresh layers over hashed words."""
    library = transformers()
    config = library.BertConfig(
        vocab_size=_WORDS,
        hidden_size=dim,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=4 * dim,
        max_position_embeddings=512,
        initializer_range=0.5 * dim**-0.5,  # the usual 0.02 is for widths of 1,000s
    )

    def tokens(text: str) -> list[int]:
        words = re.findall(r"\w+", text.lower())
        return [zlib.crc32(word.encode()) % (_WORDS - 1) + 1 for word in words] or [1]

    return tokens, library.BertModel(config, add_pooling_layer=False)


def _layers(model: PreTrainedModel, name: str) -> nn.ModuleList:
    """The stack of layers, where BERT's and Llama's relatives keep it."""
    parts = dict(model.named_children())
    stack = parts["layers"] if "layers" in parts else dict(
        parts["encoder"].named_children() if "encoder" in parts else []
    ).get("layer")  # fmt: skip
    if not isinstance(stack, nn.ModuleList):
        fix = "Use a model laid out like BERT (encoder.layer) or Llama (layers)."
        raise BadInput(f"The layers of {name} were not found.", "--model.item-model", fix)
    return stack


class _Given(nn.Module):
    """Stands where embeddings stood and passes on what it is given."""

    def forward(self, inputs_embeds: Tensor, **others: object) -> Tensor:
        return inputs_embeds


def _copy_of_top(model: PreTrainedModel, layers: int) -> PreTrainedModel:
    """The same model with only its top layers, reading the frozen layers' output."""
    from copy import deepcopy

    top: Any = deepcopy(model)  # whose parts differ from layout to layout
    stack = _layers(top, "")
    remaining = nn.ModuleList(list(stack)[len(stack) - layers :])
    if "layers" in dict(top.named_children()):
        top.layers, top.embed_tokens = remaining, None
    else:
        top.encoder.layer, top.embeddings = remaining, _Given()
    top.config.num_hidden_layers = layers
    cut: PreTrainedModel = top
    return cut
