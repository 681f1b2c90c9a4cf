"""Votes of the untrained model: asked once, before anything is learned, and kept for good.

What a prompt weighs in RESTRAIN comes from how far the model agrees with itself as it is now; a
count that followed the training was worse (`restrain`). Asking takes as long as many steps, so
votes are kept in the cache: under the files of the model and all that decides its answers, a line a
prompt. What is kept is counts: weights follow from them for any k and σ.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tastemaker import records
from tastemaker.data.replies import Conversation
from tastemaker.files import make_folder
from tastemaker.models.identity import identity_of
from tastemaker.models.packaged import cache_folder
from tastemaker.reinforce.lesson import Reader
from tastemaker.reinforce.policy import Policy

FORMAT = 2
"""Of the way in which answers are sampled and read."""


@dataclass(frozen=True)
class Sampling:
    """How answers are drawn from a model that does not learn meanwhile."""

    n: int
    """answers to each prompt"""
    temperature: float
    max_tokens: int
    seed: int


@dataclass(frozen=True)
class BaseVotes:
    """What most answers to one prompt say."""

    answer: str | None
    """None: no answer could be read"""
    votes: int
    """how many say so"""


def base_votes(
    policy: Policy,
    prompts: Sequence[Conversation],
    kinds: Sequence[str],
    sampling: Sampling,
    read: Reader,
    told: Callable[[int], None] = lambda done: None,
) -> list[BaseVotes]:
    """The commonest answer to each prompt, from the cache where it was asked before.

    Args:
        policy: Before it has learned anything.
        prompts: P conversations.
        kinds: Of answer that each asks for.
        sampling: How they are asked.
        read: Finds the answers.
        told: Is told how many prompts are done.

    Raises:
        ArtefactError: If what is kept was changed.
    """
    path = kept_at(policy, sampling)
    known = {
        str(line["prompt"]): BaseVotes(_answer(line["answer"]), int(str(line["votes"])))
        for line in records.read(path)
    }
    pairs = list(zip(prompts, kinds, strict=True))
    keys = [hashlib.sha256(json.dumps(pair).encode()).hexdigest() for pair in pairs]
    asked = dict(zip(keys, pairs, strict=True))
    waiting = [key for key in asked if key not in known]
    if waiting:
        make_folder(path.parent)
    drawn = policy.answers(
        [asked[key][0] for key in waiting],
        sampling.n, sampling.temperature, sampling.max_tokens, sampling.seed,
    )  # fmt: skip
    before = len(asked) - len(waiting)
    for done, (key, said) in enumerate(zip(waiting, drawn, strict=True), before + 1):
        known[key] = votes = _commonest(read([said], [[]], [asked[key][1]])[0])
        records.append(path, {"prompt": key, "answer": votes.answer, "votes": votes.votes})
        told(done)
    return [known[key] for key in keys]


def kept_at(policy: Policy, sampling: Sampling) -> Path:
    """The file of all votes of a model that were asked for in one way."""
    how = {"format": FORMAT, **vars(sampling), "chats": policy.chats}
    return cache_folder() / "base-votes" / f"{identity_of(policy.identity, how)[:32]}.jsonl"


def shares_correct(
    policy: Policy,
    prompts: Sequence[Conversation],
    answers: Sequence[str],
    kinds: Sequence[str],
    sampling: Sampling,
    read: Reader,
) -> list[float]:
    """Of the answers to each prompt the share that means the same as the one that is known."""
    drawn = policy.answers(
        prompts, sampling.n, sampling.temperature, sampling.max_tokens, sampling.seed
    )
    rows = read([*drawn], [[answer] for answer in answers], kinds)
    return [
        sum(one is not None and one == row[-1] for one in row[:-1]) / sampling.n for row in rows
    ]


def _commonest(answers: Sequence[str | None]) -> BaseVotes:
    counts = Counter(answer for answer in answers if answer is not None)
    if not counts:
        return BaseVotes(None, 0)
    answer, votes = counts.most_common(1)[0]
    return BaseVotes(answer, votes)


def _answer(value: object) -> str | None:
    return None if value is None else str(value)
