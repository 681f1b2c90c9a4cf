"""Steps of pairs: every pair once an epoch, the same at each call, in shares that add up."""

import numpy as np
import torch

from tastemaker.data.pair_batches import PairStep, PairSteps
from tastemaker.data.pairs import Pairs, co_engaged
from tastemaker.seams import Step, Steps
from tests.contracts import ITEMS, some_contexts

PAIRS = co_engaged(some_contexts(30), 3)


def some_steps(seed: int = 0, per_step: int = 50) -> PairSteps:
    return PairSteps(PAIRS, ITEMS, 10**6, per_step, 0.3, seed)


def read(step: PairStep) -> list[tuple[int, int, float]]:
    """The pairs of a step, as codes and weights."""
    trigger = step.items[step.triggers[step.pairs[0]]].tolist()
    target = step.items[step.targets[step.pairs[1]]].tolist()
    return list(zip(trigger, target, step.weights.tolist(), strict=True))


def test_an_epoch_has_every_pair_once() -> None:
    steps: Steps = some_steps()
    made = list(some_steps().epoch(2))
    assert len(made) == len(steps)
    found = sorted(pair for step in made for pair in read(step))
    triggers, targets = PAIRS.triggers.tolist(), PAIRS.targets.tolist()
    want = zip(triggers, targets, PAIRS.weights.astype(np.float32).tolist(), strict=True)
    assert found == sorted(want)
    assert [step.target_count for step in made[:-1]] == [50] * (len(made) - 1)


def test_an_epoch_has_as_many_pairs_as_events_and_a_round_every_pair() -> None:
    steps = PairSteps(PAIRS, ITEMS, 120, 50)
    assert len(steps) == 3 < steps.round
    every = [step for epoch in range(2 * steps.round) for step in steps.epoch(epoch)]
    assert len(every) == 6 * steps.round
    for turn in range(6):
        part = every[turn * steps.round : (turn + 1) * steps.round]
        assert len({pair for step in part for pair in read(step)}) == len(PAIRS)
        assert sum(step.target_count for step in part) == len(PAIRS)


def same(one: PairStep, two: PairStep) -> bool:
    return all(
        torch.equal(value, vars(two)[name]) if torch.is_tensor(value) else value == vars(two)[name]
        for name, value in vars(one).items()
    )


def test_a_step_depends_on_seed_epoch_and_number_alone() -> None:
    whole, skipped = list(some_steps().epoch(1)), list(some_steps().epoch(1, skip=2))
    assert all(same(one, two) for one, two in zip(whole[2:], skipped, strict=True))
    assert not same(whole[0], next(some_steps().epoch(2)))
    assert not same(whole[0], next(some_steps(seed=1).epoch(1)))


def test_targets_have_their_counts_their_share_and_all_positives() -> None:
    known = set(zip(PAIRS.triggers.tolist(), PAIRS.targets.tolist(), strict=True))
    q = PAIRS.target_shares(ITEMS)
    for step in some_steps().epoch(0):
        triggers, targets = (step.items[part].tolist() for part in (step.triggers, step.targets))
        counts = [sum(target == two for _, two, _ in read(step)) for target in targets]
        assert step.counts.tolist() == counts
        np.testing.assert_allclose(step.log_q.exp().numpy(), q[targets], rtol=1e-5)
        found = {(triggers[row], targets[column]) for row, column in step.positives.T.tolist()}
        assert found == {(i, j) for i in triggers for j in targets if (i, j) in known}
        assert step.rows is None
        assert step.items.tolist() == sorted(set(triggers) | set(targets))


def test_shares_of_processes_are_the_whole() -> None:
    step: Step = (whole := next(some_steps().epoch(0)))
    assert step.parts(small=True) == [whole]
    for world in (2, 3):
        parts = [part for rank in range(world) for part in whole.parts(rank, world)]
        assert sorted(pair for part in parts for pair in read(part)) == sorted(read(whole))
        assert sum(part.share for part in parts) == 1
        for part in parts:
            assert torch.equal(part.targets, whole.targets)
            assert part.total_weight == whole.total_weight
            assert part.trigger_count == len(whole.triggers)


def test_more_processes_than_triggers_leave_some_without_work() -> None:
    alone = Pairs(np.array([1], np.int32), np.array([2], np.int32), np.ones(1))
    (whole,) = PairSteps(alone, 2, 5).epoch(0)
    sizes = [part.pairs.shape[1] for rank in range(3) for part in whole.parts(rank, 3)]
    assert sizes == [1, 0, 0]


def test_an_id_is_left_out_as_often_as_asked() -> None:
    steps = [step for epoch in range(20) for step in some_steps().epoch(epoch)]
    share = torch.cat([step.dropped for step in steps]).float().mean()
    assert 0.25 < float(share) < 0.35
    moved = steps[0].to(torch.device("cpu"))
    assert same(moved, steps[0])
