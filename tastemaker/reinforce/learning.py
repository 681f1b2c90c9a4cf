"""How a policy learns: batches, rates and losses, and TRL's configuration of the same."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tastemaker.errors import BadInput
from tastemaker.models.extras import extra

LOSSES = ("grpo", "dr_grpo", "dapo", "bnpo", "cispo", "sapo", "luspo", "vespo")
"""TRL's, by its names."""
_MOST = 10_000_000
"""Prompts that a training asks, at most: their order is drawn before it begins."""
_WHOLE = {
    "n": (2, 65_536),
    "prompts_per_step": (1, 65_536),
    "steps": (1, _MOST),
    "iterations": (1, 1_000),
    "max_tokens": (1, _MOST),
    "micro": (1, _MOST),
    "save_every": (1, _MOST),
}
"""Least and most of each."""
_ABOVE_0 = {"lr": 1e3, "temperature": 1e3, "epsilon": 1e3}
_FROM_0 = {"beta": 1e6, "epsilon_high": 1e6, "clip": 1e6}
"""What each stays below."""


@dataclass(frozen=True)
class LearningConfig:
    """How a policy learns."""

    n: int = 16
    """answers to each prompt of a step"""
    prompts_per_step: int = 4
    """prompts of a step"""
    steps: int = 100
    """batches of answers that are learned from"""
    iterations: int = 1
    """optimiser steps a batch; above 1 the policy has moved since it answered"""
    lr: float = 1e-6
    """learning rate"""
    beta: float = 1e-3
    """weight of the divergence from the model as it was"""
    epsilon: float = 0.2
    """the ratio of probabilities counts up to 1 + ε and down to 1 − ε"""
    epsilon_high: float = 0.0
    """ε above 1 where it differs, such as DAPO's 0.28; 0: the same"""
    loss_type: str = "grpo"
    """how token losses are averaged, by TRL's names"""
    level: str = "token"
    """whether the ratio is of a token or, as in GSPO, of a sequence"""
    temperature: float = 1.0
    """of the softmax that answers are drawn from"""
    max_tokens: int = 4096
    """of an answer"""
    micro: int = 16
    """answers, at most, that pass forward and backward together"""
    clip: float = 1.0
    """largest norm of a gradient; 0: any"""
    save_every: int = 10
    """batches between checkpoints"""
    seed: int = 0
    """of the order of prompts, and of answers"""

    def __post_init__(self) -> None:
        """Refuse what nothing can be learned by.

        Raises:
            BadInput: Naming the option.
        """
        values = vars(self)
        for name, (low, high) in _WHOLE.items():
            value = values[name]
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                alone = name == "n" and value == 1
                why = ": a single answer has nothing to be better than" if alone else ""
                what = f"{name} = {value!r} cannot be learned by{why}."
                raise BadInput(what, _option(name), f"Give a whole number, {low} to {high:,}.")
        if (answers := self.steps * self.prompts_per_step) > _MOST:
            what = f"steps = {self.steps:,} of {self.prompts_per_step:,} prompts ask {answers:,}."
            raise BadInput(what, "--steps", f"Ask {_MOST:,} at most: every one is kept in mind.")
        for name, most in _ABOVE_0.items():
            if not 0 < values[name] < most:
                what = f"{name} = {values[name]!r} cannot be learned by."
                raise BadInput(what, _option(name), f"Give more than 0, and less than {most:,.0f}.")
        for name, most in _FROM_0.items():
            if not 0 <= values[name] < most:
                what = f"{name} = {values[name]!r} cannot be learned by."
                raise BadInput(what, _option(name), f"Give 0 or more, and less than {most:,.0f}.")
        for name, known in (("loss_type", LOSSES), ("level", ("token", "sequence"))):
            if values[name] not in known:
                what = f"No {name} is {values[name]!r}."
                raise BadInput(what, _option(name), f"Give {', '.join(known)}.")


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def trainer_config(learning: LearningConfig, folder: Path, processes: int, cpu: bool) -> Any:
    """The `GRPOConfig` of it; saves by the step, writes and tells nothing else.

    Args:
        learning: How.
        folder: Of the run.
        processes: That share each step.
        cpu: Whether they compute on the CPU.

    Raises:
        BadInput: If the answers of a step cannot be shared evenly, or TRL is not installed.
    """
    import torch

    with extra("rl"):
        from trl import GRPOConfig
    answers = learning.n * learning.prompts_per_step
    share, left = divmod(answers, processes)
    if left:
        what = f"{answers:,} answers a step do not go into {processes:,} processes equally."
        raise BadInput(what, "--n, --prompts-per-step", "Give a multiple of the processes.")
    most = min(learning.micro, share)
    micro = max(size for size in range(1, most + 1) if share % size == 0)
    return GRPOConfig(
        output_dir=str(folder),
        use_cpu=cpu,
        bf16=not cpu and torch.cuda.is_available() and torch.cuda.is_bf16_supported(),
        report_to=[],
        disable_tqdm=True,
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=learning.save_every * learning.iterations,
        max_steps=learning.steps * learning.iterations,
        per_device_train_batch_size=micro,
        gradient_accumulation_steps=share // micro,
        num_generations=learning.n,
        num_iterations=learning.iterations,
        learning_rate=learning.lr,
        lr_scheduler_type="constant",
        max_grad_norm=learning.clip,
        beta=0.0,
        use_bias_correction_kl=False,
        epsilon=learning.epsilon,
        epsilon_high=learning.epsilon_high or None,
        loss_type=learning.loss_type,
        importance_sampling_level=learning.level,
        temperature=learning.temperature,
        max_completion_length=learning.max_tokens,
        gradient_checkpointing=None,
        activation_checkpointing=False,
        disable_dropout=True,
        ddp_broadcast_buffers=False,
        shuffle_dataset=False,  # the rows come in their order: a training that goes on keeps it
        seed=learning.seed,
    )
