"""Human priors: heads begin as the backbone, learn from their own groups, and merge exactly."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from tastemaker.data.batches import last
from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import Ground
from tastemaker.data.queries import Queries
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.metrics.evaluate import EvalOptions, evaluate
from tastemaker.metrics.ranking import top_k
from tastemaker.recommend.prior_batches import PriorBatch
from tastemaker.recommend.prior_losses import horizon_weights, segments_of
from tastemaker.recommend.priors import Priors
from tastemaker.recommend.priors_shape import BackboneConfig, PriorsConfig
from tastemaker.recommend.sasrec import SASRecConfig
from tastemaker.seams import Headed, Steering
from tests.contracts import ITEMS, RecommenderContract, TrainableContract, some_contexts
from tests.recommend.small_priors import (
    AXES,
    AXES_NAMES,
    BACKBONE_NAMES,
    BACKBONES,
    COMPOSITIONS,
    GROUPINGS,
    USERS,
    axes_of,
    belongs,
    blocks_of,
    built,
    cell_weights_of,
    gates_of,
    ground,
    grouping,
    grown,
    moved,
    steps,
)

each_backbone = pytest.mark.parametrize("backbone", BACKBONES, ids=BACKBONE_NAMES)
each_composition = pytest.mark.parametrize("composition", COMPOSITIONS)
each_axes = pytest.mark.parametrize("priors", AXES, ids=AXES_NAMES)
each_merge = pytest.mark.parametrize("merge", ["combine", "average", "calibrated"])
SMALL = SASRecConfig(dim=16, layers=1, heads=2, inner=16, dropout=0.0, history=8)


class TestPriors(RecommenderContract, TrainableContract):
    """The contract of every recommender, and of a trained model what is not the backbone's own."""

    def build(self, num_items: int, seed: int = 0) -> Priors:
        torch.manual_seed(seed)
        return Priors.build(PriorsConfig(SMALL, negatives=20), ground(num_items)).eval()

    def ground(self, num_items: int) -> Ground:
        return Ground(num_items)

    def test_the_loss_left_to_itself_is_sampled_above_20_000_items(self) -> None:
        config = PriorsConfig(replace(SMALL, loss="auto"))
        assert config.suited(20_001).backbone == config.backbone.suited(20_001)

    def test_a_share_without_rows_is_worth_nothing(self) -> None:
        model = self.build(ITEMS).train()
        step = steps(model)[0]
        shares = [step.parts(rank, len(step.items) + 1)[0] for rank in range(len(step.items) + 1)]
        loss = model(shares[-1])
        loss.backward()
        assert float(loss.detach()) == 0
        gradients = [p.grad for p in model.parameters() if p.grad is not None]
        assert gradients and not any(gradient.any() for gradient in gradients)

    # What is asked of states and competitors is the backbone's, whose own tests ask it.
    test_no_future_leak = None  # type: ignore[assignment]
    test_contents_and_amount_of_padding_do_not_matter = None  # type: ignore[assignment]
    test_what_is_encoded_is_the_newest_state = None  # type: ignore[assignment]
    test_a_head_can_build_its_loss_on_what_competes = None  # type: ignore[assignment]


def same_order(got: Tensor, want: Tensor) -> None:
    """Wherever scores differ by more than rounding, both put one of two items above the other."""
    rounding = 1e-6 * float(want.abs().max())
    above = want[:, :, None] - want[:, None] > rounding
    assert above.float().mean() > 0.99 * (ITEMS - 1) / (2 * ITEMS)  # nearly all pairs differ
    assert (got[:, :, None] > got[:, None])[above].all()


@each_backbone
@each_composition
@torch.no_grad()
def test_1_fresh_heads_rank_exactly_as_the_backbone_does(
    backbone: BackboneConfig, composition: str
) -> None:
    net = built(backbone=backbone, composition=composition, offsets=2, segments=2).eval()
    contexts = some_contexts()
    state = net.backbone.encode(last(contexts, 8))
    heads = blocks_of(net).every(state)
    assert torch.equal(heads, state[:, None].expand_as(heads))
    want, got = net.backbone.score(contexts), net.score(contexts)
    torch.testing.assert_close(got, want, rtol=1e-6, atol=1e-6)
    same_order(got, want)


@each_axes
@each_composition
@pytest.mark.parametrize("merge", ["combine", "average"])
@torch.no_grad()
def test_1_on_every_axis_too(priors: Sequence[str], composition: str, merge: str) -> None:
    net = built(priors, composition=composition, offsets=2, segments=2, merge=merge).eval()
    contexts = some_contexts(40)  # users that the groups know, and some that they do not
    same_order(net.score(contexts), net.backbone.score(contexts))


