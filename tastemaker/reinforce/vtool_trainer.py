"""Visual tool use by TRL's GRPO trainer, with the choice whether the turn of the tool learns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tastemaker.errors import BadInput
from tastemaker.models.extras import extra
from tastemaker.reinforce.relaxed_answers import RuleName
from tastemaker.reinforce.resumable import ResumableTrainer
from tastemaker.reinforce.sandbox import Sandbox
from tastemaker.reinforce.vtool_environment import VisualCode, environments, outcome_reward
from tastemaker.reinforce.vtool_masks import learned_mask
from tastemaker.reinforce.vtool_rollout import RolloutOptions

with extra("rl"):
    from trl import GRPOConfig
    from trl.chat_template_utils import qwen3_vl_chat_template


@dataclass(frozen=True)
class ToolTraining:
    """How visual tool use is taught."""

    train_tool_turn: bool = True
    """whether the turn that runs code learns; in the published versions it does not"""
    rule: RuleName = "relaxed_strict"
    """of what is right"""
    rollouts: RolloutOptions = field(default_factory=RolloutOptions)
    """what code may do"""


class VisualToolTrainer(ResumableTrainer):
    """TRL's trainer of rollouts that may run code once; the reward is the outcome's alone."""

    def __init__(
        self,
        model: Any,
        processor: Any,
        args: GRPOConfig,
        rows: Any,
        sandbox: Sandbox,
        options: ToolTraining | None = None,
        **told: Any,
    ) -> None:
        """Take a model; it learns in place.

        Args:
            model: Of transformers, for pictures and text.
            processor: Its own, with a chat template that renders tools and their images;
                `tool_template` has one.
            args: Without a limit of its own to calls of tools: there is one call.
            rows: What `question_rows` made.
            sandbox: Where code runs.
            options: How it is taught.
            told: `kept`, `watch`, `stops` and `beta`, as `ResumableTrainer` takes them.

        Raises:
            BadInput: If the template of the processor renders no tools.
        """
        self.options = options or ToolTraining()
        args.max_tool_calling_iterations = 1
        try:
            super().__init__(
                model=model,
                reward_funcs=outcome_reward(self.options.rule),
                args=args,
                train_dataset=rows,
                processing_class=processor,
                environment_factory=environments(sandbox, self.options.rollouts),
                **told,
            )
        except ValueError as error:
            if "template" not in str(error):
                raise
            fix = "Give it the template of a model that calls tools."
            raise BadInput(f"The chat template does not do: {error}", "processor", fix) from error

    def _tokenize_prompts(self, prompts: Any) -> Any:
        """The trainer's own, with pictures as tensors.

        It leaves them lists of rows, and cannot part those where a call of a tool gave no image.
        """
        ids, images, fields = super()._tokenize_prompts(prompts)
        rows = {
            name: torch.as_tensor(np.array(value))
            for name, value in fields.items()
            if isinstance(value, list) and value and isinstance(value[0], np.ndarray)
        }
        return ids, images, fields | rows

    def _generate_and_score_completions(self, inputs: Any) -> Any:
        """Rollouts, of which perhaps only the answers learn."""
        output = self._drawn(inputs)
        mask = output.get("tool_mask")
        if mask is None or self.options.train_tool_turn:
            return output
        used = torch.tensor([one.ran is not None for one in self._rooms()], device=mask.device)
        shown = (mask == 0).any(1)  # a call that was rolled back left no message
        output["tool_mask"] = learned_mask(mask, used & shown, train_tool_turn=False)
        learning = (output["completion_mask"] * output["tool_mask"]).sum()
        output["num_items_in_batch"] = self.accelerator.gather(learning).sum()
        return output

    def _compute_loss(self, model: Any, inputs: Any) -> Tensor:
        return self._checked(super()._compute_loss(model, inputs), inputs)

    def _tool_call_loop(self, *args: Any, **kwargs: Any) -> Any:
        """The trainer's own; counts calls, failures and what did not fit into the completion."""
        result = super()._tool_call_loop(*args, **kwargs)
        rooms, completions = self._rooms(), result[1]
        ran = [one.ran for one in rooms]
        lost = [
            one is not None and not any(message["role"] == "tool" for message in said)
            for one, said in zip(ran, completions, strict=True)
        ]
        for outcome in ("used", "unchanged", "failed"):
            self._measure(outcome, [one is not None and one.outcome == outcome for one in ran])
        self._measure("rolled_back", lost)
        return result

    def _rooms(self) -> list[VisualCode]:
        rooms: list[VisualCode] = self.environments
        return rooms

    def _measure(self, name: str, values: Sequence[bool]) -> None:
        mode = "train" if self.model.training else "eval"
        self._metrics[mode][f"visual/{name}"].append(sum(values) / max(len(values), 1))


def tool_template() -> str:
    """The chat template of a model that calls tools and is shown their images.

    That of Qwen2.5-VL renders no tools, and the trainer knows templates by their exact text.
    """
    template: str = qwen3_vl_chat_template
    return template
