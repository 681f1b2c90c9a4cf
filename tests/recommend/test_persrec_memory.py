"""What tokens carry: an answer that stands in the old part alone is found through them alone."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
import torch

from tastemaker.data.batches import last
from tastemaker.data.contexts import Contexts, Int64s
from tastemaker.data.splits import leave_one_out
from tastemaker.recommend.backbone_option import BackboneConfig
from tastemaker.recommend.esasrec import ESASRecConfig
from tastemaker.recommend.hllm_shape import HLLMConfig
from tastemaker.recommend.hstu import HSTUConfig
from tastemaker.recommend.persrec import PerSRec
from tastemaker.recommend.persrec_layout import laid_out
from tastemaker.recommend.persrec_shape import PerSRecConfig
from tastemaker.recommend.sasrec import SASRecConfig
from tastemaker.worlds.logs import long_memory
from tests.recommend.test_backbones import ground

LAG, OLD, RECENT, ITEMS = 3, 4, 2, 16
"""The answer stands three events back, so none of the newest two tells it."""
CHANCE = 0.15
"""Above what guessing finds, one in sixteen."""


class Learner(NamedTuple):
    """What reads, and how it is trained."""

    backbone: BackboneConfig
    rate: float
    steps: int = 200


LEARNERS = {
    "sasrec": Learner(SASRecConfig(dim=32, inner=64, dropout=0.0), 0.006),
    "esasrec": Learner(ESASRecConfig(dim=32, dropout=0.0, loss="softmax"), 0.006),
    "hstu": Learner(HSTUConfig(dim=32, heads=2, head_dim=16, dropout=0.0, divisor=1), 0.003),
    "hllm": Learner(
        HLLMConfig(dim=32, dropout=0.0, max_tokens=4, trained_layers=0, loss="softmax"), 0.002, 600
    ),
}


class World(NamedTuple):
    """A log whose rule is known."""

    train: Contexts
    asked: Contexts
    answers: Int64s
    """(B,) item code that the rule gives after each row"""


def world() -> World:
    """One event in twenty is a whim; who had none of late is asked."""
    made = long_memory(users=400, length=14, items=ITEMS, lag=LAG)
    log = made.interactions()
    cuts = leave_one_out(log)
    asked = cuts.queries("test").contexts
    names = log.item_ids.to_list()
    following = made.truth["following"]
    after = np.array([0] + [1 + names.index(f"i{following[int(name[1:])]}") for name in names])
    rows = asked.items.reshape(len(asked), -1)
    regular = (after[rows[:, -RECENT - LAG : -LAG]] == rows[:, -RECENT:]).all(1)
    asked = asked.take(np.flatnonzero(regular))
    return World(cuts.train(), asked, after[rows[regular, -LAG]])


def learnt(learner: Learner, known: World, tokens: int) -> PerSRec:
    """A model after all its steps, the rate falling to nothing."""
    torch.manual_seed(0)
    config = PerSRecConfig(learner.backbone, old=OLD, recent=RECENT, tokens=tokens)
    net = PerSRec.build(config.suited(ITEMS), ground(ITEMS)).train()
    net.start()
    optimizer = torch.optim.AdamW(net.parameters(), learner.rate, betas=(0.9, 0.98))
    batches, step = net.batches(known.train, 64), 0
    while step < learner.steps:
        for batch in batches.epoch(step):
            rate = learner.rate * min(1, (step + 1) / 20) * max(0, 1 - step / learner.steps)
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.zero_grad()
            net(batch).backward()
            optimizer.step()
            step += 1
    return net.eval()


@torch.no_grad()
def found(net: PerSRec, asked: Contexts, answers: Int64s) -> float:
    """Share of rows whose best item is the answer."""
    return float((net.score(asked).argmax(1).numpy() + 1 == answers).mean())


@pytest.mark.parametrize(
    "kind", ["sasrec", "esasrec", "hstu", pytest.param("hllm", marks=pytest.mark.slow)]
)
def test_what_is_old_is_remembered_in_tokens_and_forgotten_without(kind: str) -> None:
    if kind == "hllm":
        pytest.importorskip("transformers", reason="transformers is not installed")
    known, learner = world(), LEARNERS[kind]
    net = learnt(learner, known, tokens=2)
    assert found(net, known.asked, known.answers) >= 0.95
    others = grafted(known.asked, known.asked.take(np.roll(np.arange(len(known.asked)), 1)))
    assert found(net, others, known.answers) < CHANCE  # with the old events of somebody else
    without = learnt(learner, known, tokens=0)
    assert found(without, known.asked, known.answers) < CHANCE
    # Not for want of learning: where it may read the answer, it finds it.
    old = last(known.asked, OLD)
    placed = laid_out(old, without.layout, torch.zeros(len(old.items), dtype=torch.int64))
    best = (without.states(placed)[:, -1] @ without.item_vectors().T).argmax(1).numpy() + 1
    assert (best == known.answers).mean() >= 0.95


def grafted(rows: Contexts, others: Contexts) -> Contexts:
    """The newest events of rows after the older ones of others, which are of the same length."""
    items = others.items.copy()
    for back in range(1, RECENT + 1):
        items[others.offsets[1:] - back] = rows.items[rows.offsets[1:] - back]
    return replace(others, items=items)
