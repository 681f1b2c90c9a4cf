"""Human priors: heads begin as the backbone, learn from their own groups, and merge exactly."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from torch import Tensor

from tastemaker.data.batches import last
from tastemaker.data.catalog import SCHEMA, Catalog
from tastemaker.data.ground import CATEGORY, Ground
from tastemaker.data.groupings import Grouping
from tastemaker.recommend.backbone_option import MODELS, BackboneConfig
from tastemaker.recommend.esasrec import ESASRecConfig
from tastemaker.recommend.hllm_shape import HLLMConfig
from tastemaker.recommend.hstu import HSTUConfig
from tastemaker.recommend.prior_batches import PriorBatch
from tastemaker.recommend.prior_heads import turned
from tastemaker.recommend.priors import Priors
from tastemaker.recommend.priors_shape import PriorsConfig
from tastemaker.recommend.sasrec import SASRecConfig
from tests.contracts import ITEMS, some_contexts

BACKBONES: list[BackboneConfig] = [
    SASRecConfig(dim=8, inner=8, history=8, dropout=0.0, loss="sampled", negatives=6),
    ESASRecConfig(dim=8, history=8, dropout=0.0, loss="sampled", negatives=6),
    HSTUConfig(dim=8, head_dim=4, history=8, dropout=0.0, loss="sampled", negatives=6, time="none"),
    HLLMConfig(dim=8, history=8, dropout=0.0, loss="sampled", negatives=6, max_tokens=8),
]
NAMES = [type(backbone).__name__ for backbone in BACKBONES]
TRAIN = some_contexts(rows=30, seed=5)


def ground() -> Ground:
    """Items of four groups; every third is of two."""
    known = {
        "item_id": [f"i{n}" for n in range(ITEMS)],
        "title": [f"thing {n} of {n % 4}" for n in range(ITEMS)],
        "categories": [[f"g{n % 4}", *(["g0"] if n % 3 == 0 else [])] for n in range(ITEMS)],
    }
    nulls = [None] * ITEMS
    frame = pl.DataFrame({name: known.get(name, nulls) for name in SCHEMA}, SCHEMA)
    return Ground.of(pl.Series(known["item_id"]), Catalog(frame), TRAIN)


def built(backbone: BackboneConfig = BACKBONES[0], seed: int = 0, **set_to: object) -> Priors:
    torch.manual_seed(seed)
    shape = PriorsConfig(backbone=backbone, negatives=5, **set_to)  # type: ignore[arg-type]
    return Priors.build(shape, ground())


def grouping(net: Priors) -> Grouping:
    return net.heads.axes.listed[0].grouping


def membership(net: Priors) -> Tensor:
    """(I+1, C) bool."""
    dense = torch.from_numpy(grouping(net).membership.toarray() > 0)
    return torch.nn.functional.pad(dense, (0, 0, 1, 0))


def grown(net: Priors, seed: int = 1) -> Priors:
    """The same with heads that differ."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in net.heads.parameters():
            parameter.normal_(std=0.5)
    return net


def steps(net: Priors) -> list[PriorBatch]:
    return list(net.batches(TRAIN, 4).epoch(0))


@pytest.mark.parametrize("backbone", BACKBONES, ids=NAMES)
@pytest.mark.parametrize("composition", ["hierarchical", "multiplicative", "additive"])
@torch.no_grad()
def test_fresh_heads_rank_as_the_backbone_does(backbone: BackboneConfig, composition: str) -> None:
    net = built(backbone, composition=composition, offsets=2, segments=2).eval()
    contexts = some_contexts()
    want, got = net.backbone.score(contexts), net.score(contexts)
    torch.testing.assert_close(got, want, rtol=1e-6, atol=1e-6)
    ranked = want.gather(1, got.argsort(1, descending=True))
    assert (ranked.diff(dim=1) <= 1e-6).all()  # but for what rounding cannot tell apart


