"""LoRA: a language model stays as it is, and small matrices beside its own learn.

Paper: LoRA: Low-Rank Adaptation of Large Language Models, arXiv 2106.09685.

    y = W x + (α / r) B A x,  A of r rows drawn by chance, B zero: at first nothing has changed

What stays is no parameter any more, nor is it saved with the rest: no optimiser holds a moment of
it, and no checkpoint a copy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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


def merged(body: nn.Module) -> dict[str, Tensor]:
    """Tensors of an adapted model with what its adapters learned worked in, by their old names."""
    with extra("llm"):
        from peft.tuners.lora import LoraLayer
    layers: dict[str, Any] = {
        name: part for name, part in body.named_modules() if isinstance(part, LoraLayer)
    }
    tensors = {}
    held = [*body.named_parameters(remove_duplicate=False),
            *body.named_buffers(remove_duplicate=False)]  # fmt: skip
    for name, tensor in held:
        owner, base, own = name.rpartition(".base_layer.")
        if base and own == "weight":
            tensors[f"{owner}.weight"] = tensor + layers[owner].get_delta_weight("default").to(
                tensor
            )
        elif base:
            tensors[f"{owner}.{own}"] = tensor
        elif _MARK not in name:
            tensors[name] = tensor
    return {name: tensor.detach() for name, tensor in tensors.items()}
