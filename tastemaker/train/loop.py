"""fit(): the only supervised loop. One CPU, one GPU, or many processes: the same call.

Everything that the next step depends on is in the checkpoint (weights, optimiser, random state,
position in the epoch, early-stop state), so a run that is killed and resumed ends with the weights
of an undisturbed one, bit for bit on one machine and thread count. The learning rate is a function
of the step and batches are functions of (seed, epoch, step), so neither needs saving.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import Tensor, nn

from tastemaker.config import seed_everything
from tastemaker.data.batches import Batch, Batches
from tastemaker.data.prefetch import prefetch
from tastemaker.errors import NumericFault
from tastemaker.train.checkpoints import Checkpoints, Progress, StopSignal, has_checkpoint
from tastemaker.train.config import FitConfig, learning_rate, shaping
from tastemaker.train.journal import Journal
from tastemaker.train.processes import gathered, parts, prepared, processes, whole

Validate = Callable[[], dict[str, float]]


class Trainable(Protocol):
    """What `fit` trains: an `nn.Module` whose call is its loss."""

    def loss(self, batch: Batch) -> Tensor:
        """Scalar: sum over the batch's targets / `batch.target_count`."""
        ...


@runtime_checkable
class Grouped(Protocol):
    """A model some of whose parts learn more slowly, such as a pre-trained one."""

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Groups as an optimiser takes them, each with `share`, its part of the learning rate."""
        ...


@runtime_checkable
class Starts(Protocol):
    """A model that looks at its data before the first step."""

    def start(self) -> None:
        """Set what is known before training; nothing when called again."""
        ...


@dataclass(frozen=True)
class Fitted:
    """How a training went."""

    steps: int
    epochs: int
    best_epoch: int
    best: float
    """validation value of `metric` at the weights that were kept."""
    converged: bool
    """validation no longer rose: patience ran out, or < 1 % was gained over 5 validations."""


def fit(
    model: nn.Module,
    batches: Batches,
    config: FitConfig,
    validate: Validate,
    out: Path | None = None,
    resume: bool = False,
) -> Fitted:
    """Train `model` in place and leave it with its best weights on validation.

    Args:
        model: A `Trainable` module; calling it with a batch gives the loss.
        batches: Numbered epochs of batches.
        config: How to train.
        validate: Metrics of the model as it stands; called after every `validate_every` epochs.
        out: Folder for `metrics.jsonl` and `checkpoints/`; nothing is written without it.
        resume: Go on from the newest checkpoint of `out`, if it has one.

    Raises:
        NumericFault: On a loss or gradient that is not finite, naming step and rows.
        StopSignal: After SIGTERM or Ctrl-C, once a checkpoint is written.
    """
    return _Loop(model, batches, config, validate, out, resume).run()


class _Loop:
    """State of one call of `fit`."""

    def __init__(
        self,
        model: nn.Module,
        batches: Batches,
        config: FitConfig,
        validate: Validate,
        out: Path | None,
        resume: bool,
    ) -> None:
        self.config, self.batches, self.validate = config, batches, validate
        self.resume = resume and out is not None and has_checkpoint(out)
        processes()
        AcceleratorState._reset_state()  # else the precision of an earlier training would stay
        mixed = "bf16" if config.precision == "bf16" else "no"
        self.accelerator = Accelerator(
            mixed_precision=mixed, log_with=config.track or None, project_dir=out
        )
        if config.track:
            self.accelerator.init_trackers("tastemaker")
        seed_everything(config.seed + 7919 * self.accelerator.process_index)
        if isinstance(model, Starts) and not self.resume:
            model.start()
        self.model, self.optimizer = prepared(model, self._optimizer, self.accelerator)
        self.trained: nn.Module = self.accelerator.unwrap_model(self.model)
        self.inner = model  # whole on every process; `trained` unless weights are parted
        self.progress = Progress()
        self.best = _copy(self.inner)
        self.main = self.accelerator.is_main_process
        self.checkpoints = Checkpoints(out, self.accelerator, shaping(config)) if out else None
        self.journal = Journal(out if self.main else None, config.epochs * len(batches), self.main)

    def _optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        groups = model.parameter_groups() if isinstance(model, Grouped) else model.parameters()
        decay = self.config.weight_decay
        return torch.optim.AdamW(groups, self.config.lr, (0.9, 0.98), weight_decay=decay)

    def run(self) -> Fitted:
        if self.resume and self.checkpoints:
            best = self.checkpoints.load(self.trained, self.optimizer, self.progress)
            self.best = best or self.best
        state = self.progress
        self.journal.start(state.step, len(state.history))
        with StopSignal.listen() as stop, self.journal:
            while state.epoch < self.config.epochs and not self._exhausted():
                self._epoch(stop)
                state.epoch, state.batch = state.epoch + 1, 0
                if state.epoch % self.config.validate_every == 0:
                    self._validate()
                self._save()
        self.inner.load_state_dict(self.best)
        self.accelerator.wait_for_everyone()  # a process that leaves early aborts the others
        self.accelerator.end_training()
        best_epoch = (len(state.history) - state.stale) * self.config.validate_every
        return Fitted(state.step, state.epoch, best_epoch, state.best, self._flat())

    def _epoch(self, stop: StopSignal) -> None:
        state = self.progress
        self.model.train()
        for batch in prefetch(self.batches.epoch(state.epoch, state.batch)):
            loss = self._step(batch)
            state.step, state.batch = state.step + 1, state.batch + 1
            state.loss += loss * batch.target_count
            state.targets += batch.target_count
            self.journal.step(state.epoch, state.step, loss, batch.target_count)
            if stop.asked:
                self._save()
                raise stop
            if state.step % self.config.checkpoint_every == 0:
                self._save()

    def _step(self, batch: Batch) -> float:
        accelerator, state = self.accelerator, self.progress
        lr = learning_rate(self.config, state.step, len(self.batches))
        for group in self.optimizer.param_groups:
            group["lr"] = lr * group.get("share", 1.0)
        loss = torch.zeros((), device=accelerator.device)
        for part in parts(batch, accelerator):
            share = self.model(part.to(accelerator.device))
            # Processes average gradients, but the loss is already a share of the whole step's.
            accelerator.backward(share * accelerator.num_processes)
            loss += share.detach()
        norm = accelerator.clip_grad_norm_(self.model.parameters(), self.config.clip)
        total = float(accelerator.reduce(loss, "sum"))
        if not (math.isfinite(total) and math.isfinite(float(gathered(norm)))):
            raise self._fault(total, batch)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return total

    def _fault(self, loss: float, batch: Batch) -> NumericFault:
        state = self.progress
        rows = "" if batch.rows is None else f", training rows {batch.rows[:8].tolist()} …"
        return NumericFault(
            f"The loss is {loss} and its gradient is not finite, so training stopped.",
            f"step {state.step + 1} (epoch {state.epoch}, batch {state.batch}{rows})",
            "Lower the learning rate or look at these rows; the last checkpoint is sound.",
        )

    def _validate(self) -> None:
        state = self.progress
        if self.trained is not self.inner:
            self.inner.load_state_dict(whole(self.trained.state_dict()))
        self.inner.eval()
        metrics = self.validate()
        value = metrics[self.config.metric]
        state.history.append(value)
        if not state.stale:
            self.best = _copy(self.inner)
        loss, state.loss, targets, state.targets = state.loss, 0.0, state.targets, 0
        line = {"epoch": state.epoch, "step": state.step, "loss": loss / max(1, targets)}
        self.journal.validated({**line, **metrics})
        self.accelerator.log(metrics, step=state.step)

    def _save(self) -> None:
        if self.checkpoints:
            self.checkpoints.save(self.trained, self.optimizer, self.progress, self.best)

    def _exhausted(self) -> bool:
        return 0 < self.config.patience <= self.progress.stale

    def _flat(self) -> bool:
        """Validation rose by less than 1 % over the last 5 evaluations."""
        history = self.progress.history
        if self._exhausted():
            return True
        return len(history) > 5 and max(history[-5:]) < 1.01 * max(history[:-5])


def _copy(model: nn.Module) -> dict[str, Tensor]:
    state: dict[str, Any] = model.state_dict()
    return {name: tensor.detach().clone() for name, tensor in state.items()}
