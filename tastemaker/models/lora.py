"""LoRA: a language model stays as it is, and small matrices beside its own learn.

Paper: LoRA: Low-Rank Adaptation of Large Language Models, arXiv 2106.09685.

    y = W x + (α / r) B A x,  A of r rows drawn by chance, B zero: at first nothing has changed

What stays is no parameter any more, nor is it saved with the rest: no optimiser holds a moment of
it, and no checkpoint a copy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from tastemaker.errors import BadInput
from tastemaker.models.extras import extra, quiet

if TYPE_CHECKING:
    from transformers import PreTrainedModel

ALPHA = 2.0
"""α / r."""
_MARK = "lora_"


def adapt(body: PreTrainedModel, rank: int) -> None:
    """Set matrices of `rank` beside all linear maps of a model, in place; they alone learn then.

    Raises:
        BadInput: If peft is not installed, or the model has no maps that it knows.
    """
    with extra("llm"):
        import peft
    config = peft.LoraConfig(
        r=rank, lora_alpha=round(ALPHA * rank), target_modules="all-linear", lora_dropout=0.0
    )
    try:
        with quiet():
            peft.inject_adapter_in_model(config, body)
    except (ValueError, NotImplementedError) as error:
        what = f"No adapters can be set beside the maps of the model: {error!s:.200}"
        raise BadInput(what, "--model.lora", "Train the whole model: --model.lora 0.") from error
    freeze(body)


def freeze(module: nn.Module) -> None:
    """Make constants of all parameters but adapters: they move with the module, and no more."""
    for name, parameter in [*module.named_parameters(remove_duplicate=False)]:
        if _MARK not in name:
            part, _, own = name.rpartition(".")
            holder = module.get_submodule(part)
            delattr(holder, own)
            holder.register_buffer(own, parameter.detach(), persistent=False)


@torch.no_grad()
def worked_in(model: PreTrainedModel) -> dict[str, Tensor]:
    """All weights, what adapters have learned worked into them, by the names of before."""
    with extra("llm"):
        from peft.tuners.lora import LoraLayer
    with torch.device("meta"):
        names = type(model)(model.config).state_dict().keys()
    held = [*model.named_parameters(remove_duplicate=False), *model.named_buffers()]
    weights = {name.replace(".base_layer.", "."): tensor for name, tensor in held}
    weights = {name: tensor for name, tensor in weights.items() if name in names}
    for name, layer in model.named_modules():
        if isinstance(layer, LoraLayer):
            weight, whole = weights[f"{name}.weight"], cast(Any, layer)
            delta: Tensor = whole.get_delta_weight("default")
            weights[f"{name}.weight"] = weight + delta.to(weight)
    return weights


def adapted(model: PreTrainedModel) -> bool:
    """Whether adapters stand beside maps of a model."""
    return any(_MARK in name for name, _ in model.named_parameters())
