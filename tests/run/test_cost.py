"""What a compressed history costs, as `tastemaker evaluate RUN --cost` says."""

from pathlib import Path

import pytest
import torch

from tastemaker.data.batches import Batch
from tastemaker.errors import BadInput
from tastemaker.options import RunOptions
from tastemaker.recommend.persrec_shape import PerSRecConfig
from tastemaker.recommend.sasrec import SASRecConfig
from tastemaker.run.cost import evaluate_cost, filled_up
from tastemaker.run.job import run_recommender
from tastemaker.run.saved import open_run
from tastemaker.train.config import FitConfig

SHAPE = PerSRecConfig(SASRecConfig(dim=8, inner=8), old=12, recent=4, tokens=2)


def test_a_run_says_what_it_costs(
    small_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = RunOptions(data=str(small_data), out=str(tmp_path / "run"))
    run = run_recommender(options, SHAPE, FitConfig(epochs=2, batch=8))["run"]
    cost = evaluate_cost(run)["cost"]
    for side in (cost["formula"], cost["measured"]):
        assert side["full"] > 0 and side["cached"] > 0 and side["compression"] > 0
        assert side["amortised"]["1"] == side["cached"] + side["compression"]
    assert cost["formula"]["share_of_full"] < 1
    assert cost["memory"]["numbers"] == 2 * 2 * 8 + 8
    from tastemaker.cli import main

    assert main(["evaluate", run, "--cost"]) == 0
    said = capsys.readouterr().out
    assert "12 old events in 2 tokens" in said and "compression" in said
    assert main(["evaluate", run, "--cost", "--model", "blend"]) == 2
    answer = open_run(run).recommend(open_run(run).interactions.user_ids[0], 3)
    assert len(answer.items) == 3


def test_the_cost_of_another_model_is_refused(finished_run: Path) -> None:
    with pytest.raises(BadInput, match="compresses no history"):
        evaluate_cost(finished_run)


def test_a_history_is_repeated_until_it_is_long_enough() -> None:
    items = torch.tensor([[3, 1, 2]])
    made = filled_up(Batch(items, items > 0, torch.arange(3), 10 * items), 7)
    assert made.items.tolist() == [[3, 1, 2, 3, 1, 2, 3]]
    assert made.times is not None and (made.times.diff() >= 0).all() and made.valid.all()