@each_backbone
def test_2_one_group_and_no_head_is_the_plain_loss_of_the_backbone(
    backbone: BackboneConfig,
) -> None:
    whole = {"category": grouping([[1]] * ITEMS)}
    net = built(backbone=backbone, groupings=whole).train()
    step = steps(net)[0]
    loss = net(step)
    loss.backward()
    got = {name: p.grad for name, p in net.backbone.named_parameters()}
    net.zero_grad()
    assert step.rivals is not None
    plain = net.backbone(replace(step, negatives=step.rivals[0]))
    plain.backward()
    torch.testing.assert_close(loss, plain, rtol=1e-5, atol=1e-6)
    for name, parameter in net.backbone.named_parameters():
        torch.testing.assert_close(got[name], parameter.grad, rtol=1e-4, atol=1e-6)


@each_backbone
def test_the_loss_is_the_same_whatever_the_backbone_alone_would_learn_by(
    backbone: BackboneConfig,
) -> None:
    losses = []
    for kind in ("sampled", "softmax", "gbce"):
        net = built(("category", "event"), replace(backbone, loss=kind), offsets=2).train()  # type: ignore[arg-type]
        losses.append(float(net(steps(net)[0]).detach()))
    assert losses[1:] == pytest.approx(losses[:1] * 2, rel=1e-5)


def test_3_with_one_group_additive_heads_learn_the_same_twice() -> None:
    net = built(groupings={"category": grouping([[1]] * ITEMS)}, composition="additive").train()
    step = steps(net)[0]
    assert step.rivals is not None and len(step.rivals) == 2
    same = replace(step, rivals=step.rivals[:1].expand(2, -1))
    loss = net(same)
    loss.backward()
    plain = net.backbone(replace(step, negatives=step.rivals[0]))
    torch.testing.assert_close(loss, plain, rtol=1e-5, atol=1e-6)
    prior, segment = (blocks.weight.grad for blocks in blocks_of(net).blocks)
    assert prior is not None and segment is not None and prior.abs().sum() > 0
    torch.testing.assert_close(prior, segment)


def test_3_with_one_group_heads_are_those_of_horizons_alone() -> None:
    options = {"composition": "multiplicative", "offsets": 4, "segments": 2}
    whole = built(groupings={"category": grouping([[1]] * ITEMS)}, **options).train()
    none = built((), **options).train()
    for net in (whole, none):
        moved(blocks_of(net))
    assert none.head_names == ("short-term", "long-term")
    for one, other in zip(steps(whole), steps(none), strict=True):
        assert one.rivals is not None and other.rivals is not None
        torch.testing.assert_close(
            whole(replace(one, rivals=other.rivals.expand(2, -1))), none(other)
        )
    assert torch.equal(whole.eval().score(some_contexts()), none.eval().score(some_contexts()))


def gradient_of(net: Priors, batch: PriorBatch, axis: int, group: int) -> tuple[Tensor, Tensor]:
    """Loss, and the gradient of the outermost blocks of the heads of a group."""
    net.zero_grad()
    loss = net(batch)
    loss.backward()
    blocks, additive = blocks_of(net).blocks, net.config.composition == "additive"
    weight = blocks[axis if additive else -1].weight.grad
    assert weight is not None
    heads = net.heads_of(axes_of(net).listed[axis].name, group)
    own = heads.split(list(axes_of(net).sizes))[axis] if additive else heads
    return loss.detach(), weight[own].clone()


def elsewhere(net: Priors, step: PriorBatch, axis: int, group: int) -> PriorBatch:
    """The step with other targets wherever they are not of a group, and still not of it."""
    assert step.targets is not None and step.target_events is not None and step.users is not None
    prior, targets, kinds = axes_of(net).listed[axis], step.targets, step.target_events
    if prior.of == "items":
        others = (~belongs(prior)[1:, group]).nonzero()[:, 0] + 1
        outside = (targets > 0) & ~belongs(prior)[targets, group]
        return replace(step, targets=torch.where(outside, others[targets % len(others)], targets))
    if prior.of == "events":
        third = 3 - group - kinds  # of three kinds, the one that is neither
        return replace(step, target_events=torch.where(kinds != group, third, kinds))
    outside = ~belongs(prior)[step.users + 1, group]
    other = torch.where(targets > 0, targets % ITEMS + 1, 0)
    return replace(step, targets=torch.where(outside[:, None], other, targets))


