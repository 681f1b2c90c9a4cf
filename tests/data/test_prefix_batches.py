"""Every event but a user's first is a target once an epoch, with what came before it."""

from dataclasses import replace

import numpy as np
import torch

from tastemaker.data.contexts import Contexts
from tastemaker.data.prefix_batches import PrefixBatches
from tests.contracts import some_contexts


def seen(batches: PrefixBatches, epoch: int = 0) -> list[tuple[int, tuple[int, ...], int]]:
    rows = []
    for step in batches.epoch(epoch):
        assert step.users is not None and step.target_count == len(step.items)
        assert step.targets is not None
        assert torch.equal(
            step.targets > 0,
            step.valid
            & ~step.valid.roll(-1, 1).logical_and(
                torch.arange(step.valid.shape[1]) < step.valid.shape[1] - 1
            ),
        )
        for row, (items, valid) in enumerate(zip(step.items, step.valid, strict=True)):
            past = tuple(items[valid].tolist())
            rows.append((int(step.users[row]), past, int(step.answers[row])))
    return rows


def test_rows_are_all_events_with_their_newest_past() -> None:
    contexts = some_contexts()
    want = []
    for row in range(len(contexts)):
        items = contexts.items[contexts.offsets[row] : contexts.offsets[row + 1]].tolist()
        want += [(row, tuple(items[max(0, n - 4) : n]), items[n]) for n in range(1, len(items))]
    batches = PrefixBatches(contexts, 4, 5)
    assert sorted(seen(batches)) == sorted(want)
    assert len(batches) == len(list(batches.epoch(0))) == -(-len(want) // 5)


def test_steps_depend_on_their_number_alone() -> None:
    batches = PrefixBatches(some_contexts(30), 6, 8, seed=1)
    again = list(PrefixBatches(some_contexts(30), 6, 8, seed=1).epoch(2, skip=3))
    whole = list(batches.epoch(2))
    assert len(again) == len(whole) - 3
    assert all(torch.equal(a.items, b.items) for a, b in zip(again, whole[3:], strict=True))
    assert seen(batches, 0) != seen(batches, 1)
    assert seen(batches, 0) != seen(replace(batches, seed=2), 0)


def test_rows_of_a_step_are_of_like_length_and_stay_together() -> None:
    contexts = some_contexts(200)
    steps = list(PrefixBatches(contexts, 8, 16).epoch(0))
    lengths = [step.valid.sum(1) for step in steps]
    assert np.mean([float(n.max() - n.min()) for n in lengths]) < 1
    assert all(step.parts(small=True) == [step] for step in steps)
    two = [steps[0].parts(rank, 2) for rank in range(2)]
    assert sum(int((part.answers > 0).sum()) for (part,) in two) == 16


def test_times_are_those_of_the_past_and_of_the_target() -> None:
    contexts = Contexts(
        np.array([0]), np.array([0, 3]), np.array([5, 6, 7], np.int32), np.array([10, 20, 30])
    )
    (step,) = PrefixBatches(contexts, 4, 8).epoch(0)
    assert step.times is not None and step.request_times is not None
    for times, valid, answer, asked in zip(
        step.times, step.valid, step.answers, step.request_times, strict=True
    ):
        assert times[valid].tolist() == [10, 20][: int(valid.sum())]
        assert int(asked) == {6: 20, 7: 30}[int(answer)]


def test_users_without_a_past_are_no_rows() -> None:
    alone = Contexts(np.arange(3), np.array([0, 1, 1, 2]), np.array([4, 5], np.int32))
    assert len(PrefixBatches(alone)) == 0 and list(PrefixBatches(alone).epoch(0)) == []


def test_few_events_of_each_user_are_drawn_anew_in_every_epoch() -> None:
    rows = some_contexts(12)
    batches = PrefixBatches(rows, history=8, rows=16, seed=3, most=2)
    every = seen(replace(batches, most=0))
    for epoch in range(2):
        drawn = seen(batches, epoch)
        assert len(list(batches.epoch(epoch))) == len(batches)
        counts = np.bincount([user for user, *_ in drawn], minlength=12)
        np.testing.assert_array_equal(counts, np.minimum(np.maximum(rows.lengths - 1, 0), 2))
        assert set(drawn) <= set(every)
    assert seen(batches) == seen(batches) != seen(batches, 1)
    assert sorted(seen(replace(batches, most=100))) == sorted(every)
