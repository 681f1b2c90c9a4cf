"""The loop: its loss is that of all labels, it learns, and it reads labels only where it may."""

import math
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import Tensor

from tastemaker.errors import BadInput, NumericFault
from tastemaker.reinforce.lean import Base, LeanConfig, Sampled, learn, loss, step
from tastemaker.reinforce.linear import LinearPolicy
from tastemaker.reinforce.restrain import RestrainConfig, Streams, advantages
from tastemaker.reinforce.signals import LABEL_FREE, SignalConfig, standardised
from tastemaker.worlds.voters import VoterOptions, voters
from tests.reinforce.test_restrain import by_hand
from tests.reinforce.test_signals import Poison

WORLD = voters(VoterOptions(prompts=30))
PROMPTS, CORRECT = torch.arange(30), torch.from_numpy(WORLD.correct[:30])
SHORT = LeanConfig(steps=5, lr=2.0, watch=2)


def policy() -> LinearPolicy:
    return LinearPolicy(WORLD.chances, WORLD.features)


@torch.no_grad()
def right(model: LinearPolicy) -> float:
    chances = model.distribution(PROMPTS).exp()
    return float(chances.gather(1, CORRECT[:, None]).mean())


def sampled(groups: int = 4, tokens: int = 3) -> Sampled:
    draw = torch.Generator().manual_seed(0)
    shape = (groups, 8, tokens)
    answers = torch.randint(-1, 4, shape[:2], generator=draw)
    mask = (
        torch.arange(tokens) < torch.randint(1, tokens + 1, (*shape[:2], 1), generator=draw)
    ).long()
    logs = -torch.rand(shape, generator=draw)
    return Sampled(answers, torch.zeros(shape).long(), mask, logs, torch.zeros(shape[:2]), logs)


def test_the_loss_is_that_of_all_labels_after_several_steps() -> None:
    said = replace(sampled(tokens=1), log_probabilities=torch.zeros(4, 8, 1, dtype=torch.float64))
    now = torch.randn(4, 8, 1, dtype=torch.float64) / 2
    u = torch.tensor([0.2, 1.0, 0.5, 0.0], dtype=torch.float64)
    streams = advantages(said.answers, u, RestrainConfig(), torch.float64)
    found = float(loss(now, said, streams, SHORT))
    each = [
        by_hand(said.answers[g : g + 1], now[g : g + 1, :, 0].exp(), float(u[g]), RestrainConfig())
        for g in range(4)
    ]
    assert found == pytest.approx(-sum(each) / 4, abs=1e-6)


def test_a_sequence_counts_once_however_long() -> None:
    said = sampled()
    streams = advantages(said.answers, None, RestrainConfig())
    now = said.log_probabilities + 0.05
    found = float(loss(now, said, streams, SHORT))
    assert found == pytest.approx(-math.exp(0.05) * float(streams.total.mean()), abs=1e-6)
    padded = torch.where(said.mask.bool(), now, now + 7)
    assert float(loss(padded, said, streams, SHORT)) == pytest.approx(found, abs=1e-6)


def test_distance_to_the_untrained_model_is_added_and_weighed_where_asked() -> None:
    said = sampled()
    streams = standardised(torch.zeros(4, 8))
    far, near = said.log_probabilities + 0.5, said.log_probabilities
    kept = replace(SHORT, beta=0.1)
    one = float(loss(far, said, streams, kept, near))
    assert one == pytest.approx(0.1 * (math.exp(-0.5) + 0.5 - 1), abs=1e-6)
    assert float(loss(near, said, streams, kept, near)) == 0
    weights = torch.tensor([0.0, 1.0, 1.0, 0.0])
    assert float(loss(far, said, streams, kept, near, weights)) == pytest.approx(one)
    dials = SignalConfig(RestrainConfig(weight_kl=True))
    weighed = float(loss(far, said, streams, replace(kept, dials=dials), near, weights))
    assert weighed == pytest.approx(one / 2)


def one_step(model: LinearPolicy, streams: Streams, said: Sampled) -> float:
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    return step(model, optimiser, PROMPTS, said,
                partial(loss, said=said, streams=streams, config=SHORT))  # fmt: skip


