"""Axes of human priors: names people know, heads by group, and whose a target is."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tastemaker.data.batches import Batch
from tastemaker.data.groupings import Grouping
from tastemaker.errors import BadInput
from tastemaker.recommend.prior_axes import HORIZON, Axes, Axis, horizons, upcoming
from tests.recommend.small_priors import KINDS, belongs, grouping

GENRES = Axis(
    "category",
    Grouping(("Drama", "Sci-Fi"), grouping([[1, 0], [1, 1], [0, 1]]).membership, "items"),
)
EVENTS = Axis("event", Grouping.from_event_names(KINDS))
CLUBS = Axis("user", grouping([[1, 0], [0, 1], [0, 1], [1, 1]], "users"))


def batch(targets: Tensor, users: Tensor | None = None, kinds: Tensor | None = None) -> Batch:
    positions = torch.arange(targets.shape[1])
    return Batch(
        targets, targets > 0, positions, targets=targets, users=users, target_events=kinds
    )  # fmt: skip


@pytest.mark.parametrize(
    ("segments", "names"),
    [
        (1, ("next",)),
        (2, ("short-term", "long-term")),
        (3, ("short-term", "medium-term", "long-term")),
        (4, ("short-term", "horizon 2 of 4", "horizon 3 of 4", "long-term")),
    ],
)
def test_horizons_have_names(segments: int, names: tuple[str, ...]) -> None:
    assert horizons(segments) == names
    assert Axes([], segments).head_names(additive=False) == names
    assert Axes([], segments).names == {HORIZON: names}


def test_a_head_is_called_by_its_horizon_and_its_groups() -> None:
    one = Axes([GENRES], 2).head_names(additive=False)
    assert one == (
        "short-term · Drama",
        "long-term · Drama",
        "short-term · Sci-Fi",
        "long-term · Sci-Fi",
    )
    assert Axes([GENRES], 1).head_names(additive=False) == ("Drama", "Sci-Fi")
    crossed = Axes([EVENTS, GENRES], 1)  # items first, whatever the order they come in
    assert list(crossed.names) == ["category", "event", HORIZON]
    assert crossed.head_names(additive=False)[:4] == (
        "Drama · view",
        "Drama · like",
        "Drama · buy",
        "Sci-Fi · view",
    )
    assert crossed.head_names(additive=True) == ("Drama", "Sci-Fi", *KINDS, "next")


@pytest.mark.parametrize("segments", [1, 2, 3, 4])
@pytest.mark.parametrize("priors", [[], [GENRES], [CLUBS, GENRES], [EVENTS, CLUBS, GENRES]])
@pytest.mark.parametrize("additive", [False, True])
def test_heads_of_a_group_are_those_that_its_codes_and_names_say(
    priors: list[Axis], segments: int, additive: bool
) -> None:
    axes = Axes(priors, segments)
    names, sizes = axes.head_names(additive), axes.sizes
    assert len(names) == (sum(sizes) if additive else np.prod(sizes)) == len(set(names))
    assert axes.cells == np.prod(sizes[:-1])
    if additive:
        codes = [
            tuple(code if axis == number else None for axis in range(len(sizes)))
            for number, size in enumerate(sizes)
            for code in range(size)
        ]
    else:
        codes = list(itertools.product(*map(range, sizes)))
    for number, (axis, groups) in enumerate(axes.names.items()):
        for group, name in enumerate(groups):
            mask = axes.heads_of(axis, group, additive)
            assert mask.dtype == torch.bool
            assert mask.tolist() == [code[number] == group for code in codes]
            if axis != HORIZON or segments > 1 or additive:
                said = [name in called.split(" · ") for called in names]
                assert mask.tolist() == said


@given(st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=1, max_size=8), st.data())
@settings(max_examples=50, deadline=None)
def test_groups_of_members_are_all_pairs(rows: list[list[bool]], data: st.DataObject) -> None:
    rows = [row if any(row) else [True, False, False] for row in rows]
    axis = Axis("category", grouping([[int(cell) for cell in row] for row in rows]))
    asked = data.draw(st.lists(st.integers(0, len(rows)), max_size=10))
    place, group = axis.groups_of(torch.tensor(asked, dtype=torch.int64))
    want = [
        (at, code)
        for at, member in enumerate(asked)
        for code in range(3)
        if member and rows[member - 1][code]
    ]
    assert list(zip(place.tolist(), group.tolist(), strict=True)) == want


def test_an_item_is_judged_by_what_it_is_an_event_by_its_kind_and_a_target_by_whose_it_is() -> None:
    targets = torch.tensor([[1, 2, 3], [3, 1, 0]])
    kinds = torch.tensor([[2, 0, 1], [1, 1, 0]])
    ahead = upcoming(targets, 2)
    assert ahead.tolist() == [[[1, 2], [2, 3], [3, 0]], [[3, 1], [1, 0], [0, 0]]]
    made = batch(targets, torch.tensor([3, 1]), kinds)
    assert torch.equal(GENRES.members_of(made, ahead), ahead)
    assert EVENTS.members_of(made, ahead).tolist() == [
        [[3, 1], [1, 2], [2, 0]],
        [[2, 2], [2, 0], [0, 0]],
    ]
    assert CLUBS.members_of(made, ahead).tolist() == [
        [[4, 4], [4, 4], [4, 0]],
        [[2, 2], [2, 0], [0, 0]],
    ]


def test_somebody_new_is_of_no_group_and_events_without_a_kind_are_of_the_first() -> None:
    targets = torch.tensor([[1, 2], [2, 0], [3, 3]])
    made = batch(targets, torch.tensor([-1, 0, 99]))
    members = CLUBS.members_of(made, targets[..., None])
    assert members[..., 0].tolist() == [[0, 0], [1, 0], [0, 0]]
    assert EVENTS.members_of(made, targets[..., None])[..., 0].tolist() == [[1, 1], [1, 0], [1, 1]]
    place, _ = CLUBS.groups_of(CLUBS.known(torch.tensor([0, 5, 1])))
    assert place.tolist() == [2]


@pytest.mark.parametrize("offsets", [1, 2, 5])
def test_what_comes_is_next_and_nothing_after_the_end(offsets: int) -> None:
    values = torch.tensor([[1, 2, 3, 0], [4, 5, 2, 1]])
    ahead = upcoming(values, offsets)
    assert ahead.shape == (2, 4, offsets)
    for row, at, p in itertools.product(range(2), range(4), range(offsets)):
        assert ahead[row, at, p] == (values[row, at + p] if at + p < 4 else 0)


@pytest.mark.parametrize("of", ["items", "events", "users"])
def test_two_priors_of_one_kind_are_refused(of: str) -> None:
    one, two = (Axis(name, grouping([[1, 0], [0, 1]], of)) for name in ("community", "cluster"))  # type: ignore[arg-type]
    with pytest.raises(BadInput) as caught:
        Axes([one, GENRES if of != "items" else EVENTS, two], 1)
    assert "community" in str(caught.value) and "cluster" in str(caught.value)


def test_members_in_no_group_are_refused_with_their_number() -> None:
    with pytest.raises(BadInput) as caught:
        Axis("category", grouping([[1, 0], [0, 0], [0, 1], [0, 0]]))
    assert "2 of 4 items" in str(caught.value)


def test_an_axis_moves_with_its_model_and_is_not_saved() -> None:
    axes = Axes([GENRES, EVENTS], 1)
    assert not axes.state_dict()
    moved = axes.to("meta")
    assert {axis.codes.device.type for axis in moved.listed} == {"meta"}


def test_one_group_of_all_and_groups_of_one_are_groups() -> None:
    whole = Axis("category", grouping([[1], [1], [1]]))
    assert whole.size == 1 and torch.equal(belongs(whole)[1:], torch.ones(3, 1, dtype=torch.bool))
    alone = Axis("category", grouping(np.eye(5).astype(int).tolist()))
    place, group = alone.groups_of(torch.arange(1, 6))
    assert place.tolist() == group.tolist() == list(range(5))
