"""Signals by hand, and that labels reach none but the one that has them."""

import inspect
import math
from dataclasses import fields, replace
from typing import get_args, get_type_hints

import pytest
import torch
from torch import Tensor

from tastemaker.errors import BadInput, NumericFault
from tastemaker.reinforce import signals
from tastemaker.reinforce.restrain import RestrainConfig, Streams, advantages
from tastemaker.reinforce.signals import (
    LABEL_FREE,
    LABELLED,
    LabelFree,
    Labelled,
    Rollouts,
    SignalConfig,
    self_certainty,
    signal,
    standardised,
)

CONFIG = SignalConfig()
ANSWERS = torch.tensor([[0, 0, 0, 1, 1, 2, -1, 3], [5, 4, 5, 4, 4, 4, 4, 4]])
LABELS = torch.tensor([1, 5])
SEEN = Rollouts(
    ANSWERS,
    prompt_weights=torch.tensor([0.5, 1.0]),
    base_answers=torch.tensor([2, -1]),
    base_shares=torch.tensor([0.4, 0.75]),
    certainty=torch.linspace(0, 1, 16).reshape(2, 8),
)


class Poison(Tensor):
    """Labels that nobody may touch."""

    @classmethod
    def __torch_function__(cls, *_: object, **__: object) -> None:  # type: ignore[override]
        raise AssertionError("a label was read")


POISONED = torch.Tensor._make_subclass(Poison, LABELS.float())


def test_labels_are_in_nothing_that_a_rule_without_them_is_given() -> None:
    assert set(get_args(LabelFree)) == LABEL_FREE.keys()
    assert set(get_args(Labelled)) == LABELLED.keys()
    for rule in LABEL_FREE.values():
        given = get_type_hints(rule)
        assert list(given.values()) == [Rollouts, SignalConfig, Streams], rule
        assert len(inspect.signature(rule).parameters) == 2
    assert not any("label" in one.name or "gold" in one.name for one in fields(Rollouts))


@pytest.mark.parametrize("name", list(LABEL_FREE))
def test_poisoned_labels_change_nothing(name: LabelFree) -> None:
    clean, poisoned = signal(name, SEEN, CONFIG), signal(name, SEEN, CONFIG, POISONED)
    assert torch.equal(clean.positive, poisoned.positive)
    assert torch.equal(clean.negative, poisoned.negative)
    with pytest.raises(AssertionError, match="was read"):
        signal("gold", SEEN, CONFIG, POISONED)


def test_rewards_by_hand() -> None:
    def same(found: Streams, wanted: list[list[float]]) -> None:
        rewards = standardised(torch.tensor(wanted))
        torch.testing.assert_close(found.total, rewards.total)
        assert not found.penalised.any()

    first, second = [1.0, 1, 1, 0, 0, 0, 0, 0], [0.0, 1, 0, 1, 1, 1, 1, 1]
    same(
        signal("gold", SEEN, CONFIG, LABELS), [[0.0, 0, 0, 1, 1, 0, 0, 0], [1 - x for x in second]]
    )
    same(signal("ttrl", SEEN, CONFIG), [first, second])
    same(signal("srt-majority", SEEN, CONFIG), [[0.0, 0, 0, 0, 0, 1, 0, 0], [0.0] * 8])
    same(signal("srt-easy", SEEN, CONFIG), [[0.0] * 8, second])
    votes = [[3.0, 3, 3, 2, 2, 1, 0, 1], [2.0, 6, 2, 6, 6, 6, 6, 6]]
    same(signal("empo", SEEN, CONFIG), [[c / 8 for c in row] for row in votes])
    narrow = signal("empo", SEEN, replace(CONFIG, band=(0.3, 0.9))).total
    assert (narrow[1] == 0).all() and (narrow[0] != 0).any()
    torch.testing.assert_close(
        signal("self-certainty", SEEN, CONFIG).total[0], standardised(SEEN.certainty).total[0]
    )
    found = signal("restrain", SEEN, CONFIG)
    torch.testing.assert_close(
        found.total, advantages(ANSWERS, SEEN.prompt_weights, RestrainConfig()).total
    )


def test_an_advantage_is_that_of_the_trainers() -> None:
    found = standardised(torch.tensor([[1.0, 0, 0, 0]]))
    assert found.total[0].tolist() == pytest.approx([0.75 / 0.5001, *[-0.25 / 0.5001] * 3])


@pytest.mark.parametrize("row", [[3] * 8, [-1] * 8, list(range(8))])
def test_groups_without_a_difference_teach_nothing(row: list[int]) -> None:
    seen = Rollouts(torch.tensor([row]))
    assert (signal("empo", seen, CONFIG).total == 0).all()
    if len(set(row)) == 1:
        assert (signal("ttrl", seen, CONFIG).total == 0).all()


def test_a_coin_is_another_each_step_and_the_same_again() -> None:
    tosses = [
        signal("random", replace(SEEN, step=step), replace(CONFIG, seed=seed)).total
        for step, seed in ((0, 0), (0, 0), (1, 0), (0, 1))
    ]
    assert torch.equal(tosses[0], tosses[1])
    assert not torch.equal(tosses[0], tosses[2]) and not torch.equal(tosses[0], tosses[3])


def test_self_certainty_is_the_divergence_of_uniform() -> None:
    logs = torch.randn(2, 3, 5).log_softmax(-1)
    uniform = torch.full((5,), 1 / 5)
    by_hand = (uniform * (uniform.log() - logs)).sum(-1)
    torch.testing.assert_close(self_certainty(logs), by_hand.mean(-1))
    mask = torch.tensor([[1, 1, 0], [0, 0, 0]])
    found = self_certainty(logs, mask)
    assert found[0] == pytest.approx(float(by_hand[0, :2].mean()), abs=1e-6) and found[1] == 0
    assert self_certainty(torch.full((1, 4), -math.log(4))) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("wrong", [math.nan, -math.inf])
def test_log_probabilities_that_are_none_are_refused(wrong: float) -> None:
    logs = torch.zeros(2, 3)
    logs[1, 2] = wrong
    with pytest.raises(NumericFault, match="log-probabilities"):
        self_certainty(logs)
    with pytest.raises(NumericFault, match="rewards"):
        signal("self-certainty", replace(SEEN, certainty=torch.full((2, 8), wrong)), CONFIG)


def test_what_is_missing_is_named() -> None:
    bare = Rollouts(ANSWERS)
    for name, what in (("srt-majority", "base_answers"), ("srt-easy", "base_shares"),
                       ("self-certainty", "certainty"), ("gold", "labels")):  # fmt: skip
        with pytest.raises(BadInput) as caught:
            signal(name, bare, CONFIG)
        assert caught.value.where == what
    with pytest.raises(BadInput, match="best"):
        signal("best", bare, CONFIG)  # type: ignore[arg-type]
    for dial in ({"easy": 1.5}, {"band": (0.5, 0.5)}, {"band": (0.0, 2.0)}):
        with pytest.raises(BadInput):
            SignalConfig(**dial)  # type: ignore[arg-type]
    assert signals.LABELLED is LABELLED
