"""Finished runs measured again and compared."""

from pathlib import Path

import pytest

from tastemaker.errors import BadInput
from tastemaker.options import RunOptions
from tastemaker.recommend.sasrec import SASRecConfig
from tastemaker.run.compare import compare_runs
from tastemaker.run.job import run_recommender
from tastemaker.train.config import FitConfig


def test_runs_of_other_splits_do_not_pair_up(
    finished_run: Path, small_data: Path, tmp_path: Path
) -> None:
    options = RunOptions(data=str(small_data), out=str(tmp_path / "run"), split="last-2")
    shape = SASRecConfig(dim=8, layers=1, heads=1, inner=8, history=6)
    run_recommender(options, shape, FitConfig(epochs=1))
    with pytest.raises(BadInput, match="different data or splits"):
        compare_runs(finished_run, tmp_path / "run")
