"""Steps of heads: negatives of their groups, counts of the whole step, how frequent groups are."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from tastemaker.data.batches import NextItemBatches
from tastemaker.data.contexts import Contexts
from tastemaker.recommend.prior_axes import Axes, Axis
from tastemaker.recommend.prior_batches import PriorBatches, cell_weights, lessons_of
from tests.contracts import ITEMS
from tests.recommend.small_priors import GROUPINGS, TRAIN, belongs, grouping


def axes(*names: str, segments: int = 1) -> Axes:
    return Axes([Axis(name, GROUPINGS[name]) for name in names], segments)


def made(
    *names: str, train: Contexts = TRAIN, additive: bool = False, **set_to: object
) -> PriorBatches:
    of = axes(*names)
    values: dict[str, object] = {"offsets": 2, "negatives": 40} | set_to
    batches = NextItemBatches(train, history=8, tokens=32)
    return PriorBatches(batches, of, lessons_of(of, additive), **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(("in_group", "own"), [(1.0, 40), (0.5, 20), (0.0, 0)])
def test_negatives_are_of_the_group_and_in_part_of_all(in_group: float, own: int) -> None:
    batches = made("category", "event", in_group=in_group)
    (axis, _) = batches.axes.listed
    trained = set(TRAIN.items.tolist())
    for step in itertools.islice(batches.epoch(0), 3):
        rivals = step.rivals
        assert rivals is not None and rivals.shape == (axis.size + 1, 40)
        assert set(rivals.flatten().tolist()) <= trained
        for group in range(axis.size):
            assert belongs(axis)[rivals[group, :own], group].all()
            outside = ~belongs(axis)[rivals[group, own:], group]
            assert own == 40 or outside.any()
        assert torch.equal(rivals[:, own:], rivals[-1:, own:].expand(axis.size + 1, -1))
        assert len({tuple(row[:own].tolist()) for row in rivals}) == (axis.size + 1 if own else 1)


def test_negatives_of_a_group_are_drawn_each_alike() -> None:
    batches = made("category", negatives=4000)
    (axis,) = batches.axes.listed
    step = next(batches.epoch(0))
    trained = torch.from_numpy(np.unique(TRAIN.items).astype(np.int64))
    for group in range(axis.size):
        pool = trained[belongs(axis)[trained, group]]
        assert step.rivals is not None
        counts = torch.bincount(step.rivals[group], minlength=ITEMS + 1)[pool]
        assert counts.sum() == 4000
        expected = 4000 / len(pool)
        assert (counts - expected).abs().max() < 5 * expected**0.5


def test_without_a_prior_of_items_all_heads_have_the_same_negatives() -> None:
    for names in ((), ("event",), ("event", "user")):
        step = next(made(*names).epoch(0))
        assert step.rivals is not None and step.rivals.shape == (1, 40)


def test_a_group_without_a_trained_item_draws_from_all() -> None:
    """Items 1 to 5 were chosen; the second group has none of them."""
    train = Contexts(np.arange(1), np.array([0, 5]), np.arange(1, 6, dtype=np.int32))
    of = Axes([Axis("category", grouping([[1, 0]] * 5 + [[0, 1]] * 3))], 1)
    batches = PriorBatches(NextItemBatches(train, 8, 32), of, lessons_of(of, False), negatives=30)
    step = next(batches.epoch(0))
    assert step.rivals is not None
    assert set(step.rivals[1].tolist()) <= set(range(1, 6))
    held, shares = batches.prevalence()
    assert held[0].tolist() == [4, 0] and shares[0].tolist() == [1, 0]
    assert cell_weights(held, uniform=False).tolist() == [1, 0]


def test_batches_depend_on_seed_epoch_and_step_alone() -> None:
    whole = list(made("category", "event", in_group=0.6, seed=3).epoch(2))
    late = list(made("category", "event", in_group=0.6, seed=3).epoch(2, skip=2))
    assert len(late) == len(whole) - 2 == len(made("category")) - 2
    for one, other in zip(whole[2:], late, strict=True):
        for name in ("rivals", "member_counts", "offset_counts", "items", "targets", "users"):
            assert torch.equal(vars(one)[name], vars(other)[name]), name
    elsewhere = next(made("category", "event", in_group=0.6, seed=4).epoch(2))
    another = next(made("category", "event", in_group=0.6, seed=3).epoch(1))
    first, second = whole[:2]
    assert first.rivals is not None
    for step in (elsewhere, another, second):
        assert step.rivals is not None and not torch.equal(step.rivals, first.rivals)


def test_a_batch_keeps_what_the_backbone_reads() -> None:
    batches = made("category")
    for one, own in zip(batches.epoch(0), batches.batches.epoch(0), strict=True):
        assert one.target_count == own.target_count
        assert torch.equal(one.items, own.items) and np.array_equal(one.rows, own.rows)


@pytest.mark.parametrize("additive", [False, True])
@pytest.mark.parametrize("names", [(), ("user",), ("category", "event")])
def test_counts_of_a_step_are_those_that_one_counts(names: tuple[str, ...], additive: bool) -> None:
    batches = made(*names, additive=additive)
    of = batches.axes.listed
    for step in itertools.islice(batches.epoch(0), 3):
        assert step.targets is not None and step.users is not None
        assert step.target_events is not None and step.member_counts is not None
        width = step.targets.shape[1]
        want, totals = [], torch.zeros(2, dtype=torch.int64)
        for row, at, p in itertools.product(range(len(step.targets)), range(width), range(2)):
            if at + p < width and step.targets[row, at + p]:
                totals[p] += 1
        for lesson in batches.lessons:
            cells = torch.zeros(*(of[axis].size for axis in lesson.axes), 2, dtype=torch.int64)
            for row, at, p in itertools.product(range(len(step.targets)), range(width), range(2)):
                if at + p >= width or not step.targets[row, at + p]:
                    continue
                judged = {
                    "items": int(step.targets[row, at + p]),
                    "events": int(step.target_events[row, at + p]) + 1,
                    "users": int(step.users[row]) + 1,
                }
                groups = [
                    belongs(of[axis])[judged[of[axis].of]].nonzero().flatten().tolist()
                    for axis in lesson.axes
                ]
                for codes in itertools.product(*groups):
                    cells[(*codes, p)] += 1
            want.append(cells.view(-1, 2))
        assert torch.equal(step.member_counts, torch.cat(want))
        assert step.offset_counts is not None and torch.equal(step.offset_counts, totals)


def test_counts_of_parts_stay_those_of_the_step() -> None:
    step = next(made("category").epoch(0))
    for part in step.parts(0, 3):
        assert part.member_counts is not None and step.member_counts is not None
        assert torch.equal(part.member_counts, step.member_counts)
    first, second = step.shard(0, 2), step.shard(1, 2)
    assert len(first.items) + len(second.items) == len(step.items)
    assert first.users is not None and len(first.users) == len(first.items)


def test_how_frequent_groups_are_is_counted_over_training() -> None:
    """Users 0 and 1 chose 1 2 1 3 and 2 2; item 1 is of the first group, 3 of both."""
    items = np.array([1, 2, 1, 3, 2, 2], np.int32)
    train = Contexts(np.arange(2), np.array([0, 4, 6]), items)
    of = Axes(
        [
            Axis("category", grouping([[1, 0], [0, 1], [1, 1]])),
            Axis("user", grouping([[1, 0], [0, 1]], "users")),
        ],
        1,
    )
    batches = PriorBatches(
        NextItemBatches(train, 8, 32), of, lessons_of(of, additive=True), offsets=2
    )
    held, shares = batches.prevalence()
    # Targets are 2 1 3 of user 0, and 2 of user 1; what comes within two events is 21, 13, 3; 2.
    assert [counts.tolist() for counts in held] == [[2, 3], [3, 1], [4]]
    assert shares[0].tolist() == pytest.approx([3 / 4, 4 / 4])
    assert shares[1].tolist() == pytest.approx([3 / 4, 1 / 4])
    crossed = replace(batches, lessons=lessons_of(of, additive=False))
    assert crossed.prevalence()[0][0].tolist() == [2, 0, 2, 1]


@pytest.mark.parametrize("uniform", [False, True])
def test_weights_of_each_lesson_sum_to_1(uniform: bool) -> None:
    held = [torch.tensor([3.0, 1.0]), torch.tensor([0.0, 0.0, 4.0]), torch.tensor([4.0])]
    weights = cell_weights(held, uniform)
    assert weights.dtype == torch.float32
    for part in weights.split([2, 3, 1]):
        assert float(part.sum()) == pytest.approx(1)
    assert weights[:2].tolist() == ([0.5, 0.5] if uniform else [0.75, 0.25])


def test_lessons_are_one_of_all_axes_or_one_an_axis() -> None:
    of = axes("event", "category")
    (whole,) = lessons_of(of, additive=False)
    assert whole.axes == (0, 1) and whole.horizon
    alone = lessons_of(of, additive=True)
    assert [(lesson.axes, lesson.horizon) for lesson in alone] == [
        ((0,), False),
        ((1,), False),
        ((), True),
    ]
