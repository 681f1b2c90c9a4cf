"""What can be asked of a training."""

from dataclasses import replace

import pytest

from tastemaker.errors import BadInput
from tastemaker.train.config import FitConfig, learning_rate


def test_learning_rates() -> None:
    config = FitConfig(lr=1.0, warmup=4, anneal=10)
    assert [learning_rate(config, s, 10) for s in range(6)] == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    cosine = replace(config, schedule="cosine")
    rates = [learning_rate(cosine, s, 10) for s in range(4, 130)]
    assert rates[0] == 1.0
    assert rates[96] == rates[-1] == pytest.approx(0.1)
    assert all(a >= b for a, b in zip(rates, rates[1:], strict=False))


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"batch": 0}, {"lr": 0.0}, {"lr": float("nan")}])
def test_options_that_cannot_train(wrong: dict[str, float]) -> None:
    with pytest.raises(BadInput, match=next(iter(wrong))):
        FitConfig(**wrong)  # type: ignore[arg-type]