@pytest.mark.parametrize("priors", AXES[1:], ids=AXES_NAMES[1:])
@each_composition
def test_4_targets_of_other_groups_leave_a_head_alone(
    priors: Sequence[str], composition: str
) -> None:
    net = built(priors, composition=composition, offsets=2, segments=2).train()
    moved(blocks_of(net))  # gates stay as they began: what comes next costs the same whatever it is
    step, group = steps(net)[0], 1
    for axis, prior in enumerate(axes_of(net).listed):
        changed = elsewhere(net, step, axis, group)
        assert step.targets is not None and changed.targets is not None
        assert step.target_events is not None and changed.target_events is not None
        assert not torch.equal(step.targets, changed.targets) or not torch.equal(
            step.target_events, changed.target_events
        )
        _, want = gradient_of(net, step, axis, group)
        _, got = gradient_of(net, changed, axis, group)
        assert want.abs().sum() > 0, prior.name
        torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-7)
        _, other = gradient_of(net, step, axis, 0)
        _, moved_on = gradient_of(net, changed, axis, 0)
        assert not torch.allclose(other, moved_on, rtol=1e-3, atol=1e-7), prior.name


def test_4_nor_do_they_change_its_loss() -> None:
    net = built().train()
    moved(blocks_of(net))
    step, (axis,) = steps(net)[0], axes_of(net).listed
    group = axis.grouping.code("g1")
    weights = cell_weights_of(net)
    weights.copy_(torch.eye(axis.size)[group])  # the other heads' loss counts nothing
    loss, _ = gradient_of(net, step, 0, group)
    same, _ = gradient_of(net, elsewhere(net, step, 0, group), 0, group)
    torch.testing.assert_close(same, loss)
    weights.copy_(torch.eye(axis.size)[axis.grouping.code("g2")])
    loss, _ = gradient_of(net, step, 0, group)
    other, _ = gradient_of(net, elsewhere(net, step, 0, group), 0, group)
    assert abs(float(loss - other)) > 1e-4


@each_merge
@each_composition
@pytest.mark.parametrize("priors", [("category",), ("category", "event"), ("category", "user")])
@torch.no_grad()
def test_4_no_head_speaks_for_an_item_outside_its_group(
    priors: Sequence[str], composition: str, merge: str
) -> None:
    net = grown(built(priors, composition=composition, offsets=2, segments=2, merge=merge)).eval()
    prior = axes_of(net).items
    assert prior is not None
    scores, speaker = net.spoken(some_contexts())
    assert torch.equal(scores, net.score(some_contexts()))
    assert torch.isfinite(scores).all() and (speaker >= 0).all()
    for group in range(prior.size):
        heads = net.heads_of(prior.name, group)
        _, items = heads[speaker].nonzero(as_tuple=True)
        assert belongs(prior)[items + 1, group].all()
        if net.config.composition != "additive":
            alone, _ = net.spoken(some_contexts(), Steering(heads))
            assert torch.equal(alone > -torch.inf, belongs(prior)[1:, group].expand(12, -1))


@each_composition
@pytest.mark.parametrize("merge", ["combine", "average"])
@pytest.mark.parametrize("priors", AXES, ids=AXES_NAMES)
@torch.no_grad()
def test_5_the_merge_is_that_of_loops_over_heads_users_and_items(
    priors: Sequence[str], composition: str, merge: str
) -> None:
    net = grown(built(priors, composition=composition, offsets=4, segments=2, merge=merge)).eval()
    contexts, listed = some_contexts(4).take(np.array([0, 1, 3])), axes_of(net).listed
    state = net.backbone.encode(last(contexts, 8))
    every, items = blocks_of(net).every(state), net.backbone.item_vectors()
    every = every / every.norm(dim=2, keepdim=True) * state.norm(dim=1)[:, None, None]
    scores = every @ items.T
    if composition == "additive":
        sizes = axes_of(net).sizes
        codes = [
            [code if number == axis else None for number in range(len(sizes))]
            for axis, size in enumerate(sizes)
            for code in range(size)
        ]
    else:
        codes = [list(each) for each in itertools.product(*map(range, axes_of(net).sizes))]
    want = torch.full((3, ITEMS), -torch.inf)
    for row, item in itertools.product(range(3), range(ITEMS)):
        told = []
        for head, code in enumerate(codes):
            member = {"items": item + 1, "users": int(contexts.users[row]) + 1}
            knows = [
                belongs(axis)[member[axis.of], group]
                for axis, group in zip(listed, code[:-1], strict=True)
                if group is not None and axis.of in member
            ]
            if all(knows):
                told.append(float(scores[row, head, item]))
        want[row, item] = max(told) if merge == "combine" else sum(told) / len(told)
    torch.testing.assert_close(net.score(contexts), want, rtol=1e-4, atol=1e-6)


@each_axes
@each_composition
@torch.no_grad()
def test_5_calibrated_chances_of_all_items_sum_to_1(
    priors: Sequence[str], composition: str
) -> None:
    options = {"composition": composition, "offsets": 4, "segments": 2, "merge": "calibrated"}
    net = grown(built(priors, **options)).eval()
    contexts = some_contexts(USERS + 4)  # the last four are of no group
    torch.testing.assert_close(net.score(contexts).exp().sum(1), torch.ones(USERS + 4))


