"""Numbers of a run, and the shape of every committed result."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tastemaker.errors import BadInput
from tastemaker.options import EvaluateOptions, RunOptions
from tastemaker.recommend.sasrec import SASRecConfig
from tastemaker.results import _labels, compare_runs
from tastemaker.run import run_recommender
from tastemaker.train import FitConfig

RESULTS = sorted((Path(__file__).parents[1] / "results").glob("*.json"))
RECIPE = {"name", "paper", "data", "size", "seeds", "arms", "relations", "cpu_seconds",
          "peak_rss_mb", "commit", "date", "versions"}  # fmt: skip
RELATION = {"id", "claim", "a", "b", "metric", "difference", "ci95", "verdict"}


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_results_have_their_shape(path: Path) -> None:
    found = json.loads(path.read_text())
    if path.stem.startswith("bench-"):
        assert found["name"] == path.stem.removeprefix("bench-")
        for row in found["rows"]:
            assert {"what", "ours", "peer", "ratio", "target", "met"} <= row.keys()
        return
    assert found.keys() >= RECIPE
    for metrics in found["arms"].values():
        for values in metrics.values():
            assert len(values) == len(found["seeds"])
    for relation in found["relations"]:
        assert relation.keys() >= RELATION
        low, high = relation["ci95"]
        assert low <= relation["difference"] <= high
        assert relation["verdict"] in ("holds", "fails", "undecided", "underpowered")
        arms = found["arms"]
        means = [np.mean(arms[relation[side]][relation["metric"]]) for side in "ab"]
        assert means[0] - means[1] == pytest.approx(relation["difference"], abs=1e-6)


def test_buckets_cover_everybody_once() -> None:
    rng = np.random.default_rng(0)
    for amounts in (rng.geometric(0.05, 500), np.full(7, 3), np.array([0, 0, 1, 900])):
        labels, names = _labels(amounts)
        assert set(labels) <= set(names)
        for label, amount in zip(labels, amounts, strict=True):
            ends = [int(end.replace(",", "")) for end in str(label).split("–")]
            assert ends[0] <= amount <= ends[-1]


def test_runs_of_other_splits_do_not_pair_up(
    finished_run: Path, small_data: Path, tmp_path: Path
) -> None:
    options = RunOptions(data=str(small_data), out=str(tmp_path / "run"), split="last-2")
    shape = SASRecConfig(dim=8, layers=1, heads=1, inner=8, history=6)
    run_recommender(options, shape, FitConfig(epochs=1))
    with pytest.raises(BadInput, match="different data or splits"):
        compare_runs(EvaluateOptions(str(finished_run), str(tmp_path / "run")))


def test_histories_that_are_cut_are_said_once(small_data: Path, tmp_path: Path) -> None:
    options = RunOptions(str(small_data), out=str(tmp_path / "run"))
    found = run_recommender(options, SASRecConfig(dim=8, history=5), FitConfig(epochs=1))
    (said,) = [text for text in found["warnings"] if "newest 5" in text]
    assert said.startswith("41 of 60 histories are longer than 5 events: sasrec reads")
    whole = tmp_path / "whole"
    found = run_recommender(
        replace(options, out=str(whole)), SASRecConfig(dim=8, history=500), FitConfig(epochs=1)
    )
    assert not [text for text in found["warnings"] if "newest" in text]
