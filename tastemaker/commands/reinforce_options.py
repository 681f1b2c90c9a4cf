"""What `tastemaker reinforce` can be asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from tastemaker.errors import BadInput
from tastemaker.options import check_run

Signal = Literal[
    "restrain", "ttrl", "srt-majority", "srt-easy", "empo", "self-certainty", "random", "gold"
]
MOST_RANK, MOST_ANSWERS = 65_536, 65_536
"""Far above any use; more would only fill the memory."""
Loss = Literal["grpo", "dr_grpo", "dapo", "bnpo", "cispo", "sapo", "luspo", "vespo"]


@dataclass(frozen=True)
class VotesOptions:
    """How votes become advantages; the paper's values are not public, so all defaults are ours."""

    k: float = 1.0
    """share of the votes at which an answer weighs most"""
    sigma: float = 0.0
    """width of that weight; 0: 0.25 for up to 32 answers a prompt, 0.2 above"""
    prompt_sigma: float = 0.0
    """width for the weight of a prompt; 0: as sigma"""
    kappa: int = 3
    """votes, a count, that the commonest answer must have, or all of its group is pushed down"""
    delta: float = 1.0
    """how far such a group is pushed down"""
    normalise: Literal["std", "none"] = "std"
    """divide rewards by their deviation, or not: then no width rewards rare answers"""
    weight_kl: bool = False
    """weigh the divergence of a prompt like its loss"""
    normalise_prompt_weights: Literal["off", "mean"] = "off"
    """divide prompt weights by their mean; off: as in the paper, which mostly lowers the rate"""
    forced: bool = False
    """accept a width that rewards rare answers"""


@dataclass(frozen=True)
class RestrainOptions:
    """Let a language model learn from its own answers, without labels."""

    model: str = "smollm2"
    """a packaged model, a folder, or a name in the local Hugging Face cache"""
    prompts: str = ""
    """JSON lines to learn from: `prompt` or `messages`, and as one likes `id`, `kind` (number,
    maths, choice, text, json:FIELD) and `gold`, which --signal gold alone reads"""
    held_out: str = ""
    """the same with `gold`, not to be learned from: a model that answers them worse than before
    is not kept; empty: it is kept unchecked"""
    signal: Signal = "restrain"
    """what tells better answers from worse: votes of all answers (restrain), of the commonest
    (ttrl), of the untrained model's commonest (srt-majority), of easy prompts alone (srt-easy),
    shares of votes (empo), the model's certainty, a coin (random), or right answers (gold)"""
    out: str = ""
    """folder of the run; default: runs/reinforce-SIGNAL-MODEL"""
    n: int = 16
    """answers to each prompt of a step, 2 or more"""
    prompts_per_step: int = 4
    """prompts of a step"""
    steps: int = 100
    """batches of answers that are learned from"""
    iterations: int = 1
    """optimiser steps a batch"""
    lora: int = 16
    """rank of adapters that learn beside the model; 0: all of the model learns"""
    lr: float = 1e-6
    """learning rate"""
    beta: float = 1e-3
    """weight of the divergence from the untrained model"""
    epsilon: float = 0.2
    """ratios of probabilities count up to 1 + ε and down to 1 − ε"""
    epsilon_high: float = 0.0
    """ε above 1 where it differs, such as 0.28 in DAPO; 0: the same"""
    loss_type: Loss = "grpo"
    """how token losses are averaged, by TRL's names"""
    level: Literal["token", "sequence"] = "token"
    """whether ratios are of tokens or, as in GSPO, of sequences"""
    temperature: float = 1.0
    """of the softmax that answers are drawn from"""
    max_tokens: int = 512
    """of an answer"""
    micro: int = 16
    """answers, at most, that pass forward and backward together"""
    clip: float = 1.0
    """largest norm of a gradient; 0: any"""
    base_n: int = 16
    """answers to each prompt by the untrained model, whose votes weigh the prompts"""
    exact: bool = False
    """compare mathematics by its canonical form alone, which is faster and merges less"""
    check_every: int = 0
    """optimiser steps from one look at the held-out prompts to the next; 0: before and after"""
    save_every: int = 10
    """batches between checkpoints"""
    seed: int = 0
    """of adapters, the order of prompts, and answers"""
    resume: bool = False
    """go on with the unfinished run in --out"""
    restrain: VotesOptions = field(default_factory=VotesOptions)

    def __post_init__(self) -> None:
        """Refuse what no run can be made of, before anything is read.

        Raises:
            BadInput: Naming the option.
        """
        check_run(self.out, "leave-one-out", self.seed)
        if not self.prompts:
            fix = "Name a file of JSON lines, each with a prompt."
            raise BadInput("There are no prompts to learn from.", "--prompts", fix)
        if not 0 <= self.lora <= MOST_RANK:
            what, fix = f"lora = {self.lora!r} is no rank.", f"Give 0 to {MOST_RANK:,}."
            raise BadInput(what, "--lora", fix)
        if self.check_every < 0:
            what = f"check_every = {self.check_every!r} is no number of steps."
            raise BadInput(what, "--check-every", "Give 0 or more.")
        if not 2 <= self.base_n <= MOST_ANSWERS:
            why = ": a single answer is no vote" if self.base_n == 1 else ""
            what = f"base_n = {self.base_n!r} cannot be asked{why}."
            raise BadInput(what, "--base-n", f"Give 2 to {MOST_ANSWERS:,}; 16 is usual.")