@torch.no_grad()
def test_5_a_list_has_k_distinct_items_and_equal_scores_go_to_the_lower() -> None:
    net = grown(built(offsets=2, segments=2)).eval()
    lists = top_k(net.score(some_contexts()), 10)
    assert all(len(set(row.tolist()) - {0}) == 10 for row in lists)
    net.backbone.items.weight.data[1:] = net.backbone.items.weight.data[1]  # all items alike
    moved(blocks_of(net))
    with torch.no_grad():
        for blocks in blocks_of(net).blocks:
            blocks.weight.zero_()
            blocks.bias.zero_()
        blocks_of(net).shifts[0].zero_()
    assert top_k(net.score(some_contexts()), 10).tolist() == [list(range(1, 11))] * 12


def test_6_an_item_of_two_groups_teaches_both_and_stands_in_a_list_once() -> None:
    net = built().train()
    (axis,) = axes_of(net).listed
    both = int((belongs(axis).sum(1) == 2).nonzero()[0])
    step = steps(net)[0]
    assert step.targets is not None
    targets = torch.where(step.targets > 0, both, 0)
    counts = torch.zeros(axis.size, 1, dtype=torch.int64)
    counts[belongs(axis)[both]] = int((targets > 0).sum())
    net(replace(step, targets=targets, member_counts=counts)).backward()
    gradient = blocks_of(net).blocks[0].weight.grad
    assert gradient is not None
    assert torch.equal(gradient.flatten(1).abs().sum(1) > 0, belongs(axis)[both])
    with torch.no_grad():
        everything = top_k(grown(net).eval().score(some_contexts()), ITEMS)
    assert (everything.sort(1).values == torch.arange(1, ITEMS + 1)).all()


@each_composition
@pytest.mark.parametrize("switch", [0.0, 1.0])
def test_7_a_group_that_no_target_is_of_has_no_gradient_and_makes_no_nan(
    composition: str, switch: float
) -> None:
    net = grown(built(composition=composition, offsets=2, segments=2, switch=switch)).train()
    (axis,) = axes_of(net).listed
    only = axis.grouping.code("g1")
    alone = int((belongs(axis)[:, only] & (belongs(axis).sum(1) == 1)).nonzero()[0])
    step = steps(net)[0]
    assert step.targets is not None
    loss = net(replace(step, targets=torch.where(step.targets > 0, alone, 0)))
    loss.backward()
    assert torch.isfinite(loss)
    for name, parameter in net.named_parameters():
        assert parameter.grad is None or torch.isfinite(parameter.grad).all(), name
    gradient = blocks_of(net).blocks[0].weight.grad
    assert gradient is not None
    sums = gradient.view(axis.size, -1).abs().sum(1)
    assert (sums > 0).nonzero().flatten().tolist() == [only]


def test_7_a_step_of_one_target_and_of_none() -> None:
    net = grown(built(("category", "event", "user"), offsets=2, segments=2, switch=1.0)).train()
    step = steps(net)[0]
    assert step.targets is not None
    first = torch.zeros_like(step.targets)
    loss = net(replace(step, targets=first))
    assert float(loss.detach()) == 0
    first[0, 0] = step.targets[0, 0]
    assert torch.isfinite(net(replace(step, targets=first)))


@pytest.mark.parametrize("weighting", ["frequency", "uniform"])
@each_composition
def test_8_weights_of_groups_and_of_offsets_sum_to_1(weighting: str, composition: str) -> None:
    net = built(("category", "event"), composition=composition, offsets=4, weighting=weighting)
    steps(net)
    weights = cell_weights_of(net)
    sizes = [axes_of(net).sizes[0], 3, 1] if composition == "additive" else [len(weights)]
    for part in weights.split(sizes):
        assert float(part.sum()) == pytest.approx(1)
        assert weighting == "frequency" or torch.equal(part, torch.full_like(part, 1 / len(part)))
    assert float(horizon_weights(4).sum()) == pytest.approx(1)
    assert segments_of(8, 2).tolist() == [0, 0, 0, 0, 1, 1, 1, 1]


@torch.no_grad()
def test_9_targets_change_no_state_and_no_head() -> None:
    net = grown(built(("category", "event"), offsets=2, segments=2)).eval()
    step = steps(net)[0]
    assert step.targets is not None and step.target_events is not None
    states = net.backbone.states(step)
    changed = replace(
        step, targets=step.targets.roll(1, 0), target_events=step.target_events.roll(1, 0)
    )
    assert torch.equal(net.backbone.states(changed), states)
    heads = blocks_of(net).every(states.flatten(0, 1))
    assert torch.equal(blocks_of(net).every(net.backbone.states(changed).flatten(0, 1)), heads)


