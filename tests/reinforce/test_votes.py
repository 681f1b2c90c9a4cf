"""Votes are counts of equal answers, whatever the answers are called."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemaker.errors import BadInput
from tastemaker.reinforce.votes import UNREADABLE, Votes, coded

GROUPS = st.integers(2, 9).flatmap(
    lambda n: st.lists(st.lists(st.integers(-1, 5), min_size=n, max_size=n), min_size=1, max_size=4)
)


def test_answers_are_numbered_as_they_appear_and_unreadable_ones_have_no_number() -> None:
    assert coded([["b", "a", None, "b"], ["x", "x", "x", "y"]]).tolist() == [
        [0, 1, UNREADABLE, 0],
        [0, 0, 0, 1],
    ]


@pytest.mark.parametrize("groups", [[], [["a"]], [["a", "b"], ["a"]]])
def test_groups_that_cannot_vote_are_refused(groups: list[list[str | None]]) -> None:
    with pytest.raises(BadInput):
        coded(groups)


@pytest.mark.parametrize(
    "answers", [torch.zeros(3, 1).long(), torch.zeros(4).long(), torch.zeros(2, 4)]
)
def test_numbers_that_are_no_groups_are_refused(answers: torch.Tensor) -> None:
    with pytest.raises(BadInput):
        Votes.of(answers)


@settings(max_examples=60, deadline=None)
@given(GROUPS)
def test_votes_are_those_counted_one_by_one(groups: list[list[int]]) -> None:
    votes = Votes.of(torch.tensor(groups))
    for g, group in enumerate(groups):
        readable = [one for one in group if one >= 0]
        assert votes.own[g].tolist() == [group.count(one) if one >= 0 else 0 for one in group]
        assert votes.distinct[g] == len(set(readable))
        assert votes.majority[g] == max(map(readable.count, readable), default=0)
        assert votes.counts[g].sum() == len(readable) == votes.member[g].sum()
        best = max(readable, key=readable.count, default=None)  # of several the first
        assert votes.chosen[g].tolist() == [one == best and one >= 0 for one in group]
    renamed = Votes.of(torch.tensor([[7 - one if one >= 0 else -3 for one in g] for g in groups]))
    assert torch.equal(renamed.member, votes.member)
