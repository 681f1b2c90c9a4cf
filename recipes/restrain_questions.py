"""Questions of the recipe on counting, and how texts answer them.

Users to write from, to reinforce by, to look at and to measure by are different ones, and so are
prompts. A prompt has one word for each event, by which a small model learns to count in a minute.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from restrain_pretrained import Task

from tastemaker.data.datasets import load
from tastemaker.data.signals import signals
from tastemaker.reinforce.counting import CountingOptions, Question, counting_questions, score
from tastemaker.reinforce.prompts import Prompt, asked

SILENT, LOW, BLUNDER = 1 / 9, 0.35, 0.25
"""Share of texts that name no number, that count more than `LONG` too low by one, and that are off
by chance."""
LONG = 6
WORDS = ("many", "some", "few")
EVENTS = 12
SHORT = {"explicit positive": "high", "implicit positive": "low"}
"""How prompts name the signals: those of ratings, which tell nothing else."""
_SIGNAL = re.compile("|".join(SHORT))


def says(prompt: Prompt, rng: np.random.Generator) -> str:
    """A reply as texts have it."""
    right, chance = int(prompt.gold or 0), rng.random()
    if chance < SILENT:
        return str(rng.choice(WORDS))
    if chance < SILENT + BLUNDER:
        return str(abs(right + int(rng.choice([-2, -1, 1, 2]))))
    return str(right - (right > LONG and chance < SILENT + BLUNDER + LOW))


def by_polarity(asked: Sequence[Question], rows: Sequence[Sequence[str]]) -> dict[str, float]:
    """How well replies count, those that can be read, of all seeds."""
    pairs = [(asked[place % len(asked)], reply) for place, row in enumerate(rows) for reply in row]
    told = score([one for one, _ in pairs], [reply for _, reply in pairs])
    found = {"parsed": told.parsed}
    for polarity, own in told.accuracy.items():
        found |= {f"{name} {polarity}": value for name, value in vars(own).items()}
    return found


def misled(prompt: Prompt) -> bool:
    """Whether texts count it too low in one way more often than rightly."""
    return int(prompt.gold or 0) > LONG and LOW > 1 - SILENT - BLUNDER - LOW


def questions(most: int) -> list[list[Question]]:
    """Questions to measure by, to look at, to reinforce by and to write from, in this order.

    Args:
        most: To measure and to reinforce by; half as many to look at, and all others to write from.
    """
    data = load("movielens-small")
    known = signals(data.interactions, data.declared)
    made = counting_questions(known, CountingOptions(10**9, EVENTS, "films"))
    # All of them stand by user: each part of a history, once for each polarity.
    ends = np.cumsum(-(-known.log.lengths // EVENTS) * len(known.kinds))
    users = [int(user) for user in np.random.default_rng(0).permutation(known.log.num_users)]
    seen: set[str] = set()
    cut: list[list[Question]] = []
    for many in (most, most // 2, most, len(made)):
        cut.append([])
        while users and len(cut[-1]) < many:
            user = users.pop()
            for one in made[ends[user - 1] if user else 0 : ends[user]]:
                text = one.prompt.messages[0]["content"]
                if text not in seen:
                    seen.add(text)
                    cut[-1].append(one)
        cut[-1] = cut[-1][:many]
    return cut


def brief(prompt: Prompt) -> Prompt:
    """The same question in few words: the signal of each film, and the one that is asked for."""
    *events, last = prompt.messages[0]["content"].split("\n")[1:]
    *said, wanted = [SHORT[_SIGNAL.findall(line)[0]] for line in (*events, last)]
    return replace(prompt, messages=asked(f"{' '.join(said)}; {wanted}?"))


def task(cut: Sequence[Sequence[Question]]) -> Task:
    """The prompts of questions, brief ones."""
    held_out, looked, learnt, texts = ([brief(one.prompt) for one in own] for own in cut)
    return Task(texts, learnt, looked, held_out, says)
