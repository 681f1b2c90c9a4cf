"""Numbers of a run: chosen on validation, compared with true rivals only."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tastemaker import files
from tastemaker.options import RunOptions
from tastemaker.recommend.counting import COUNTING
from tastemaker.run.job import run_recommender
from tastemaker.run.results import _labels
from tests.run.small import MODEL, TRAINING


def test_buckets_cover_everybody_once() -> None:
    rng = np.random.default_rng(0)
    for amounts in (rng.geometric(0.05, 500), np.full(7, 3), np.array([0, 0, 1, 900])):
        labels, names = _labels(amounts)
        assert set(labels) <= set(names)
        for label, amount in zip(labels, amounts, strict=True):
            ends = [int(end.replace(",", "")) for end in str(label).split("–")]
            assert ends[0] <= amount <= ends[-1]


def test_why_shows_test_beside_validation(finished_run: Path) -> None:
    results = files.read_json(finished_run / "results.json")
    others = {name: v for name, v in results["validation"].items() if name != results["best"]}
    second = max(others, key=lambda name: others[name])
    for name in (results["best"], second):
        assert f"{results['validation'][name]:.4f}" in results["why"]
        assert f"({results['models'][name]['ndcg@10']['mean']:.4f}" in results["why"]


@pytest.mark.parametrize("alone", ["sasrec", "ease"])
def test_a_blend_that_is_one_model_is_not_that_models_rival(
    alone: str, small_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def all_on_one(parts: Any, *given: Any) -> tuple[dict[str, float], float]:
        return {name: float(name == alone) for name in parts}, 0.5

    monkeypatch.setattr("tastemaker.run.job.fit_weights", all_on_one)
    options = RunOptions(str(small_data), out=str(tmp_path / "run"))
    found = run_recommender(options, MODEL, TRAINING)
    assert f"The blend is {alone} alone" in found["why"]
    rivals = {pair["b"] for pair in found["comparisons"]}
    same = {"blend", alone}
    expected = set(found["models"]) - (same if found["best"] in same else {found["best"]})
    assert rivals == expected
    assert found["validation"]["blend"] == pytest.approx(found["validation"][alone])


def test_a_run_without_some_counting_models_is_measured_as_well(
    small_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {name: kind for name, kind in COUNTING.items() if name != "markov-last-5"}
    monkeypatch.setattr("tastemaker.run.models.COUNTING", few)
    options = RunOptions(str(small_data), out=str(tmp_path / "run"))
    found = run_recommender(options, MODEL, TRAINING)
    assert "markov-last-5" not in found["models"]
    assert set(found["blend"]) == {"sasrec", "ease"}
    assert all(row["models"] for rows in found["buckets"].values() for row in rows)