def test_a_sample_that_is_pushed_down_moves_the_policy_and_as_plain_rewards_does_not() -> None:
    model = policy()
    said = model.sample(PROMPTS, 8, torch.Generator().manual_seed(0))
    lost = advantages(said.answers, None, RestrainConfig(kappa=8))
    keep = lost.penalised
    assert keep.any()
    pushed = Streams(lost.positive * 0, lost.negative * keep[:, None], keep)
    one_step(model, standardised(pushed.total), said)
    assert not model.shared.any() and not model.each.any()
    one_step(model, pushed, said)
    assert model.each.any()


def test_a_loss_that_is_none_changes_nothing() -> None:
    model = policy()
    said = model.sample(PROMPTS, 8, torch.Generator().manual_seed(0))
    broken = replace(said, log_probabilities=said.log_probabilities * math.nan)
    with pytest.raises(NumericFault):
        one_step(model, advantages(said.answers, None, RestrainConfig()), broken)
    assert not model.each.any()


def test_labels_are_learnt_and_without_them_a_right_majority_is() -> None:
    told, voted, base = policy(), policy(), policy()
    learn(told, PROMPTS, replace(SHORT, steps=80, signal="gold"), CORRECT)
    seen = learn(voted, PROMPTS, replace(SHORT, steps=80, signal="ttrl"))
    assert right(told) > 0.9 and right(told) > right(voted) > right(base)
    assert len(seen) == 40 and seen[-1].distinct < seen[0].distinct
    assert seen[0].length == 1 and (seen[-1].entropy or 0) < (seen[0].entropy or 0)


@pytest.mark.parametrize("name", list(LABEL_FREE))
def test_labels_cannot_be_read_by_who_must_not(name: str) -> None:
    poisoned = Tensor._make_subclass(Poison, CORRECT.float())
    one, other = policy(), policy()
    config = replace(SHORT, signal=name, beta=0.01, iterations=2)
    learn(one, PROMPTS, config)
    learn(other, PROMPTS, config, poisoned)
    assert torch.equal(one.each, other.each) and torch.equal(one.shared, other.shared)
    assert bool(one.each.any()) == (name != "self-certainty"), "replies of one token are as certain"
    with pytest.raises(AssertionError, match="was read"):
        learn(policy(), PROMPTS, replace(SHORT, signal="gold"), poisoned)


def test_prompt_weights_are_counted_once_or_at_each_step_or_not_at_all() -> None:
    ends = []
    for weights in ("offline", "online", "none"):
        model = policy()
        learn(model, PROMPTS, replace(SHORT, weights=weights))
        ends.append(model.shared.detach())
    assert not torch.equal(ends[0], ends[1]) and not torch.equal(ends[1], ends[2])
    assert ends[2].norm() > ends[0].norm(), "raw weights are below 1"


def test_the_untrained_model_is_stood_by_near() -> None:
    free, held = policy(), policy()
    learn(free, PROMPTS, replace(SHORT, steps=30, signal="ttrl"))
    learn(held, PROMPTS, replace(SHORT, steps=30, signal="ttrl", beta=1.0))
    assert held.shared.norm() < 0.8 * free.shared.norm()


def test_what_the_untrained_model_said() -> None:
    answers = torch.tensor([[4, 4, 1, -1], [-1, -1, -1, -1], [2, 3, 3, 2]])
    base = Base.of(answers, SignalConfig())
    assert base.answers.tolist() == [4, -1, 2]
    assert base.shares.tolist() == [0.5, 0, 0.5]
    assert base.weights.tolist() == pytest.approx([math.exp(-2), math.exp(-8), math.exp(-2)])


@pytest.mark.parametrize(
    "wrong", [{"steps": 0}, {"lr": 0.0}, {"clip": 1.0}, {"beta": -1.0}, {"rollouts": 1},
              {"rollouts": 2}, {"dials": SignalConfig(RestrainConfig(sigma=1.0))}]
)  # fmt: skip
def test_what_cannot_be_trained_with_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        LeanConfig(**wrong)  # type: ignore[arg-type]
