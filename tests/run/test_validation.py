"""What selects a training's weights: any accuracy metric, or a refusal before anything is done."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tastemaker.errors import BadInput
from tastemaker.options import RunOptions
from tastemaker.run.job import fresh_model, run_recommender, train_neural
from tastemaker.run.plan import make_plan
from tests.run.small import MODEL, TRAINING


@pytest.mark.parametrize("metric", ["mrr@10", "hr@20", "ndcg@10/unfiltered"])
def test_any_accuracy_metric_may_select(small_data: Path, tmp_path: Path, metric: str) -> None:
    plan = make_plan(
        RunOptions(data=str(small_data)), tmp_path, MODEL, replace(TRAINING, metric=metric), {}
    )
    fitted = train_neural(plan, fresh_model(plan), tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert fitted.best == max(line[metric] for line in lines)
    assert {"ndcg@10", "hr@10", "mrr@10"} <= lines[0].keys()


@pytest.mark.parametrize(
    "metric", ["auc", "recall@10", "ndcg@0", "mrr@41", "ndcg@10/seen", "", "@"]
)
def test_other_metrics_are_refused_before_training(
    small_data: Path, tmp_path: Path, metric: str
) -> None:
    options = RunOptions(data=str(small_data), out=str(tmp_path / "run"))
    with pytest.raises(BadInput, match="no metric") as caught:
        run_recommender(options, MODEL, replace(TRAINING, metric=metric))
    assert "mrr@10" in caught.value.fix
    assert not (tmp_path / "run").exists()


def test_several_targets_a_user_have_a_recall(small_data: Path, tmp_path: Path) -> None:
    options = RunOptions(data=str(small_data), split="last-2")
    make_plan(options, tmp_path, MODEL, replace(TRAINING, metric="recall@5"), {})
    with pytest.raises(BadInput, match="recall@50"):
        make_plan(options, tmp_path, MODEL, replace(TRAINING, metric="recall@50"), {})
