"""What a reinforcement refuses before it begins."""

from __future__ import annotations

import json
import os

from tastemaker.counts import counted
from tastemaker.data.replies import Conversation
from tastemaker.errors import BadInput
from tastemaker.reinforce.policy import Policy
from tastemaker.reinforce.signals import LABELLED
from tastemaker.run.reinforce_results import Exercise, ReinforceConfig

_PARTED = {"ACCELERATE_USE_FSDP": "FSDP", "ACCELERATE_USE_DEEPSPEED": "DeepSpeed"}
"""What a launcher says in its environment."""


def refuse_parted() -> None:
    """Refuse to train where weights are parted among processes.

    Raises:
        BadInput: Naming what the launcher says.
    """
    for name, title in _PARTED.items():
        if os.environ.get(name, "").lower() in ("1", "true", "yes"):
            what = (
                f"Under {title} weights are parted, and no checkpoint of this training holds them."
            )
            raise BadInput(what, name, "Launch it with plain data parallelism.")


def refuse_idle(config: ReinforceConfig, prompts: Exercise, held_out: Exercise | None) -> None:
    """Refuse what nothing can be learned from or measured by, before a model is opened.

    Raises:
        BadInput: Naming the option or the prompt.
    """
    refuse_parted()
    if config.signal == "restrain":
        config.signals.restrain.checked(config.learning.n)
    if config.signal in LABELLED and (lacking := prompts.without()):
        what = f"The signal {config.signal} needs an answer to every prompt."
        fix = "Add its gold, or take --signal restrain."
        raise BadInput(what, f"{prompts.name}, prompt {lacking}", fix)
    if held_out is None:
        return
    if lacking := held_out.without():
        what, fix = "Held-out prompts measure by their answers.", "Add its gold, or leave it out."
        raise BadInput(what, f"{held_out.name}, prompt {lacking}", fix)
    learned = {_question(asked) for asked in prompts.asked}
    both = [prompt.id for prompt in held_out.prompts if _question(prompt.messages) in learned]
    if both:
        what = f"{counted(len(both), 'prompt')} to learn from would measure too: {both[0]!r:.80}."
        raise BadInput(what, held_out.name, "Hold out prompts that are not learned from.")


def _question(messages: Conversation) -> str:
    """The same for conversations that differ in white space alone."""
    return json.dumps([[one["role"], " ".join(one["content"].split())] for one in messages])


def refuse_long(exercise: Exercise, policy: Policy, max_tokens: int) -> None:
    """Refuse prompts that a model cannot read and answer.

    Args:
        exercise: The prompts.
        policy: Who reads them.
        max_tokens: Of an answer.

    Raises:
        BadInput: Naming the first such prompt, or if the chat template refuses one.
    """
    for prompt in exercise.prompts:
        length = len(policy.tokens(prompt.messages))
        if length + max_tokens > policy.most_tokens:
            what = (
                f"The prompt has {length:,} tokens, and with an answer of {max_tokens:,} more than "
            )
            what += f"the model reads, {policy.most_tokens:,}."
            fix = "Leave it out, or give fewer --max-tokens."
            raise BadInput(what, f"{exercise.name}, prompt {prompt.id}", fix)