def test_9_offsets_past_the_end_carry_no_loss() -> None:
    """Of a row of three targets, the last position has one left of four: it learns from that."""
    net = built((), offsets=4, segments=4, composition="multiplicative").train()
    train = Contexts(np.arange(1), np.array([0, 4]), np.array([1, 2, 3, 4], np.int32))
    (step,) = net.batches(train, 4).epoch(0)
    assert step.member_counts is not None
    assert step.member_counts.tolist() == [[3, 2, 1, 0]]
    net(step).backward()
    gradient = blocks_of(net).blocks[0].weight.grad
    assert gradient is not None
    assert (gradient.flatten(1).abs().sum(1) > 0).tolist() == [True, True, True, False]


@each_axes
@each_composition
@torch.no_grad()
def test_the_loss_is_the_equation_of_the_paper(priors: Sequence[str], composition: str) -> None:
    net = built(priors, composition=composition, offsets=2, segments=2).eval()
    moved(blocks_of(net))  # and gates as they begin: log C for each target of theirs
    step, listed = steps(net, 2)[0], axes_of(net).listed
    assert step.targets is not None and step.users is not None and step.rivals is not None
    assert step.target_events is not None
    table, states = net.backbone.table(), net.backbone.states(step)
    horizon, additive = horizon_weights(2), composition == "additive"
    lessons: list[tuple[list[int], bool]] = [(list(range(len(listed))), True)]
    if additive:
        lessons = [*(([axis], False) for axis in range(len(listed))), ([], True)]
    want, passed = 0.0, 0
    for axes, segmented in lessons:
        losses: dict[tuple[int, ...], list[float]] = {}
        rows, width = step.targets.shape
        for row, at, p in itertools.product(range(rows), range(width), range(2)):
            target = int(step.targets[row, at + p]) if at + p < width else 0
            if not target:
                continue
            judged = {
                "items": target,
                "events": int(step.target_events[row, at + p]) + 1,
                "users": int(step.users[row]) + 1,
            }
            groups = [
                belongs(listed[axis])[judged[listed[axis].of]].nonzero().flatten().tolist()
                for axis in axes
            ]
            for codes in itertools.product(*groups):
                heads = torch.tensor([[*codes, *([p] if segmented else [])]])
                state = states[row, at][None]
                axis = (axes[0] if axes else len(listed)) if additive else 0
                out = blocks_of(net)(state, heads, axis)[0]
                out = out * state.norm() / out.norm()
                own = codes[0] if axes and listed[axes[0]].of == "items" else -1
                rivals = step.rivals[own]
                scores = (table[rivals[rivals != target]] @ out).tolist()
                positive = float(table[target] @ out)
                whole = math.log(sum(map(math.exp, [positive, *scores])))
                losses.setdefault((*codes, p), []).append(whole - positive)
        sizes = [listed[axis].size for axis in axes]
        for (*codes, p), values in losses.items():
            cell = int(np.ravel_multi_index(codes, sizes)) if codes else 0
            weight = float(cell_weights_of(net)[passed + cell] * horizon[p])
            want += weight * sum(values) / len(values) / len(lessons)
        passed += math.prod(sizes)
    want += sum(math.log(axis.size) for axis in listed)
    assert float(net(step)) == pytest.approx(want, rel=1e-4)


@each_backbone
def test_10_every_part_learns(backbone: BackboneConfig) -> None:
    net = built(backbone=backbone, offsets=2, segments=2).train()
    for step in steps(net)[:3]:
        net(step).backward()
    for part in (blocks_of(net), gates_of(net)):
        for name, parameter in part.named_parameters():
            assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), name
            assert parameter.grad.abs().sum() > 0, name
    assert sum(float(p.grad.abs().sum()) for p in net.backbone.parameters() if p.grad is not None)


@each_axes
@each_composition
def test_10_each_head_with_a_member_learns_and_no_other(
    priors: Sequence[str], composition: str
) -> None:
    net = built(priors, composition=composition, offsets=2, segments=2, switch=1.0).train()
    step = steps(net)[0]
    net(step).backward()
    assert step.member_counts is not None
    last_blocks = blocks_of(net).blocks
    if composition == "additive":
        got = torch.cat([b.weight.grad.flatten(1).abs().sum(1) for b in last_blocks]) > 0
        counts = step.member_counts
        held = torch.cat([counts[:-1].sum(1), counts[-1]]) > 0
    else:
        got = last_blocks[-1].weight.grad.flatten(1).abs().sum(1) > 0
        held = step.member_counts.flatten() > 0  # one offset in each segment
    assert torch.equal(got, held)
    for parameter in [*blocks_of(net).shifts, *gates_of(net).parameters()]:
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0


