"""fit(): the only supervised loop. One CPU, one GPU, or many processes: the same call.

Everything that the next step depends on is in the checkpoint (weights, optimiser, random state,
position in the epoch, early-stop state), so a run that is killed and resumed ends with the weights
of an undisturbed one, bit for bit on one machine and thread count; on a GPU, which adds in no fixed
order, as near as two undisturbed ones are, or bit for bit with torch's deterministic algorithms.
The learning rate is a function of the step and batches are functions of (seed, epoch, step), so
neither needs saving.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedType
from torch import Tensor, nn

from tastemaker.config import seed_everything
from tastemaker.data.prefetch import prefetch
from tastemaker.errors import NumericFault
from tastemaker.seams import Starts, Step, Steps
from tastemaker.train.checkpoints import Checkpoints, has_checkpoint
from tastemaker.train.config import FitConfig, learning_rate
from tastemaker.train.journal import Journal
from tastemaker.train.processes import prepared, processes, shards, whole
from tastemaker.train.progress import Progress
from tastemaker.train.randomness import random_state, restore
from tastemaker.train.selection import chosen, converged, copied, exhausted, selected
from tastemaker.train.stages import enter, identity, learning, leave, stages_of
from tastemaker.train.step import Trainer, adamw
from tastemaker.train.stopping import Interrupt, Listener, Stopped, listening

Validate = Callable[[], dict[str, float]]


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
    stage: str = ""
    """the last stage, where it has epochs of its own"""
    cpu_seconds: float = field(default=0.0, compare=False)
    """of this process, over all starts; what was lost at a stop is not counted."""


def fit(
    model: nn.Module,
    batches: Steps,
    config: FitConfig,
    validate: Validate,
    out: Path | None = None,
    resume: bool = False,
) -> Fitted:
    """Train `model` in place and leave it with its best weights on validation.

    Args:
        model: A `Trainable` module; calling it with a batch gives the loss. One that is `Staged`
            is trained in several stages, which are one training: it is stopped, resumed and
            journalled as a whole.
        batches: Numbered epochs of batches.
        config: How to train.
        validate: Metrics of the model as it stands; called after every `validate_every` epochs and
            after the last.
        out: Folder for `metrics.jsonl` and `checkpoints/`; nothing is written without it.
        resume: Go on from the newest checkpoint of `out`, if it has one.

    Raises:
        BadInput: If `validate` does not give the metric that selects.
        NumericFault: On a loss, gradient or metric that is not finite, naming step and rows.
        Stopped: After SIGTERM or Ctrl-C, once a checkpoint is written.
    """
    with listening(str(out) if out else "") as listener:
        return _Loop(model, batches, config, validate, out, resume).run(listener)


class _Loop:
    """State of one call of `fit`."""

    def __init__(
        self,
        model: nn.Module,
        batches: Steps,
        config: FitConfig,
        validate: Validate,
        out: Path | None,
        resume: bool,
    ) -> None:
        self.batches, self.validate, self.since = batches, validate, time.process_time()
        self.stages = stages_of(model, config)
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
        if not shards(self.accelerator):
            model.to(self.accelerator.device)  # where what begins it is made as well
        if isinstance(model, Starts) and not self.resume:
            model.start()
        self.inner = model  # whole on every process; `trained` unless weights are parted
        self.learns = learning(model)
        self.checkpoints = None
        if out:
            self.checkpoints = Checkpoints(out, self.accelerator, identity(self.stages, config))
        self.progress, self.listener = Progress(), Listener()
        if self.resume and self.checkpoints and (held := self.checkpoints.progress()):
            self.progress.stage = min(held.stage, len(self.stages) - 1)
        self._prepare()
        main = self.accelerator.is_main_process
        self.journal = Journal(out if main else None, config, len(batches), main)

    def run(self, listener: Listener) -> Fitted:
        if self.resume and self.checkpoints and (held := self.checkpoints.load(*self._state())):
            self.progress, self.best = held
        state, self.listener = self.progress, listener
        self.since -= state.cpu_seconds
        self.journal.start(state.step, state.history)
        with self.journal, listener.patient():
            self._stage()
            while state.stage + 1 < len(self.stages):
                self._advance()
                self._stage()
        self.inner.load_state_dict(self.best)
        self._end()
        epoch, value = selected(state, self.config, self.stage.keeps)
        spent, flat = time.process_time() - self.since, converged(state, self.config)
        stage = self.stage.name if "epochs" in self.stage.options else ""
        return Fitted(state.step, state.epoch, epoch, value, flat, stage, spent)

    def _prepare(self) -> None:
        """Make everything ready for the stage that has been reached."""
        self.stage, self.config = self.stages[self.progress.stage]
        enter(self.inner, self.stage, self.learns)
        made = prepared(self.inner, lambda module: adamw(module, self.config), self.accelerator)
        self.model, self.optimizer = made
        self.trainer = Trainer(self.model, self.optimizer, self.config.clip, self.accelerator)
        self.trained: nn.Module = self.accelerator.unwrap_model(self.model)
        self.best = copied(self.inner)

    def _advance(self) -> None:
        """Begin the next stage with the weights that this one keeps."""
        self.inner.load_state_dict(self.best)
        self._unwrap()
        del self.model, self.trainer
        self.accelerator.free_memory()
        self.progress.begin()
        self._prepare()

    def _stage(self) -> None:
        """Train what is left of a stage."""
        state, every = self.progress, self.config.validate_every
        self.journal.enter(self.stage.name, self.config, state.first_epoch, state.recent)
        while state.epochs < self.config.epochs and not exhausted(state, self.config):
            self._epoch()
            if (state.epochs + 1) % every == 0:
                self._validate(state.epoch + 1)
            state.epoch, state.batch = state.epoch + 1, 0
            self._save()
        if state.epochs % every:
            # Off the beat, so not kept: a training that goes on is as if it had not ended here.
            self._validate(state.epoch)

    def _epoch(self) -> None:
        state = self.progress
        self.model.train()
        for batch in prefetch(self.batches.epoch(state.epoch, state.batch)):
            loss = self._step(batch)
            state.step, state.batch = state.step + 1, state.batch + 1
            state.loss += loss * batch.target_count
            state.targets += batch.target_count
            self.journal.step(state.epoch, state.step, loss, batch.target_count)
            self._leave_if_asked()
            if state.step % self.config.checkpoint_every == 0:
                self._save()

    def _step(self, batch: Step) -> float:
        state = self.progress
        lr = learning_rate(self.config, state.step - state.first_step, len(self.batches))
        try:
            return self.trainer.step(batch, lr)
        except NumericFault as fault:
            where = f"step {state.step + 1} (epoch {state.epoch}, batch {state.batch})"
            raise NumericFault(fault.what, f"{where}, {fault.where}", fault.fix) from None

    def _validate(self, epochs: int) -> None:
        """Measure the weights after `epochs` epochs, and keep them if they are the best so far."""
        state = self.progress
        if self.trained is not self.inner:
            self.inner.load_state_dict(whole(self.trained.state_dict()))
        self.inner.eval()
        metrics = self._measured()
        state.history.append(chosen(metrics, self.config.metric, epochs))
        if not state.stale or self.stage.keeps == "last":
            self.best = copied(self.inner)
        loss, state.loss, targets, state.targets = state.loss, 0.0, state.targets, 0
        line = {"epoch": epochs, "step": state.step, "loss": loss / max(1, targets)}
        self.journal.validated({**line, **metrics})
        self.accelerator.log(metrics, step=state.step)

    def _measured(self) -> dict[str, float]:
        """Validate; asked to stop on the way, go back to before and leave."""
        random, metrics = random_state(self.accelerator.device), {}
        try:
            with self.listener.patient(False):
                metrics = self.validate()
        except Interrupt:
            pass  # the other processes are told below
        self._leave_if_asked(random)
        return metrics

    def _leave_if_asked(self, random: Mapping[str, Tensor] | None = None) -> None:
        """Save and leave if a signal reached any of the processes.

        Args:
            random: Random state to go on from; None: the present one.
        """
        asked = self.listener.asked
        if self.accelerator.num_processes > 1:
            heard = torch.tensor(float(asked), device=self.accelerator.device)
            anywhere = bool(self.accelerator.reduce(heard, "sum"))
            asked = (asked or signal.SIGTERM) if anywhere else 0
        if asked:
            if random is not None:
                restore(random, self.accelerator.device)
            self._save()
            self._end()
            raise Stopped(asked)

    def _end(self) -> None:
        """Part from the other processes, and leave the model as it was found but for weights."""
        leave(self.inner, self.learns)
        self._unwrap()
        self.accelerator.wait_for_everyone()  # a process that leaves early aborts the others
        if self.accelerator.distributed_type != DistributedType.NO:
            # What averages gradients must go before the group it does it in: one that outlives it
            # ends the group's threads while it keeps them from ending.
            del self.model, self.trainer
            self.accelerator.free_memory()
        self.accelerator.end_training()

    def _unwrap(self) -> None:
        """Take low precision from the model; what prepares it next decides anew."""
        self.accelerator.unwrap_model(self.model, keep_fp32_wrapper=False)
        # One that is marked as prepared would be passed over, and train in full precision.
        vars(self.inner).pop("_is_accelerate_prepared", None)

    def _state(self) -> tuple[nn.Module, torch.optim.Optimizer]:
        return self.trained, self.optimizer

    def _save(self) -> None:
        if self.checkpoints:
            self.progress.cpu_seconds = time.process_time() - self.since
            self.checkpoints.save(*self._state(), self.progress, self.best)
