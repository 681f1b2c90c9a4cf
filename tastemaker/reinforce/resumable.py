"""TRL's trainer of groups, that goes on where it was stopped, bit for bit, and tells what it does.

What it writes are the checkpoints of `checkpoints`, and only where a batch of answers is used up:
answers that were not learned from yet are kept nowhere.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tastemaker.errors import NumericFault
from tastemaker.models.extras import extra, quiet
from tastemaker.models.lora import adapted
from tastemaker.reinforce import checkpoints
from tastemaker.reinforce.policy import Unadapted

with extra("rl"):
    from transformers import PrinterCallback
    from trl import GRPOTrainer
    from trl.trainer.utils import add_fused_lm_head


class ResumableTrainer(GRPOTrainer):  # type: ignore[misc] # the library has no types
    """TRL's trainer with checkpoints without pickles, and no word on standard output or the net."""

    def __init__(
        self,
        kept: checkpoints.TrainerCheckpoints | None = None,
        watch: Callable[[Mapping[str, float]], None] = lambda line: None,
        stops: Callable[[], bool] = lambda: False,
        beta: float = 0.0,
        **told: Any,
    ) -> None:
        """Prepare.

        Args:
            kept: Where checkpoints go; None: nowhere.
            watch: Is told what was measured at every step.
            stops: Whether training shall end after this step, in order.
            beta: Weight of the divergence from the model as it is now.
            told: What TRL's own trainer takes, its `beta` being 0.
        """
        model = told["model"]
        twin = copy.deepcopy(model) if beta and not adapted(model) else None
        with quiet():
            super().__init__(**told)
        self.beta = beta
        if twin is not None:
            add_fused_lm_head(twin.eval().requires_grad_(False), temperature=self.temperature)
            self.ref_model = self.accelerator.prepare_model(twin, evaluation_mode=True)
        elif beta:
            self.ref_model = Unadapted(model)
        self.remove_callback(PrinterCallback)  # it writes to standard output
        self.kept, self._watch, self._stops = kept, watch, stops

    def learn(self, start: Path | None = None) -> None:
        """Train, from a checkpoint on where one is given.

        Raises:
            NumericFault: If a loss or a gradient is not finite; the weights are as before the step.
        """
        with quiet():
            self.train(resume_from_checkpoint=str(start) if start else None)

    def _send_telemetry(self) -> None:
        """Tell nobody."""

    def _drawn(self, inputs: Any) -> Any:
        """What the library's trainer makes of prompts: answers, and what they are worth."""
        try:
            return super()._generate_and_score_completions(inputs)
        except RuntimeError as error:
            if "probability tensor" in str(error):
                raise self._fault("Log probabilities", inputs) from error
            raise

    def _checked(self, loss: Tensor, inputs: Any) -> Tensor:
        """A loss that is finite."""
        if not torch.isfinite(loss):
            numbers = inputs["number"].unique().tolist() if "number" in inputs else []
            raise self._fault("The loss", [{"number": row} for row in numbers])
        return loss

    def _get_grad_norm(self, model: Any, grad_norm: Any = None) -> Any:
        norm = super()._get_grad_norm(model, grad_norm)
        if not torch.isfinite(torch.as_tensor(norm)):
            raise self._fault("A gradient", [])
        return norm

    def _fault(self, what: str, rows: Sequence[Mapping[str, Any]]) -> NumericFault:
        numbers = sorted({int(row["number"]) for row in rows if "number" in row})
        told = f", prompts {numbers[:8]}" if numbers else ""
        where = f"step {self.state.global_step + 1}{told}"
        fix = "Go on from the last checkpoint with a lower learning rate or a larger beta."
        return NumericFault(f"{what} of the model are not finite.", where, fix)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Tell the watcher what was measured at this step."""
        super().log(logs, start_time)
        if "loss" in logs and self.accelerator.is_main_process:
            self._watch({"step": self.state.global_step} | logs)

    def _maybe_log_save_evaluate(self, *args: Any, **kwargs: Any) -> None:
        stops = torch.tensor(float(self._stops()), device=self.accelerator.device)
        if float(self.accelerator.reduce(stops, "sum")) and self._batch_is_done():
            self.control.should_save = self.control.should_training_stop = True
        super()._maybe_log_save_evaluate(*args, **kwargs)

    def _batch_is_done(self) -> bool:
        """Whether the next step begins with new answers: those of a batch are not kept."""
        every = self.args.steps_per_generation * self.num_iterations
        return bool(self.state.global_step * self.args.gradient_accumulation_steps % every == 0)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        if self.kept is not None and self._batch_is_done():
            self.kept.save(self)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        checkpoints.load_policy(self, Path(resume_from_checkpoint))

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            checkpoints.load_moments(self, Path(checkpoint))

    def _load_rng_state(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            checkpoints.load_random_state(self, Path(checkpoint))
