"""Heads of human priors on PerSRec: one more backbone, with nothing of its own to know."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tastemaker.data.batches import last
from tastemaker.data.ground import CATEGORY
from tastemaker.recommend.prior_merge import merged
from tastemaker.recommend.priors import Priors
from tastemaker.recommend.priors_shape import PriorsConfig
from tastemaker.train.config import FitConfig
from tastemaker.train.loop import fit
from tests.contracts import some_contexts
from tests.recommend.small_priors import TRAIN, belongs, grown, steps
from tests.recommend.small_priors import ground as grouped
from tests.recommend.test_persrec import built, every_kind, whole


def headed(kind: str) -> Priors:
    """Heads of four groups on a model that reads 5 old events in 2 tokens, and 3 as they are."""
    net = built(kind, old=5, recent=3, tokens=2)
    backbone = replace(net.config.backbone, history=net.config.history)
    config = PriorsConfig(backbone, negatives=5, merge="combine", shares=0.0)
    return Priors(config, net, {CATEGORY: grouped().groupings[CATEGORY]})  # type: ignore[arg-type]


@every_kind
def test_heads_learn_on_tokens(kind: str) -> None:
    net = headed(kind).train()
    before = {name: value.detach().clone() for name, value in net.named_parameters()}
    batches = net.batches(some_contexts(12, seed=5), 4)
    fit(net, batches, FitConfig(epochs=1, lr=0.01, warmup=0, patience=0), lambda: {"ndcg@10": 0.0})
    moved = {name for name, value in net.named_parameters() if not torch.equal(value, before[name])}
    assert "backbone.tokens" in moved
    assert any(name.startswith("backbone.backbone.") for name in moved)
    assert any(name.startswith("heads.") for name in moved)


@every_kind
@torch.no_grad()
def test_heads_answer_from_the_state_that_the_memory_gives(kind: str) -> None:
    net, contexts = headed(kind).eval(), some_contexts()
    fresh = net.backbone.score(contexts)
    torch.testing.assert_close(net.score(contexts), fresh, rtol=1e-5, atol=1e-5)
    grown(net)
    want, real = whole(net.backbone, last(contexts, 8))  # type: ignore[arg-type]
    state = want[torch.arange(len(contexts)), real.sum(1) - 1]
    sets = net.heads.sets(state, torch.from_numpy(contexts.users), "combine")
    scores = merged(sets, net.backbone.item_vectors(), net.config.merge)
    torch.testing.assert_close(net.score(contexts), scores, rtol=1e-5, atol=1e-5)
    best, head = net.spoken(contexts)
    assert torch.equal(best, net.score(contexts))
    assert not torch.allclose(best, fresh, atol=1e-2)
    known = belongs(net.heads.axes.listed[0])[1:]
    said = known.T[head, torch.arange(head.shape[1])]
    assert said.all()  # an item is spoken for by a head that knows it
    assert len(np.unique(head)) > 2


@pytest.mark.parametrize("hidden", [0.0, 0.3])
def test_steps_of_heads_are_those_of_the_backbone(hidden: float) -> None:
    net = headed("sasrec")
    net.backbone.config = replace(net.backbone.config, hidden=hidden)
    made = steps(net)
    plain = list(net.backbone.batches(TRAIN, 4).epoch(0))
    assert len(made) == len(plain)
    for one, other in zip(made, plain, strict=True):
        for name in ("items", "valid", "targets", "columns"):
            assert torch.equal(vars(one)[name], vars(other)[name])
        pieces = [net(part) for rank in range(3) for part in one.parts(rank, 3)]
        torch.testing.assert_close(torch.stack(pieces).sum(), net(one), rtol=1e-5, atol=1e-6)


def test_offsets_across_tokens_are_refused() -> None:
    net = headed("sasrec")
    net.config = replace(net.config, offsets=2)
    (step, *_) = steps(net)
    with pytest.raises(ValueError, match="behind tokens"):
        net(step)
