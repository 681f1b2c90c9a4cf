"""Several processes: which one this is, and who holds which weights.

A step's loss is a sum over its targets divided by their number in the whole step, so the shares of
processes add up to it, and so do their gradients. Under FSDP weights and moments are parted over
the processes; `whole` and `parted` go from parts to tensors and back.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from copy import deepcopy

import torch
from accelerate import Accelerator, PartialState
from accelerate.utils import DistributedType
from torch import Tensor, nn
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor


def processes() -> PartialState:
    """Which process this is and of how many; all of them meet here on the first call.

    A `PartialState` that is not told so takes no notice of a launcher that runs on CPUs.
    """
    return PartialState(cpu=_told("ACCELERATE_USE_CPU") or not torch.accelerator.is_available())


def shards(accelerator: Accelerator) -> bool:
    """Whether weights are parted over the processes (`accelerate launch` with an FSDP config)."""
    kinds = (DistributedType.FSDP, DistributedType.MULTI_CPU)
    return _told("ACCELERATE_USE_FSDP") and accelerator.distributed_type in kinds


def _told(name: str) -> bool:
    """Whether the launcher says yes in its environment."""
    return os.environ.get(name, "").lower() in ("1", "true", "yes")


def prepared(
    model: nn.Module,
    optimizer_of: Callable[[nn.Module], torch.optim.Optimizer],
    accelerator: Accelerator,
) -> tuple[nn.Module, torch.optim.Optimizer]:
    """The model as this launch trains it, and its optimiser.

    Under FSDP a copy is parted and `model` stays whole, to be given its weights for validation.
    """
    made: tuple[nn.Module, torch.optim.Optimizer]
    if not shards(accelerator):
        made = accelerator.prepare(model, optimizer_of(model))
        return made
    mine = deepcopy(model)
    # As without FSDP: weights, gradients and the loss in full precision, products in low precision.
    # accelerate's own policy would round them all, and takes no notice of CPUs.
    low = torch.autocast(
        accelerator.device.type, torch.bfloat16, accelerator.mixed_precision == "bf16"
    )
    mine.forward = low(mine.forward)
    if accelerator.distributed_type == DistributedType.MULTI_CPU:
        fully_shard(mine)  # accelerate parts weights on GPUs alone
        return mine, accelerator.prepare(optimizer_of(mine))
    accelerator.state.fsdp_plugin.mixed_precision_policy = MixedPrecisionPolicy()
    made = accelerator.prepare(mine, optimizer_of(mine))
    return made


def whole(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors, each gathered from its parts; every process takes part."""
    return {name: gathered(tensor) for name, tensor in tensors.items()}


def gathered(tensor: Tensor) -> Tensor:
    """One tensor from its parts."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def parted(tensor: Tensor, like: Tensor) -> Tensor:
    """This process's part of a tensor that all of them hold, as `like` is parted."""
    if not isinstance(like, DTensor) or not tensor.dim():
        return tensor
    tensor = tensor.to(like.device)
    part: Tensor = distribute_tensor(tensor, like.device_mesh, like.placements, src_data_rank=None)
    return part
