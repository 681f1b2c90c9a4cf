"""How a small model is started, and reinforced with tools or without: each part resumable."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from vtool_charts import (
    HOW,
    TRAINED,
    VALID,
    WARM,
    called,
    fresh,
    named,
    questions,
    rote,
)  # fmt: skip

from tastemaker import files
from tastemaker.reinforce.picture_questions import PictureQuestion
from tastemaker.reinforce.sandbox import Sandbox
from tastemaker.reinforce.vtool_lean import LeanToolConfig, LeanToolLoop, asked
from tastemaker.reinforce.vtool_rollout import Conversation, rollouts
from tastemaker.reinforce.vtool_talk import ShortTalk
from tastemaker.reinforce.vtool_warm import answered

GATE = 0.95
"""Share of lookups under a mask by the question that a warm start must answer."""


@dataclass(frozen=True)
class Plan:
    """How much is learned."""

    warm: int = 750
    """steps of the warm start, at least"""
    most: int = 2000
    """and at most: it ends once the gate is passed"""
    batch: int = 128
    lr: float = 1e-3
    learning: LeanToolConfig = field(default_factory=lambda: LeanToolConfig(beta=0.1))
    """the one of five pilots on validation charts in which the use of tools lived"""
    test: int = 600
    """questions to measure by"""


@dataclass
class Rote:
    """Says first what it was given, and then what is right; keeps it all."""

    firsts: Sequence[str]
    asked: Sequence[PictureQuestion]
    turns: list[tuple[Sequence[Conversation], Sequence[str]]] = field(default_factory=list)

    def __call__(self, talks: Sequence[Conversation]) -> Sequence[str]:
        """The next turns."""
        texts = self.firsts
        if self.turns:
            pairs = zip(self.firsts, self.asked, strict=True)
            texts = [answered(one.answer) for text, one in pairs if text.startswith("ACTION")]
        self.turns.append((talks, texts))
        return texts


@dataclass
class Forced:
    """A first turn that is given; the policy answers."""

    policy: ShortTalk
    firsts: Sequence[str]
    begun: bool = False

    def __call__(self, talks: Sequence[Conversation]) -> Sequence[str]:
        """The next turns."""
        if self.begun:
            return self.policy.speak(talks, None).texts
        self.begun = True
        return self.firsts


def masked_lookups(policy: ShortTalk, seed: int, sandbox: Sandbox, many: int) -> float:
    """Share of lookups that are answered after a mask by the question, on validation."""
    own = [one for one in questions(seed, VALID, 0, many) if named(one)]
    firsts = [called("mask", named(one)) for one in own]
    return float(np.mean(asked(Forced(policy, firsts), own, sandbox, HOW)[1]))


def warmed(policy: ShortTalk, seed: int, sandbox: Sandbox, plan: Plan) -> dict[str, float]:
    """Learn to answer, and to answer after a call at random, until masks can be read.

    Returns:
        `steps`, and `masked lookups` at the end.
    """
    optimizer = torch.optim.AdamW(policy.parameters(), plan.lr, (0.9, 0.98), weight_decay=0.01)
    rng, told, step = np.random.default_rng(seed), 0.0, 0
    for step in range(1, plan.most + 1):
        for group in optimizer.param_groups:
            group["lr"] = plan.lr * min(1.0, step / 50, max(0.1, 2 - 2 * step / plan.warm))
        own = questions(seed, WARM, step * plan.batch, plan.batch)
        script = Rote(rote(own, rng), own)
        rollouts(script, own, sandbox, HOW)
        optimizer.zero_grad()
        for talks, texts in filter(lambda turn: turn[1], script.turns):
            lesson = policy.lesson(policy.taught(talks, texts))
            (lesson * len(texts) / plan.batch).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(policy.parameters(), 1.0)
        optimizer.step()
        if step >= plan.warm and step % 50 == 0:
            told = masked_lookups(policy, seed, sandbox, 1600)
            if told >= GATE:
                break
    return {"steps": step, "masked lookups": told}


def started(
    folder: Path, seed: int, sandbox: Sandbox, plan: Plan
) -> tuple[ShortTalk, dict[str, Any]]:
    """The warm start of a seed, and what is known of it."""
    policy = fresh(seed, questions(seed, WARM, 0, 2000))
    return kept(policy, folder / f"warm-{seed}", lambda: warmed(policy, seed, sandbox, plan))


def kept(
    policy: ShortTalk, path: Path, learn: Callable[[], dict[str, Any]]
) -> tuple[ShortTalk, dict[str, Any]]:
    """Weights and facts of a part that is finished, or of one that is learned now."""
    facts, weights = path.with_suffix(".json"), path.with_suffix(".safetensors")
    if not facts.is_file():
        began = time.process_time()
        found = learn()
        files.make_folder(path.parent)
        state = policy.model.model.state_dict()
        files.save_tensors(weights, {name: one.clone() for name, one in state.items()})
        files.write_json(facts, found | {"cpu seconds": time.process_time() - began})
    policy.model.model.load_state_dict(files.load_tensors(weights))
    return policy, files.read_json(facts)


def reinforced(
    policy: ShortTalk, seed: int, sandbox: Sandbox, config: LeanToolConfig, tools: bool, first: int
) -> dict[str, list[float]]:
    """Learn from outcomes alone.

    Args:
        policy: Learns in place.
        seed: Of what is drawn.
        sandbox: Where calls run.
        config: How.
        tools: Whether calls are run; else they are wrong answers.
        first: Steps that were taken before.

    Returns:
        `rewards` and `tool rate`, a value every tenth step.
    """
    draw, how = torch.Generator().manual_seed(1000 * seed + first), replace(HOW, tools=tools)
    loop, rewards, rates = LeanToolLoop(policy, sandbox, config, how, draw), [], []
    for step in range(first, first + config.steps):
        seen = loop.step(questions(seed, TRAINED, step * config.prompts, config.prompts))
        rewards.append(float(seen.rewards.mean()))
        rates.append(seen.tool_rate)
    tens = range(0, len(rewards), 10)
    return {
        "rewards": [float(np.mean(rewards[n : n + 10])) for n in tens],
        "tool rate": [float(np.mean(rates[n : n + 10])) for n in tens],
    }