def test_11_scoring_does_not_see_the_group_of_a_target() -> None:
    assert not PriorsConfig().prior_given_at_test
    net, contexts = grown(built(("category", "event"))).eval(), some_contexts()
    groups = np.zeros(12, np.int64)
    with pytest.raises(BadInput) as caught:
        net.score_given(contexts, "category", groups)
    assert "prior_given_at_test" in str(caught.value)
    found = []
    for shift in (0, 7):  # other targets: ranks differ, and nothing of the lists
        targets = ((np.arange(12) + shift) % ITEMS + 1).astype(np.int32)
        queries = Queries(contexts, targets, np.arange(13))
        found.append(evaluate(net, queries, EvalOptions((5,), filter_seen=False)))
    assert np.array_equal(found[0].lists, found[1].lists)
    scores = net.score(contexts)
    assert np.array_equal(found[0].lists, top_k(scores, 5).numpy())


@torch.no_grad()
def test_11_where_it_is_allowed_heads_of_the_given_group_alone_speak() -> None:
    net = grown(built(("category", "event"), prior_given_at_test=True)).eval()
    contexts = some_contexts()
    (categories, kinds) = axes_of(net).listed
    groups = np.arange(12, dtype=np.int64)
    own = net.score_given(contexts, "category", groups % categories.size)
    for row, group in enumerate(groups % categories.size):
        assert torch.equal(own[row] > -torch.inf, belongs(categories)[1:, group])
    bought = net.score_given(contexts, "event", np.full(12, 2))
    alone, speaker = net.spoken(contexts, Steering(net.heads_of("event", 2)))
    torch.testing.assert_close(bought, alone)
    assert net.heads_of("event", 2)[speaker].all()
    assert not torch.equal(bought, net.score_given(contexts, "event", np.zeros(12, np.int64)))


@each_axes
@each_merge
@torch.no_grad()
def test_12_a_user_alone_scores_as_in_company_of_64(priors: Sequence[str], merge: str) -> None:
    net = grown(built(priors, offsets=2, segments=2, merge=merge, switch=1.0)).eval()
    contexts = some_contexts(64)
    together, speaker = net.spoken(contexts)
    for row in range(0, 64, 21):
        alone, speaks = net.spoken(contexts.slice(row, row + 1))
        torch.testing.assert_close(alone[0], together[row], rtol=1e-5, atol=1e-6)
        assert torch.equal(speaks[0], speaker[row])


@each_composition
def test_12_the_same_seed_gives_the_same_losses_and_gradients(composition: str) -> None:
    found = []
    for _ in range(2):
        net = built(("category", "user"), composition=composition, offsets=2, segments=2).train()
        for step in steps(net)[:3]:
            net(step).backward()
        found.append([p.grad for p in net.parameters() if p.grad is not None])
    for one, other in zip(*found, strict=True):
        assert torch.equal(one, other)


