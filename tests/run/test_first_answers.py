"""Counting models answer first; the training after them begins as without them."""

import logging
from pathlib import Path

import pytest
import torch

from tastemaker.metrics.evaluate import evaluate
from tastemaker.options import RunOptions
from tastemaker.recommend.counting import COUNTING
from tastemaker.run import results
from tastemaker.run.first_answers import first_answers
from tastemaker.run.job import fresh_model, run_recommender
from tastemaker.run.plan import make_plan
from tests.run.small import MODEL, TRAINING


def test_values_and_recommendations_are_said_and_randomness_is_not_touched(
    small_data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plan = make_plan(RunOptions(str(small_data)), tmp_path / "run", MODEL, TRAINING, {})
    neural = fresh_model(plan)
    before = torch.get_rng_state()
    with caplog.at_level(logging.INFO, "tastemaker"):
        models = first_answers(plan, neural)
    assert torch.equal(before, torch.get_rng_state())
    assert list(models.validation) == list(COUNTING)
    assert models.validation[models.best_counting] == max(models.validation.values())
    for name, value in models.validation.items():
        assert any(f"{name} " in text and f"NDCG@10 {value:.4f}" in text
                   for text in caplog.messages)  # fmt: skip
    chose, recommends = caplog.messages[-2:]
    assert "newest first: Item <" in chose
    assert recommends.startswith(f"{models.best_counting} recommends: Item <")


def test_counting_models_are_measured_on_validation_once(
    small_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def counted(model: object, *given: object) -> object:
        asked.append(type(model).__name__)
        return evaluate(model, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(results, "evaluate", counted)
    run_recommender(RunOptions(str(small_data), out=str(tmp_path / "run")), MODEL, TRAINING)
    assert sorted(asked) == sorted(
        [kind.__name__ for kind in COUNTING.values()] + 2 * ["SASRec", "Blend"]
    )


def test_names_of_any_length_take_little_of_a_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [
        f"{'u' * 300}{user},{'i' * 300}{(user + n) % 7},{n}" for user in range(9) for n in range(4)
    ]
    (tmp_path / "log.csv").write_text("\n".join(["user_id,item_id,timestamp", *rows]))
    plan = make_plan(RunOptions(tmp_path / "log.csv"), tmp_path / "run", MODEL, TRAINING, {})
    with caplog.at_level(logging.INFO, "tastemaker"):
        first_answers(plan, fresh_model(plan))
    assert max(map(len, caplog.messages[-2:])) < 500
