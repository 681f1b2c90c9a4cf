"""RESTRAIN by TRL's GRPO trainer: advantages from the votes of a group instead of a reward.

    L(x) = u_x Σ_j w_j L_GRPO(x, a_j),   a_j the distinct answers to x, as `restrain` weighs them

A reward function cannot say this: what pushes all of a group down is a constant, and the trainer
takes its mean away. So advantages are put in their place after the trainer has made its own, and
where the policy has moved since it answered (ρ ≠ 1) those above zero and those below are clipped
apart: only then is the sum over j exact (`restrain.Streams`). Both share one pass of the model.

Each of several processes holds a part of a batch, and a group may lie on two: texts are gathered,
every process reads its share of the groups, and all of them know all advantages.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from tastemaker.models.extras import extra
from tastemaker.reinforce import checkpoints
from tastemaker.reinforce.lesson import KIND, Lesson, known_of, taught
from tastemaker.reinforce.policy import Policy
from tastemaker.reinforce.restrain import Streams
from tastemaker.reinforce.resumable import ResumableTrainer
from tastemaker.reinforce.signals import self_certainty

with extra("rl"):
    from accelerate.utils import gather_object
    from trl import GRPOConfig

_ROWS = 8
"""Answers whose certainty is reckoned together."""


class _Weighted(float):
    """A weight of the divergence that differs from row to row: (B, 1) rows beside it."""

    rows: Tensor

    def __mul__(self, other: Any) -> Any:
        return float(self) * self.rows * other


class RestrainTrainer(ResumableTrainer):
    """TRL's trainer with advantages of a `Lesson`; whatever its configuration says else holds."""

    aux_loss_enabled: bool
    _entropy_bonus_enabled: bool

    def __init__(
        self,
        policy: Policy,
        args: GRPOConfig,
        rows: Any,
        lesson: Lesson,
        kept: checkpoints.TrainerCheckpoints | None = None,
    ) -> None:
        """Take a policy; it learns in place.

        Args:
            policy: What learns.
            args: With `beta` 0: the lesson has its own.
            rows: What `lesson.rows_for` made.
            lesson: What it is taught.
            kept: Where checkpoints go; None: nowhere.
        """
        super().__init__(
            kept, lambda line: lesson.watch(line), lambda: lesson.stops(), lesson.beta,
            model=policy.model, reward_funcs=_nothing, args=args, train_dataset=rows,
            processing_class=policy.tokenizer,
        )  # fmt: skip
        self.lesson = lesson
        self._texts: list[str] = []
        self._memo: tuple[Any, ...] | None = None
        self._shares = False

    def _calculate_rewards(
        self, inputs: Any, prompts: Any, completions: Any, completion_ids_list: Any
    ) -> Tensor:
        self._texts = [c if isinstance(c, str) else c[-1]["content"] for c in completions]
        rewards: Tensor = super()._calculate_rewards(
            inputs, prompts, completions, completion_ids_list
        )
        return rewards

    def _generate_and_score_completions(self, inputs: Any) -> Any:
        output = self._drawn(inputs)
        begun = time.perf_counter()
        mode = "train" if self.model.training else "eval"
        n = self.num_generations if self.model.training else self.num_generations_eval
        certainty = self._certainty(output) if self.lesson.name == "self-certainty" else None
        begun += 0.0 if certainty is None else time.perf_counter() - begun
        streams = self._streams(inputs, output, n, certainty, mode)
        first = self.accelerator.process_index * len(inputs)
        mine = slice(first, first + len(inputs))
        device = output["advantages"].device
        output["adv_pos"] = streams.positive.flatten()[mine].to(device)
        output["adv_neg"] = streams.negative.flatten()[mine].to(device)
        output["advantages"] = output["adv_pos"] + output["adv_neg"]
        output["prompt_weight"] = torch.tensor(
            [float(row["prompt_weight"]) for row in inputs], device=device
        )
        output["number"] = torch.tensor([int(row["number"]) for row in inputs], device=device)
        self._metrics[mode]["seconds/advantages"].append(time.perf_counter() - begun)
        return output

    def _streams(
        self, inputs: Any, output: Any, n: int, certainty: Tensor | None, mode: str
    ) -> Streams:
        """Advantages of all G · n answers of all processes, and what is measured of them."""
        texts, rows = gather_object(self._texts), gather_object(inputs)[::n]
        groups = [texts[first : first + n] for first in range(0, len(texts), n)]
        answers = self._read(groups, rows)
        lengths = self.accelerator.gather(output["completion_mask"].sum(1)).cpu().view(-1, n)
        step = self.state.global_step
        streams, seen = taught(self.lesson, rows, answers, lengths.float(), certainty, step)
        for name, value in vars(seen).items():
            if value is not None:
                self._metrics[mode][f"votes/{name}"].append(float(value))
        return streams

    def _read(
        self, groups: Sequence[Sequence[str]], rows: Sequence[Mapping[str, Any]]
    ) -> list[list[str | None]]:
        """The answers of all groups; each process reads its share."""
        count, first = self.accelerator.num_processes, self.accelerator.process_index
        mine = rows[first::count]
        known, kinds = [known_of(row) for row in mine], [str(row[KIND]) for row in mine]
        answers = self.lesson.read(groups[first::count], known, kinds)
        pairs = list(zip(range(first, len(groups), count), answers, strict=True))
        return [row for _, row in sorted(gather_object(pairs), key=lambda pair: pair[0])]

    @torch.no_grad()
    def _certainty(self, output: Any) -> Tensor:
        """(G, n) how far from the uniform each answer's tokens were drawn, of all processes."""
        ids = torch.cat([output["prompt_ids"], output["completion_ids"]], 1)
        mask = torch.cat([output["prompt_mask"], output["completion_mask"]], 1)
        width, parts = output["completion_ids"].shape[1], []
        for first in range(0, len(ids), _ROWS):
            rows = slice(first, first + _ROWS)
            logits = self.model(input_ids=ids[rows], attention_mask=mask[rows]).logits
            said = logits[:, -width - 1 : -1].float().log_softmax(-1)
            parts.append(self_certainty(said, output["completion_mask"][rows].bool()))
        gathered: Tensor = self.accelerator.gather(torch.cat(parts)).cpu()
        n = self.num_generations if self.model.training else self.num_generations_eval
        return gathered.view(-1, n)

    def _compute_loss(self, model: Any, inputs: Any) -> Tensor:
        with self._weighted(inputs):
            if "old_per_token_logps" not in inputs:  # ρ = 1: one stream is exact
                loss = super()._compute_loss(model, inputs)
            else:
                with self._one_pass():
                    up = super()._compute_loss(model, inputs | {"advantages": inputs["adv_pos"]})
                    with self._bare():
                        down = {"advantages": inputs["adv_neg"]}
                        loss = up + super()._compute_loss(model, inputs | down)
        return self._checked(loss, inputs)

    @contextmanager
    def _weighted(self, inputs: Any) -> Iterator[None]:
        """While inside, the divergence of each answer has the weight of its prompt, if asked."""
        beta = self.beta
        if beta and self.lesson.config.restrain.weight_kl:
            self.beta = _Weighted(beta)
            self.beta.rows = inputs["prompt_weight"][:, None]
        try:
            yield
        finally:
            self.beta = beta

    @contextmanager
    def _one_pass(self) -> Iterator[None]:
        """While inside, the model passes once: what it says is kept."""
        self._shares = True
        try:
            yield
        finally:
            self._shares, self._memo = False, None

    @contextmanager
    def _bare(self) -> Iterator[None]:
        """While inside, a loss is of its advantages alone: what else it holds counts once."""
        kept = self.beta, self.aux_loss_enabled, self._entropy_bonus_enabled
        self.beta, self.aux_loss_enabled, self._entropy_bonus_enabled = 0.0, False, False
        try:
            yield
        finally:
            self.beta, self.aux_loss_enabled, self._entropy_bonus_enabled = kept

    def _get_per_token_logps_and_entropies(self, *args: Any, **kwargs: Any) -> Any:
        if not self._shares:
            return super()._get_per_token_logps_and_entropies(*args, **kwargs)
        if self._memo is None:
            self._memo = super()._get_per_token_logps_and_entropies(*args, **kwargs)
        return self._memo


def _nothing(completions: Sequence[Any], **others: Any) -> list[float]:
    """A reward that says nothing: the trainer asks for one."""
    return [0.0] * len(completions)
