"""What heads learned from, counted by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import CATEGORY
from tastemaker.data.groupings import Grouping
from tastemaker.recommend.prior_facts import facts_of
from tastemaker.recommend.priors import Priors
from tastemaker.recommend.priors_shape import PriorsConfig
from tastemaker.recommend.sasrec import SASRec, SASRecConfig

ITEMS = 6
BACKBONE = SASRecConfig(dim=8, inner=8, layers=1, heads=1, history=8, loss="sampled", negatives=3)
CATEGORIES = Grouping.from_labels([["a"], ["a", "b"], ["b"], ["b"], ["c"], ["d"]], "items")
ROWS = [[1, 2, 3], [2, 3, 4, 5, 1]]
"""Items of each user; of the first one nothing comes before, so it is no target."""


def train() -> Contexts:
    lengths = [len(row) for row in ROWS]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Contexts(np.arange(2), offsets, np.array(sum(ROWS, []), np.int32))


def built(composition: str) -> Priors:
    shape = PriorsConfig(
        backbone=BACKBONE,
        offsets=2,
        segments=2,
        negatives=3,
        composition=composition,  # type: ignore[arg-type]
    )
    return Priors(shape, SASRec(BACKBONE, ITEMS), {CATEGORY: CATEGORIES})


def targets(offset: int) -> list[int]:
    """Items that come `offset` after the next one."""
    return [item for row in ROWS for item in row[1 + offset :]]


def held(offset: int) -> list[int]:
    groups = CATEGORIES.membership.toarray() > 0
    return [sum(bool(groups[item - 1, g]) for item in targets(offset)) for g in range(4)]


@pytest.mark.parametrize("composition", ["hierarchical", "multiplicative"])
def test_heads_where_axes_cross_learn_from_their_groups_at_their_offsets(composition: str) -> None:
    net = built(composition)
    facts = net.head_facts(train())
    want = np.array([held(0), held(1)]).T.flatten()  # horizons innermost
    assert facts.targets.tolist() == want.tolist()
    assert facts.items.tolist() == [2, 2, 3, 3, 1, 1, 1, 1]
    assert float(facts.weights.sum()) == pytest.approx(1.0)
    shares = np.array(held(0)) / sum(held(0))
    near = 1 / 1.99
    np.testing.assert_allclose(facts.weights.view(4, 2)[:, 0], shares * near, rtol=1e-5)
    assert facts.parameters == sum(
        p.numel() for name, p in net.named_parameters() if not name.startswith("backbone")
    )
    assert facts.targets[net.heads_of(CATEGORY, 3)].sum() == 0


def test_additive_heads_learn_axis_by_axis() -> None:
    facts = built("additive").head_facts(train())
    both = np.array(held(0)) + np.array(held(1))
    assert facts.targets.tolist() == [*both.tolist(), len(targets(0)), len(targets(1))]
    assert facts.items.tolist() == [2, 3, 1, 1, ITEMS, ITEMS]
    assert torch.isclose(facts.weights[:4].sum(), torch.tensor(0.5))
    assert torch.isclose(facts.weights.sum(), torch.tensor(1.0))


def test_counting_leaves_the_model_as_it_was() -> None:
    net = built("hierarchical")
    before = {name: value.clone() for name, value in net.named_buffers()}
    net.head_facts(train())
    for name, value in net.named_buffers():
        assert torch.equal(value, before[name]), name


def test_groups_that_count_alike_weigh_alike() -> None:
    net = built("multiplicative")
    shape = replace(net.config, weighting="uniform")
    steps = net.batches(train(), 4)
    facts = facts_of(shape, steps, ITEMS, 0)
    np.testing.assert_allclose(facts.weights.view(4, 2).sum(1), [0.25] * 4, rtol=1e-6)
    assert facts.parameters == 0


def test_members_in_no_group_are_counted_by_axis() -> None:
    assert built("hierarchical").head_facts(train()).other == {}
    loose = Grouping.from_labels([["a"], None, ["a", "other"], ["b"], ["other"], None], "items")
    shape = PriorsConfig(backbone=BACKBONE, negatives=3)
    facts = Priors(shape, SASRec(BACKBONE, ITEMS), {CATEGORY: loose}).head_facts(train())
    assert facts.other == {CATEGORY: (3, 6, "items")}
