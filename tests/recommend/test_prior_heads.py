"""The heads of human priors as a whole: how long they are, who speaks, what is merged."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tastemaker.data.ground import CATEGORY
from tastemaker.data.groupings import Grouping
from tastemaker.recommend.prior_heads import turned
from tastemaker.recommend.priors import Priors
from tests.contracts import some_contexts
from tests.recommend.small_priors import TRAIN, built, ground, grown


def test_a_turned_head_is_as_long_as_its_state_and_points_as_before() -> None:
    torch.manual_seed(0)
    heads, states = torch.randn(3, 4, 5), torch.randn(3, 1, 5)
    states[1] = 0
    got = turned(heads, states)
    torch.testing.assert_close(got.norm(dim=2), states.norm(dim=2).expand(-1, 4))
    cosine = torch.nn.functional.cosine_similarity(got[0], heads[0], dim=1)
    torch.testing.assert_close(cosine, torch.ones(4))
    assert not got[1].any() and torch.isfinite(turned(0 * heads, states)).all()


@pytest.mark.parametrize(
    ("composition", "sets"), [("hierarchical", [8]), ("multiplicative", [8]), ("additive", [4, 2])]
)
@torch.no_grad()
def test_heads_are_one_set_or_one_an_axis(composition: str, sets: list[int]) -> None:
    net = built(composition=composition, offsets=2, segments=2, merge="calibrated").eval()
    made = net.heads.sets(torch.randn(3, 8), torch.tensor([0, 1, -1]), "calibrated")
    assert [one.outputs.shape[1] for one in made] == sets
    assert len(net.heads.names) == sum(sets)
    assert made[0].known is not None and len(made[0].known) == 4
    assert all(one.known is None for one in made[1:])
    for one in made:  # p(head | context) of a set is a distribution
        torch.testing.assert_close(one.log_shares.exp().sum(1), torch.ones(3))


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