@each_axes
@each_composition
def test_pieces_of_a_step_add_up_to_it(priors: Sequence[str], composition: str) -> None:
    net = grown(built(priors, composition=composition, offsets=2, segments=2, switch=0.5)).eval()
    for step in steps(net, 6)[:1]:
        net.zero_grad()
        whole = net(step)
        whole.backward()
        want = [None if p.grad is None else p.grad.clone() for p in net.parameters()]
        net.zero_grad()
        parts = [net(part) for rank in range(3) for part in step.parts(rank, 3)]
        torch.stack(parts).sum().backward()
        torch.testing.assert_close(torch.stack(parts).sum(), whole, rtol=1e-5, atol=1e-6)
        for gradient, parameter in zip(want, net.parameters(), strict=True):
            torch.testing.assert_close(parameter.grad, gradient, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("priors", [("category", "event"), ("user",)])
@each_composition
def test_bf16_autocast_trains_and_scores_in_float32(
    priors: Sequence[str], composition: str
) -> None:
    net = grown(built(priors, composition=composition, offsets=2, segments=2, switch=1.0)).train()
    step = steps(net)[0]
    with torch.autocast("cpu", torch.bfloat16):
        loss = net(step)
    loss.backward()
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(net(step).item(), rel=0.02)
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        assert net.eval().score(some_contexts()).dtype == torch.float32


def test_states_are_taught_what_comes_next_by_its_weight() -> None:
    found = []
    for weight in (0.0, 1.0, 3.0):
        net = grown(built(shares=weight)).train()
        step = steps(net)[0]
        net(step).backward()
        taught = next(net.backbone.parameters()).grad
        assert taught is not None
        found.append((net(step).item(), taught.clone()))
    (left, alone), (one, first), (three, third) = found
    assert left == pytest.approx(one, rel=1e-6)  # at 0 it counts as much, and teaches no state
    assert three - one > 0
    torch.testing.assert_close(third - alone, 3 * (first - alone), rtol=1e-3, atol=1e-6)
    assert (first - alone).abs().max() > 0


def test_what_comes_next_is_learnt_without_the_backbone() -> None:
    found = []
    for spread in (0.0, 1.0):
        net = built(("category", "event")).train()
        with torch.no_grad():
            for parameter in gates_of(net).parameters():
                parameter.normal_(std=1.0).mul_(spread)
        net(steps(net)[0]).backward()
        found.append([p.grad for p in net.backbone.parameters()])
        assert all(p.grad is not None and p.grad.any() for p in gates_of(net).parameters())
    for one, other in zip(*found, strict=True):
        assert torch.equal(one, other)


def test_the_switch_counts_as_much_as_it_is_set_to() -> None:
    losses = []
    for switch in (0.0, 1.0, 3.0):
        net = built(("category", "event"), switch=switch).train()
        losses.append(float(net(steps(net)[0]).detach()))
    assert losses[1] > losses[0]
    assert losses[2] - losses[0] == pytest.approx(3 * (losses[1] - losses[0]), rel=1e-4)


def switched(net: Priors, axis: int, on: Sequence[bool]) -> None:
    """Groups of a prior that come, and others that do not, whatever the state."""
    with torch.no_grad():
        gates_of(net).weights[axis][1].zero_()
        gates_of(net).biases[axis][1] = torch.tensor(on).float() * 2 - 1


@torch.no_grad()
def test_heads_below_one_half_are_off_and_all_are_on_when_all_are_off() -> None:
    net = grown(built(("category", "event"), switch=1.0)).eval()
    contexts, (categories, _) = some_contexts(), axes_of(net).listed
    switched(net, 0, [True] * categories.size)
    switched(net, 1, [False, True, False])
    _, speaker = net.spoken(contexts)
    assert net.heads_of("event", 1)[speaker].all()
    gates_of(net).biases[1][1] = torch.tensor([0.0, -1.0, 1.0])
    _, speaker = net.spoken(contexts)  # one half is on
    assert not net.heads_of("event", 1)[speaker].any()
    assert net.heads_of("event", 0)[speaker].any() and net.heads_of("event", 2)[speaker].any()
    switched(net, 1, [False] * 3)
    none = net.score(contexts)
    switched(net, 1, [True] * 3)
    assert torch.equal(none, net.score(contexts))
    group = categories.grouping.code("g2")
    switched(net, 0, [number == group for number in range(categories.size)])
    scores = net.score(contexts)
    assert torch.equal(scores > -torch.inf, belongs(categories)[1:, group].expand(12, -1))


@torch.no_grad()
def test_fresh_switches_are_on() -> None:
    on, off = built(switch=1.0).eval(), built().eval()
    assert torch.equal(on.score(some_contexts()), off.score(some_contexts()))


@torch.no_grad()
def test_a_user_is_answered_by_heads_of_the_own_cluster_and_somebody_new_by_all() -> None:
    net = grown(built(("user",))).eval()
    contexts = replace(some_contexts(6), users=np.array([0, 1, 2, 3, -1, 99]))
    _, speaker = net.spoken(contexts)
    for row, club in enumerate((0, 1, 2, 0)):
        assert net.heads_of("user", club)[speaker[row]].all()
    assert speaker[4:].unique().tolist() == [0, 1, 2]


@each_merge
@torch.no_grad()
def test_steering_chooses_the_heads_that_speak(merge: str) -> None:
    net = grown(built(("category", "event"), offsets=2, segments=2, merge=merge)).eval()
    contexts = some_contexts()
    wanted = net.heads_of("horizon", 0) & net.heads_of("event", 1)
    scores, speaker = net.spoken(contexts, Steering(wanted))
    assert torch.isfinite(scores).all() and wanted[speaker].all()
    every = torch.ones_like(wanted)
    torch.testing.assert_close(net.spoken(contexts, Steering(every))[0], net.score(contexts))


@torch.no_grad()
def test_steering_goes_before_the_own_cluster_of_a_user() -> None:
    net = grown(built(("user",), offsets=2, segments=2)).eval()
    contexts = some_contexts(3)  # of the clubs 0, 1 and 2
    other = net.heads_of("user", 1)
    _, speaker = net.spoken(contexts, Steering(other))
    assert other[speaker].all()
    short = net.heads_of("horizon", 0)  # says nothing of clubs: everybody's own is kept
    _, speaker = net.spoken(contexts, Steering(short))
    for row in range(3):
        assert (net.heads_of("user", row) & short)[speaker[row]].all()


@torch.no_grad()
def test_steering_goes_before_the_switch() -> None:
    net = grown(built(switch=1.0)).eval()
    (axis,) = axes_of(net).listed
    switched(net, 0, [number == 0 for number in range(axis.size)])
    scores, _ = net.spoken(some_contexts(), Steering(net.heads_of("category", 2)))
    assert torch.equal(scores > -torch.inf, belongs(axis)[1:, 2].expand(12, -1))


@torch.no_grad()
def test_a_boost_is_a_share_of_the_span_of_a_users_scores() -> None:
    net, contexts = grown(built(("category",))).eval(), some_contexts()
    (axis,) = axes_of(net).listed
    plain = net.score(contexts)
    span = plain.amax(1) - plain.amin(1)
    heads = net.heads_of("category", 1)
    every = torch.ones_like(heads)
    got, _ = net.spoken(contexts, Steering(every, 0.25 * heads), span)
    per_head = torch.stack(
        [net.spoken(contexts, Steering(one))[0] for one in torch.eye(len(heads), dtype=torch.bool)],
        1,
    )
    want = (per_head + 0.25 * span[:, None, None] * heads[:, None]).amax(1)
    torch.testing.assert_close(got, want)
    same, _ = net.spoken(contexts, Steering(every, 0.0 * heads), span)
    torch.testing.assert_close(same, plain)
    large, speaker = net.spoken(contexts, Steering(every, 10.0 * heads), span)
    inside = belongs(axis)[1:, 1]
    assert (large[:, inside].amin(1) > large[:, ~inside].amax(1)).all()
    assert heads[speaker[:, inside]].all()


@pytest.mark.parametrize("composition", ["hierarchical", "additive"])
def test_opened_it_is_the_same_with_all_its_groups(tmp_path: Path, composition: str) -> None:
    """Groups of every kind are kept by the run; opening needs nothing but the catalogue's size."""
    priors = ("category", "event", "user")
    options = {"composition": composition, "offsets": 2, "segments": 2, "switch": 1.0}
    net = grown(built(priors, **options)).eval()
    net.save(tmp_path)
    again = Priors.open(net.config, Ground(ITEMS), tmp_path).eval()
    assert again.head_names == net.head_names and again.intents == net.intents
    contexts = some_contexts(40)
    for one, other in zip(net.spoken(contexts), again.spoken(contexts), strict=True):
        assert torch.equal(one, other)
    with pytest.raises(ArtefactError):
        Priors.open(net.config, Ground(ITEMS + 1), tmp_path)
    for file in tmp_path.glob("*event*"):
        file.unlink()
    with pytest.raises(ArtefactError):
        Priors.open(net.config, Ground(ITEMS), tmp_path)


def test_heads_have_names_by_which_they_can_be_asked_for() -> None:
    net = built(("category", "event"), offsets=2, segments=2)
    assert isinstance(net, Headed)
    assert len(set(net.head_names)) == len(net.head_names) == blocks_of(net).count
    for axis, groups in net.intents.items():
        for group, name in enumerate(groups):
            heads = net.heads_of(axis, group)
            for said, own in zip(net.head_names, heads.tolist(), strict=True):
                assert (name in said.split(" · ")) == own


@torch.no_grad()
def test_an_empty_history_has_an_answer() -> None:
    nobody = Contexts(np.array([0, 3]), np.array([0, 0, 0]), np.zeros(0, np.int32))
    for priors in AXES:
        net = grown(built(priors, offsets=2, segments=2, switch=1.0)).eval()
        scores, speaker = net.spoken(nobody)
        assert torch.isfinite(scores).any(1).all() and not scores.isnan().any()
        assert torch.equal(speaker >= 0, scores > -torch.inf)


def test_a_thousand_groups_and_a_group_of_one_item_train_and_answer() -> None:
    """Item n is in group n, alone; 970 groups more are of the first item."""
    rows = np.zeros((ITEMS, 1000), int)
    rows[np.arange(ITEMS), np.arange(ITEMS)] = 1
    rows[0, ITEMS:] = 1
    net = built(groupings={"category": grouping(rows.tolist())}).train()
    loss = net(steps(net)[0])
    loss.backward()
    assert torch.isfinite(loss)
    scores, speaker = net.eval().spoken(some_contexts())
    assert torch.isfinite(scores).all()
    assert speaker[:, 1:].tolist() == [list(range(1, ITEMS))] * 12


def test_what_cannot_be_grouped_is_refused_with_its_number() -> None:
    bare = [[1, 0]] * (ITEMS - 3) + [[0, 0]] * 3
    with pytest.raises(BadInput) as caught:
        built(groupings={"category": grouping(bare)})
    assert f"3 of {ITEMS} items" in str(caught.value)
    both = {"category": GROUPINGS["category"], "community": GROUPINGS["category"]}
    with pytest.raises(BadInput) as caught:
        built(("category", "community"), groupings=both)
    assert "category" in str(caught.value) and "community" in str(caught.value)


def test_a_step_without_negatives_of_groups_is_refused() -> None:
    net = built().train()
    step = steps(net)[0]
    for missing in ("rivals", "member_counts", "offset_counts"):
        with pytest.raises(ValueError, match="negatives and counts"):
            net(replace(step, **{missing: None}))
