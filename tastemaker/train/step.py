"""One optimiser step: forward, backward, clipping, AdamW. What a loop is made of, without the loop.

The gradient of a batch is that of its loss whatever it is computed in: pieces on a CPU, shares on
several processes. Making a `Trainer` costs nothing, so a caller may take a few steps and leave.
"""

from __future__ import annotations

import math

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from tastemaker.errors import NumericFault
from tastemaker.seams import Paced, Step
from tastemaker.train.config import FitConfig
from tastemaker.train.processes import gathered


def adamw(model: nn.Module, config: FitConfig) -> torch.optim.Optimizer:
    """The optimiser of every training."""
    groups = model.parameter_groups() if isinstance(model, Paced) else model.parameters()
    return torch.optim.AdamW(groups, config.lr, (0.9, 0.98), weight_decay=config.weight_decay)


class Trainer:
    """Takes optimiser steps on one model."""

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        clip: float,
        accelerator: Accelerator | None = None,
    ) -> None:
        """Take a model whose call is its loss.

        Args:
            model: Called with a batch it gives the sum over targets / `batch.target_count`.
            optimizer: Of its parameters.
            clip: Largest norm of a step's gradient.
            accelerator: What prepared both; None: this process alone, where the model is.
        """
        self.model, self.optimizer, self.clip = model, optimizer, clip
        self.accelerator = accelerator

    def step(self, batch: Step, lr: float) -> float:
        """Take one step and return the loss before it, over all processes.

        Raises:
            NumericFault: If the loss or its gradient is not finite; nothing was changed then.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = lr * group.get("share", 1.0)
        total, norm = self._backward(batch), self._clip()
        if self.accelerator is not None:
            total = self.accelerator.reduce(total, "sum")
        loss = float(total)
        if not (math.isfinite(loss) and math.isfinite(float(norm))):
            self.optimizer.zero_grad(set_to_none=True)
            rows = "" if batch.rows is None else f"training rows {batch.rows[:8].tolist()} …"
            what = f"The loss is {loss} or its gradient is not finite, so training stopped."
            fix = "Lower the learning rate or look at these rows; the last checkpoint is sound."
            raise NumericFault(what, rows, fix)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return loss

    def _backward(self, batch: Step) -> Tensor:
        """Add a batch's gradient to the parameters; returns this process's share of the loss."""
        accelerator = self.accelerator
        if accelerator is None:
            device, rank, world = next(self.model.parameters()).device, 0, 1
        else:
            device = accelerator.device
            rank, world = accelerator.process_index, accelerator.num_processes
        total = torch.zeros((), device=device)
        # A CPU alone takes a step in pieces; processes that wait for each other take it whole.
        for part in batch.parts(rank, world, small=world == 1 and device.type == "cpu"):
            share = self.model(part.to(device))
            if accelerator is None:
                share.backward()
            else:  # processes average gradients, but a loss is already a share of the whole step's
                accelerator.backward(share * accelerator.num_processes)
            total += share.detach()
        return total

    def _clip(self) -> Tensor:
        """Bring the gradient to at most `clip` and return its norm before."""
        if self.accelerator is None:
            return nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
        return gathered(self.accelerator.clip_grad_norm_(self.model.parameters(), self.clip))