@torch.no_grad()
def test_the_merge_is_the_best_head_that_knows_the_item() -> None:
    net, contexts = grown(built(offsets=4, segments=2)).eval(), some_contexts()
    state = net.backbone.encode(last(contexts, 8))
    heads = turned(net.heads.blocks.every(state), state[:, None])
    items, known = net.backbone.item_vectors(), membership(net)[1:]
    groups = grouping(net).num_groups
    want = torch.full((len(contexts), ITEMS), -torch.inf)
    for row in range(len(contexts)):
        for item in range(ITEMS):
            for head in range(groups * 2):
                if known[item, head // 2]:
                    value = heads[row, head] @ items[item]
                    want[row, item] = max(want[row, item], value)
    torch.testing.assert_close(net.score(contexts), want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("backbone", BACKBONES, ids=NAMES)
def test_every_part_learns(backbone: BackboneConfig) -> None:
    net = built(backbone, offsets=2, segments=2).train()
    for step in steps(net)[:3]:
        net(step).backward()
    for name, parameter in net.heads.named_parameters():
        assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().sum() > 0, name
    assert sum(float(p.grad.abs().sum()) for p in net.backbone.parameters() if p.grad is not None)


def test_targets_of_other_groups_leave_a_head_alone() -> None:
    net = built().train()
    (step, *_) = steps(net)
    only = grouping(net).code("g1")

    def gradient(batch: PriorBatch) -> Tensor:
        net.zero_grad()
        net(batch).backward()
        weight = net.heads.blocks.blocks[0].weight.grad
        assert weight is not None
        return weight[only].clone()

    assert step.targets is not None
    other = (step.targets > 0) & ~membership(net)[step.targets][..., only]
    elsewhere = int(membership(net)[:, grouping(net).code("g2")].nonzero()[0])
    changed = replace(step, targets=torch.where(other, elsewhere, step.targets))
    torch.testing.assert_close(gradient(changed), gradient(step), rtol=1e-5, atol=1e-8)


def test_pieces_of_a_step_add_up_to_it() -> None:
    net = grown(built(offsets=2, segments=2)).eval()
    for step in steps(net)[:2]:
        whole = net(step)
        parts = [net(part) for rank in range(3) for part in step.parts(rank, 3)]
        torch.testing.assert_close(torch.stack(parts).sum(), whole, rtol=1e-5, atol=1e-6)


@torch.no_grad()
def test_targets_change_no_state_and_no_head() -> None:
    net = grown(built()).eval()
    (step, *_) = steps(net)
    assert step.targets is not None
    states = net.backbone.states(step)
    changed = replace(step, targets=step.targets.roll(1, 0))
    assert torch.equal(net.backbone.states(changed), states)


def test_batches_depend_on_seed_epoch_and_step_alone() -> None:
    net = built(in_group=0.6)
    whole = list(net.batches(TRAIN, 4, seed=3).epoch(2))
    late = list(net.batches(TRAIN, 4, seed=3).epoch(2, skip=2))
    assert len(late) == len(whole) - 2
    for one, other in zip(whole[2:], late, strict=True):
        assert one.rivals is not None and other.rivals is not None
        assert torch.equal(one.rivals, other.rivals) and torch.equal(one.items, other.items)
    assert whole[0].rivals is not None
    own = membership(net)[whole[0].rivals[:, :3]]  # three of five are of the group itself
    for group in range(grouping(net).num_groups):
        assert own[group, :, group].all()


@torch.no_grad()
def test_a_user_alone_scores_as_in_company_of_64() -> None:
    net, contexts = grown(built()).eval(), some_contexts(64)
    together = net.score(contexts)
    for row in range(0, 64, 9):
        alone = net.score(contexts.slice(row, row + 1))
        torch.testing.assert_close(alone[0], together[row], rtol=1e-6, atol=1e-6)


def test_every_backbone_has_its_model() -> None:
    assert list(MODELS) == NAMES


def test_one_group_and_no_head_is_the_sampled_softmax_of_the_backbone() -> None:
    """C = 1, S = 1, P = 1 with heads at zero: the plain loss, its gradients too."""
    whole = Grouping.from_labels(["all"] * ITEMS, "items")
    base = replace(BACKBONES[0], negatives=5)
    net = built(base)
    net = Priors(net.config, net.backbone, {CATEGORY: whole}).train()
    step = next(iter(net.batches(TRAIN, 4).epoch(0)))
    net(step).backward()
    got = {name: p.grad.clone() for name, p in net.backbone.named_parameters()}
    net.zero_grad()
    assert step.rivals is not None
    plain = replace(step, negatives=step.rivals[0])
    # One target of ours may be drawn as its own negative; both leave it out.
    net.backbone(plain).backward()
    for name, parameter in net.backbone.named_parameters():
        torch.testing.assert_close(got[name], parameter.grad, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(
        float(net(step).detach()), float(net.backbone(plain).detach()), rtol=1e-5
    )


@torch.no_grad()
def test_a_head_without_training_targets_does_not_speak() -> None:
    kinds = np.random.default_rng(0).integers(0, 2, len(TRAIN.items)).astype(np.uint8)
    train = replace(TRAIN, events=kinds)  # of three kinds, the last has no event
    groups = {
        CATEGORY: ground().groupings[CATEGORY],
        "event": Grouping.from_event_names(["view", "like", "share"]),
    }
    whole = built()
    net = grown(Priors(whole.config, whole.backbone, groups)).eval()
    share = net.heads_of("event", 2)
    assert net.heads.speaking.all()
    net.batches(train, 4)
    assert torch.equal(net.heads.speaking, ~share)
    _, speakers = net.spoken(some_contexts())
    assert (speakers >= 0).all() and not share[speakers].any()
    alone = {CATEGORY: groups[CATEGORY]}
    few = replace(train, items=np.full_like(train.items, 2), events=None)
    one = grown(Priors(whole.config, whole.backbone, alone)).eval()
    one.batches(few, 4)
    assert torch.isfinite(one.score(some_contexts())).all()  # what nobody chose has its heads too
