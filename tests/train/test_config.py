"""What can be asked of a training."""

from dataclasses import replace
from typing import Any

import pytest

from tastemaker.cli import main
from tastemaker.errors import BadInput
from tastemaker.train.config import FitConfig, learning_rate


def test_learning_rates() -> None:
    config = FitConfig(lr=1.0, warmup=4, anneal=10)
    assert [learning_rate(config, s, 10) for s in range(6)] == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    cosine = replace(config, schedule="cosine")
    rates = [learning_rate(cosine, s, 10) for s in range(4, 130)]
    assert rates[0] == 1.0
    assert rates[96] == rates[-1] == pytest.approx(0.1)
    assert rates[48] == pytest.approx(0.55), "half-way between the warm-up and the tenth epoch"
    assert rates[24] == pytest.approx(0.1 + 0.45 * (1 + 0.5**0.5))
    assert learning_rate(replace(cosine, anneal=1), 9, 4) == pytest.approx(0.1), "all warm-up"
    assert all(a >= b for a, b in zip(rates, rates[1:], strict=False))


NONSENSE: list[dict[str, Any]] = [
    {"epochs": 0}, {"epochs": -1}, {"epochs": 10**30}, {"epochs": True}, {"epochs": 1.5},
    {"batch": 0}, {"batch": 2**40}, {"anneal": 0}, {"validate_every": 0}, {"checkpoint_every": 0},
    {"warmup": -1}, {"patience": -1}, {"seed": -1}, {"seed": 10**20},
    {"lr": 0.0}, {"lr": -1.0}, {"lr": float("nan")}, {"lr": float("inf")}, {"lr": 10**400},
    {"clip": 0.0}, {"clip": -1.0}, {"clip": float("nan")}, {"clip": float("inf")},
    {"weight_decay": -0.1}, {"weight_decay": float("nan")}, {"weight_decay": float("inf")},
    {"track": "tensorbord"}, {"track": "all"}, {"schedule": "linear"}, {"precision": "fp16"},
]  # fmt: skip


@pytest.mark.parametrize("wrong", NONSENSE, ids=str)
def test_options_that_cannot_train(wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(BadInput, match=name) as caught:
        FitConfig(**wrong)
    assert caught.value.fix


def test_the_least_of_each_option_trains() -> None:
    FitConfig(epochs=1, warmup=0, patience=0, weight_decay=0.0, seed=0, track="mlflow", clip=1)
    FitConfig(batch=1, anneal=1, validate_every=1, checkpoint_every=1, lr=5e-324 * 2**60)
    FitConfig(epochs=2**32 - 1, seed=2**32 - 1, lr=1e308, clip=1e308, weight_decay=1e308)
    for name in ("epochs", "seed", "batch"):
        with pytest.raises(BadInput, match=name):
            FitConfig(**{name: 2**32})
    with pytest.raises(BadInput, match="tensorboard, wandb, mlflow"):
        FitConfig(track="none")


def test_the_command_answers_in_a_paragraph(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "sasrec", "--fit.epochs", "0"]) == 2
    assert capsys.readouterr().err.startswith("Error: epochs = 0")
