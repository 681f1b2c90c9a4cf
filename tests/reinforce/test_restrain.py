"""The mathematics: vectors computed by hand, the loss of all labels, and what may never happen."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from tastemaker.config import from_json, to_json
from tastemaker.errors import BadInput
from tastemaker.reinforce.restrain import (
    RestrainConfig,
    Streams,
    advantages,
    first_fall,
    prompt_weights,
    pseudo_label_weights,
    surrogate,
)
from tastemaker.reinforce.votes import Votes, coded

DOUBLE = torch.float64
PLAIN = RestrainConfig()


def letters(word: str) -> Tensor:
    """Answers of one group; a dot is unreadable."""
    return coded([[None if one == "." else one for one in word]])


def of(word: str, config: RestrainConfig = PLAIN, u: float = 1.0) -> Streams:
    return advantages(letters(word), torch.tensor([u]), config, DOUBLE)


def group_of(counts: list[int]) -> Tensor:
    """Answers of one group with these votes."""
    return torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))[None]


def divisions(n: int, largest: int | None = None) -> Iterator[list[int]]:
    """Every way to divide n votes among answers, commonest first."""
    if not n:
        yield []
    for first in range(min(n, largest or n), 0, -1):
        yield from ([first, *rest] for rest in divisions(n - first, first))


def by_hand(answers: Tensor, ratios: Tensor, u: float, config: RestrainConfig) -> float:
    """The loss of every label by itself, as the paper has it; one group."""
    n, given = answers.shape[1], answers[0].tolist()
    counts = {one: given.count(one) for one in dict.fromkeys(given) if one >= 0}
    sigma = config.sigma_at(n)
    weighing = {a: math.exp(-((c / n - 1) ** 2) / (2 * sigma**2)) for a, c in counts.items()}
    whole, total = sum(weighing.values()), 0.0
    for answer, weight in weighing.items():
        rewards = np.array([float(one == answer) for one in given])
        found = (rewards - rewards.mean()) / (rewards.std(ddof=1) + 1e-4)
        if max(counts.values()) < config.kappa:
            found = np.full(n, -config.delta)
        for ratio, pull in zip(ratios[0].tolist(), found, strict=True):
            total += u * weight / whole * min(ratio * pull, min(max(ratio, 0.8), 1.2) * pull)
    return total / n


def test_vectors_of_the_specification() -> None:
    found = of("aaaaabbc")
    counts = Votes.of(letters("aaaaabbc")).counts
    weights = pseudo_label_weights(counts, 8, PLAIN)
    assert weights[counts > 0].tolist() == pytest.approx([0.960655, 0.032872, 0.006473], abs=1e-6)
    for place, pulls in {
        0: (0.695926, -0.020037),
        5: (0.053247, -1.162165),
        7: (0.016015, -1.177626),
    }.items():
        assert float(found.positive[0, place]) == pytest.approx(pulls[0], abs=1e-6)
        assert float(found.negative[0, place]) == pytest.approx(pulls[1], abs=1e-6)
    whole = found.total[0, [0, 5, 7]].tolist()
    assert whole == pytest.approx([0.675890, -1.108918, -1.161611], abs=1e-6)
    unreadable = of("aaaaabb.").total[0, [0, 5, 7]].tolist()
    assert unreadable == pytest.approx([0.682596, -1.113840, -1.185299], abs=1e-6)
    lost = of("aaaaabbc", replace(PLAIN, kappa=6))
    assert bool(lost.penalised) and (lost.total == -1).all()


def test_two_streams_are_the_loss_of_all_labels() -> None:
    rng = np.random.default_rng(0)
    worst = 0.0
    for n in (4, 8, 16):
        for _ in range(100):
            answers = torch.from_numpy(rng.integers(-1, 6, (1, n)))
            ratios = torch.from_numpy(np.exp(rng.normal(0, 0.5, (1, n))))
            u = float(rng.random())
            streams = advantages(answers, torch.tensor([u], dtype=DOUBLE), PLAIN, DOUBLE)
            together = float(surrogate(ratios, streams).mean())
            if not (answers >= 0).any():
                continue
            assert together == pytest.approx(by_hand(answers, ratios, u, PLAIN), abs=1e-6)
            summed = Streams(streams.total.clamp(min=0), streams.total.clamp(max=0), together > 0)
            worst = max(worst, abs(float(surrogate(ratios, summed).mean()) - together))
            there = torch.ones_like(ratios)
            once = float(surrogate(there, summed).mean())
            assert once == pytest.approx(by_hand(answers, there, u, PLAIN), abs=1e-6)
    assert worst > 0.01, "off the policy one stream is another loss"


def test_ratios_of_tokens_are_clipped_one_by_one_and_higher_where_asked() -> None:
    streams = of("aaaaabbc")
    ratios = torch.linspace(0.5, 1.5, 24, dtype=DOUBLE).reshape(1, 8, 3)
    found = surrogate(ratios, streams, 0.2, 0.28)
    for token in range(3):
        alone = surrogate(ratios[:, :, token], streams, 0.2, 0.28)
        torch.testing.assert_close(found[:, :, token], alone)
    up = Streams(torch.ones(1, 2), torch.zeros(1, 2), torch.zeros(1, dtype=torch.bool))
    assert surrogate(torch.full((1, 2), 1.5), up, 0.2, 0.28).tolist()[0] == pytest.approx(
        [1.28] * 2
    )


def test_a_group_that_is_not_pushed_down_sums_to_nothing() -> None:
    rng = np.random.default_rng(1)
    answers = torch.from_numpy(rng.integers(0, 5, (200, 16)))
    u = torch.from_numpy(rng.random(200))
    found = advantages(answers, u, PLAIN, DOUBLE)
    kept = ~found.penalised
    assert int(kept.sum()) > 0
    assert found.total[kept].sum(1).abs().max() < 1e-9
    lost = advantages(answers, u, replace(PLAIN, kappa=7, delta=0.5), DOUBLE)
    assert 0 < int(lost.penalised.sum()) < 200
    wanted = -0.5 * u[lost.penalised, None].expand(-1, 16)
    torch.testing.assert_close(lost.total[lost.penalised], wanted)
    assert (lost.positive[lost.penalised] == 0).all()


def test_all_equal_teach_nothing_and_all_different_are_pushed_down() -> None:
    assert (of("aaaaaaaa").total == 0).all()
    assert (of("abcdefgh").total == -1).all()
    assert (of("abcdefgh", replace(PLAIN, kappa=0)).total.abs() < 1e-9).all()
    assert (of("........").total == -1).all()
    assert (of("........", replace(PLAIN, kappa=0)).total == 0).all()


def test_kappa_counts_votes() -> None:
    assert not bool(of("aaabbcde").penalised)
    assert bool(of("aabbccde").penalised)
    for share in (0.3, 2.5):
        with pytest.raises(BadInput, match="counts votes"):
            RestrainConfig(kappa=share)  # type: ignore[arg-type]


def test_what_no_answer_was_read_from_is_always_pushed_down() -> None:
    rng = np.random.default_rng(2)
    answers = torch.from_numpy(rng.integers(-1, 4, (100, 16)))
    totals = advantages(answers, None, PLAIN, DOUBLE).total
    assert bool((answers < 0).any()) and bool((totals[answers < 0] < 0).all())


@pytest.mark.parametrize("n", [8, 16, 24])
def test_the_rarer_never_gets_more(n: int) -> None:
    """By every division of the votes, and by the rule that needs none of them."""
    for config, falls in (
        (PLAIN, False),
        (replace(PLAIN, sigma=1.0), True),
        (replace(PLAIN, sigma=1.0, normalise="none"), False),
    ):
        wrong = 0
        groups = [one for one in divisions(n) if one[0] >= 3 and len(one) > 1]
        answers = torch.cat([group_of(counts) for counts in groups])
        found = advantages(answers, None, config, DOUBLE).total  # commonest first
        wrong = int(((found[:, 1:] - found[:, :-1]) > 1e-9).any(1).sum())
        assert (wrong > 0) == falls == (first_fall(n, config) is not None), (n, config, wrong)
        if falls:
            assert wrong == {8: 10, 16: 208, 24: 1539}[n]


@pytest.mark.parametrize("sigma", [0.1, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.7, 1.0])
@pytest.mark.parametrize("n", [5, 8, 16])
def test_the_rule_is_that_of_all_divisions(n: int, sigma: float) -> None:
    for kappa in (0, 3, 4, 5):
        config = RestrainConfig(sigma=sigma, kappa=kappa)
        groups = [one for one in divisions(n) if one[0] >= kappa]
        answers = torch.cat([group_of(counts) for counts in groups])
        found = advantages(answers, None, config, DOUBLE).total
        wrong = bool(((found[:, 1:] - found[:, :-1]) > 1e-9).any())
        assert wrong == (first_fall(n, config) is not None), (n, sigma, kappa)


def test_a_width_that_rewards_rare_answers_is_refused_unless_forced() -> None:
    wide = RestrainConfig(sigma=1.0)
    with pytest.raises(BadInput, match="larger advantage") as caught:
        wide.checked(16)
    assert caught.value.where == "--restrain.sigma"
    assert replace(wide, forced=True).checked(16).sigma == 1.0
    assert replace(wide, normalise="none").checked(16).sigma == 1.0
    with pytest.raises(BadInput):
        RestrainConfig(sigma=0.25).checked(64)
    assert [PLAIN.checked(n).sigma for n in (8, 16, 32, 33, 64)] == [0.25] * 3 + [0.2] * 2
    rare = advantages(group_of([8, 4, 3, 1]), None, wide, DOUBLE).total[0, [0, 8, 12, 15]]
    assert rare.tolist() == pytest.approx([-0.02, -0.03, 0.0, 0.27], abs=0.01)


def test_a_narrow_width_is_the_vote_of_the_majority() -> None:
    answers = group_of([8, 4, 3, 1])
    chosen = (answers == 0).to(DOUBLE)
    voted = (chosen - chosen.mean()) / (chosen.std() + 1e-4)
    for sigma in (0.05, 1e-3, 1e-6):
        found = advantages(answers, None, RestrainConfig(sigma=sigma), DOUBLE).total
        torch.testing.assert_close(found, voted, atol=1e-6, rtol=0)


def test_without_a_width_all_labels_count_alike() -> None:
    counts = torch.tensor([[5, 2, 1, 0]])
    found = pseudo_label_weights(counts, 8, RestrainConfig(sigma=math.inf))
    assert found[0].tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0])


def test_prompt_weights_pull_both_streams() -> None:
    once, twice = of("aaaaabbc", u=0.3), of("aaaaabbc", u=0.6)
    torch.testing.assert_close(twice.positive, 2 * once.positive)
    torch.testing.assert_close(twice.negative, 2 * once.negative)


def test_prompt_weights_are_those_of_the_untrained_model() -> None:
    found = prompt_weights(torch.tensor([10, 4, 16]), 16, PLAIN)
    wanted = [math.exp(-((c / 16 - 1) ** 2) / (2 * 0.25**2)) for c in (10, 4, 16)]
    assert found.tolist() == pytest.approx(wanted)
    mean = prompt_weights(
        torch.tensor([10, 4, 16]), 16, replace(PLAIN, normalise_prompt_weights="mean")
    )
    assert mean.tolist() == pytest.approx(np.array(wanted) / np.mean(wanted))
    narrow = replace(PLAIN, sigma=1e-3, normalise_prompt_weights="mean")
    assert prompt_weights(torch.tensor([4, 4]), 16, narrow).tolist() == [1, 1]
    apart = replace(PLAIN, sigma=1.0, prompt_sigma=0.25)
    torch.testing.assert_close(prompt_weights(torch.tensor([10, 4, 16]), 16, apart), found)
    with pytest.raises(BadInput):
        prompt_weights(torch.tensor([17]), 16, PLAIN)


def test_groups_do_not_see_each_other() -> None:
    rng = np.random.default_rng(3)
    answers = torch.from_numpy(rng.integers(-1, 5, (20, 8)))
    u = torch.from_numpy(rng.random(20))
    together = advantages(answers, u, PLAIN)
    for group in range(20):
        alone = advantages(answers[group : group + 1], u[group : group + 1], PLAIN)
        assert torch.equal(alone.positive[0], together.positive[group])
        assert torch.equal(alone.negative[0], together.negative[group])
        assert alone.penalised[0] == together.penalised[group]


@pytest.mark.parametrize("weights", [[1.0], [1.0, float("nan")], [1.0, -0.1]])
def test_weights_that_are_none_are_refused(weights: list[float]) -> None:
    with pytest.raises(BadInput):
        advantages(torch.zeros(2, 4).long(), torch.tensor(weights), PLAIN)


def test_what_cannot_be_meant_is_refused() -> None:
    for wrong in ({"sigma": 0.0}, {"sigma": math.nan}, {"prompt_sigma": -1.0}, {"delta": -1.0},
                  {"delta": math.inf}, {"k": math.nan}, {"kappa": -1}):  # fmt: skip
        with pytest.raises(BadInput):
            RestrainConfig(**wrong)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="no vote"):
        PLAIN.checked(1)
    with pytest.raises(BadInput, match="kappa"):
        replace(PLAIN, kappa=9).checked(8)
    assert from_json(RestrainConfig, to_json(PLAIN), "config.json") == PLAIN
