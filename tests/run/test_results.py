"""Numbers of a run, and the shape of every committed result."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from tastemaker.options import RunOptions
from tastemaker.recommend.sasrec import SASRecConfig
from tastemaker.run.job import run_recommender
from tastemaker.run.results import _labels
from tastemaker.train.config import FitConfig


def test_buckets_cover_everybody_once() -> None:
    rng = np.random.default_rng(0)
    for amounts in (rng.geometric(0.05, 500), np.full(7, 3), np.array([0, 0, 1, 900])):
        labels, names = _labels(amounts)
        assert set(labels) <= set(names)
        for label, amount in zip(labels, amounts, strict=True):
            ends = [int(end.replace(",", "")) for end in str(label).split("–")]
            assert ends[0] <= amount <= ends[-1]


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
