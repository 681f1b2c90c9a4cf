"""Trunk and heads: unit vectors, ids that are not looked at, items of which nothing is written."""

from dataclasses import replace

import torch
from torch import Tensor

from tastemaker.recommend.mtmh_heads import Heads, TwoHeads
from tastemaker.recommend.mtmh_shape import MTMHConfig

SHAPE = MTMHConfig(dim=6, width=8)
IDS = torch.tensor([1, 2, 0, 0])
VECTORS = torch.nn.functional.normalize(torch.rand(4, 5), dim=1)
MEMBERS, OFFSETS = torch.tensor([0, 2, 1, 1]), torch.tensor([0, 2, 3, 4])


def heads(config: MTMHConfig = SHAPE, vectors: Tensor = VECTORS, groups: int = 3) -> Heads:
    torch.manual_seed(0)
    net = TwoHeads(config, 4, vectors.shape[1], groups)
    made: Heads = net(IDS, vectors, MEMBERS, OFFSETS)
    return made


def test_vectors_are_of_length_one() -> None:
    for part in heads():
        assert part.shape == (4, 6)
        torch.testing.assert_close(part.norm(dim=1), torch.ones(4))


def test_an_item_of_which_nothing_is_written_has_no_meaning() -> None:
    vectors = VECTORS.clone()
    vectors[1] = 0
    made = heads(vectors=vectors)
    assert not made.relevance[1].any() and made.relevance[0].any() and made.target[1].any()
    assert not heads(vectors=torch.zeros(4, 0)).relevance.any()


def test_items_without_ids_are_their_content_and_groups() -> None:
    alike = VECTORS[[0, 1, 2, 2]]
    torch.manual_seed(0)
    net = TwoHeads(SHAPE, 4, 5, 3)
    same = net(torch.tensor([1, 2, 0, 0]), alike, torch.tensor([0, 1, 2, 2]), torch.arange(4))
    for part in same:
        torch.testing.assert_close(part[2], part[3])
        assert (part[1] - part[2]).abs().max() > 1e-3


def test_one_vector_or_two_for_triggers_and_targets() -> None:
    made = heads(replace(SHAPE, symmetric=True))
    assert torch.equal(made.trigger, made.target)
    made = heads()
    assert not torch.equal(made.trigger, made.target)


def test_a_silenced_head_learns_nothing() -> None:
    net = TwoHeads(SHAPE, 4, 5, 0)
    net.silence()
    sum(part.sum() for part in net(IDS, VECTORS, MEMBERS, OFFSETS)).backward()
    frozen = {name for name, p in net.named_parameters() if p.grad is None}
    assert frozen == {"meaning.weight", "skip.weight"}
