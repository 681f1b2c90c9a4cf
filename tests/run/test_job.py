"""The main job on a small folder: complete, honest, repeatable, resumable, and never half done."""

import json
import logging
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any
from weakref import ref

import polars as pl
import pytest

from tastemaker import artifacts, files
from tastemaker.data.problems import BadData
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.options import RunOptions
from tastemaker.recommend.ease import Ease
from tastemaker.recommend.sasrec import SASRec
from tastemaker.run import job, results
from tastemaker.run.folder import KIND
from tastemaker.run.job import run_recommender
from tastemaker.run.models import Models
from tastemaker.run.saved import open_run
from tastemaker.train.loop import fit
from tastemaker.train.stopping import Stopped
from tests.conftest import write_data
from tests.run.small import MODEL, TRAINING

MADE = {
    "blend.json", "checkpoints", "config.json", "counting.safetensors",
    "declaration.json", "events.arrow",
    "histories.arrow", "items.parquet", "manifest.json", "metrics.jsonl", "model.safetensors",
    "report.html", "results.json", "users.parquet", "vocab.parquet",
}  # fmt: skip


def test_a_run_directory_describes_itself(finished_run: Path) -> None:
    assert {path.name for path in finished_run.iterdir()} == MADE
    artifacts.verify(finished_run, KIND)
    config = files.read_json(finished_run / "config.json")
    for key in ("data", "split", "seed", "model_config", "fit", "data_sha256", "split_sha256",
                "vocabulary_sha256", "versions", "commit", "threads"):  # fmt: skip
        assert key in config
    results = files.read_json(finished_run / "results.json")
    assert list(results["models"]) == [
        "sasrec", "popularity", "co-occurrence", "markov-last-5", "markov-1", "item-knn", "ease",
        "blend",
    ]  # fmt: skip
    for metrics in results["models"].values():
        low, high = metrics["ndcg@10"]["ci95"]
        assert 0 <= low <= metrics["ndcg@10"]["mean"] <= high <= 1
        assert {"hr@10/unfiltered", "mrr@10", "coverage@10", "entropy@10"} <= metrics.keys()


def test_the_best_model_is_chosen_on_validation(finished_run: Path) -> None:
    results = files.read_json(finished_run / "results.json")
    validation = results["validation"]
    assert results["best"] == max(validation, key=lambda name: validation[name])
    assert results["best"] in results["why"]


def test_means_are_means_of_the_users_kept(finished_run: Path) -> None:
    users = pl.read_parquet(finished_run / "users.parquet")
    results = files.read_json(finished_run / "results.json")
    assert users["user_id"].n_unique() == results["split"]["test_users"]
    for name, metrics in results["models"].items():
        of_model = users.filter(pl.col("model") == name)
        for metric in ("ndcg@10", "hr@5", "mrr@10/unfiltered"):
            assert of_model[metric].mean() == pytest.approx(metrics[metric]["mean"])


def test_the_same_seed_gives_the_same_run(
    finished_run: Path, small_data: Path, tmp_path: Path
) -> None:
    options = RunOptions(data=str(small_data), out=str(tmp_path / "again"))
    run_recommender(options, MODEL, TRAINING)
    for name in ("model.safetensors", "counting.safetensors", "metrics.jsonl", "users.parquet"):
        assert (tmp_path / "again" / name).read_bytes() == (finished_run / name).read_bytes(), name
    other = replace(options, out=str(tmp_path / "other"), seed=1)
    run_recommender(other, MODEL, TRAINING)
    changed = (tmp_path / "other" / "model.safetensors").read_bytes()
    assert changed != (finished_run / "model.safetensors").read_bytes()


def test_bad_data_leaves_nothing(tmp_path: Path) -> None:
    folder = write_data(tmp_path / "data")
    with (folder / "interactions.csv").open("a") as file:
        file.write("u1,unknown,nan\n")
    with pytest.raises(BadData):
        run_recommender(RunOptions(data=str(folder), out=str(tmp_path / "run")))
    assert not (tmp_path / "run").exists()
    dropping = RunOptions(data=str(folder), out=str(tmp_path / "run"), on_bad_rows="drop")
    run_recommender(dropping, MODEL, TRAINING)
    assert "not a time" in (tmp_path / "run-bad-rows.csv").read_text()


def test_an_interrupted_run_resumes_to_the_same_artefacts(
    finished_run: Path, small_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = RunOptions(data=str(small_data), out=str(tmp_path / "run"))
    plain, calls = SASRec.loss, [0]

    def dying(self: SASRec, batch: object) -> object:
        calls[0] += 1
        if calls[0] == 3:
            raise Stopped(signal.SIGTERM)
        return plain(self, batch)  # type: ignore[arg-type]

    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr(SASRec, "loss", dying)
        run_recommender(options, MODEL, TRAINING)
    with pytest.raises(ArtefactError, match="not finished"):
        open_run(tmp_path / "run")
    with pytest.raises(ArtefactError, match="seed differs"):
        run_recommender(replace(options, resume=True, seed=3), MODEL, TRAINING)
    with pytest.raises(ArtefactError, match="model_config.dim differs"):
        run_recommender(replace(options, resume=True), replace(MODEL, dim=16), TRAINING)
    run_recommender(replace(options, resume=True), MODEL, TRAINING)
    for name in ("model.safetensors", "metrics.jsonl", "users.parquet"):
        assert (tmp_path / "run" / name).read_bytes() == (finished_run / name).read_bytes(), name


def test_what_ranks_is_freed_before_intervals_and_the_report(
    small_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted, compare, kept = Ease.fit, results.compare, []

    def fitting(*given: Any, **set_to: Any) -> Ease:
        model: Ease = fitted(*given, **set_to)
        kept.append(ref(model))
        return model

    def comparing(*given: Any) -> Any:
        assert [one() for one in kept] == [None]
        return compare(*given)

    monkeypatch.setattr(Ease, "fit", fitting)
    monkeypatch.setattr(results, "compare", comparing)
    run_recommender(RunOptions(data=str(small_data), out=str(tmp_path / "run")), MODEL, TRAINING)
    assert kept


def test_the_cpu_seconds_of_a_run_count_all_its_starts(
    small_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "fit", lambda *given: replace(fit(*given), cpu_seconds=5_000.0))
    options = RunOptions(data=str(small_data), out=str(tmp_path / "run"))
    spent = run_recommender(options, MODEL, TRAINING)["training"]["cpu_seconds"]
    assert 5_000 <= spent < 5_060


def test_a_model_of_another_vocabulary_is_refused(finished_run: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    saved = open_run(run)
    config = saved.config | {"vocabulary_sha256": "0" * 64}
    with pytest.raises(ArtefactError, match="another vocabulary") as caught:
        Models.open(run, config, saved.interactions, saved.catalog)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("name", sorted(MADE - {"manifest.json", "checkpoints"}))
def test_a_changed_file_of_a_run_is_noticed(finished_run: Path, tmp_path: Path, name: str) -> None:
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    raw = bytearray((run / name).read_bytes())
    raw[len(raw) // 2] ^= 4
    (run / name).write_bytes(raw)
    with pytest.raises(ArtefactError) as caught:
        open_run(run)
    assert name in caught.value.file


@pytest.mark.parametrize("split", ["last-2", "global-time"])
def test_other_splits_run_too(small_data: Path, tmp_path: Path, split: str) -> None:
    options = RunOptions(data=str(small_data), out=str(tmp_path / "run"), split=split)
    results = run_recommender(options, MODEL, TRAINING)
    assert results["split"]["name"] == split
    assert json.dumps(results, allow_nan=False)


def test_logs_with_repeats_are_refused_until_asked_for(tmp_path: Path) -> None:
    rows = [f"u{u},i{(u + n) % 4},{u * 100 + n}" for u in range(20) for n in range(9)]
    (tmp_path / "interactions.csv").write_text("user_id,item_id,timestamp\n" + "\n".join(rows))
    options = RunOptions(data=str(tmp_path), out=str(tmp_path / "run"))
    with pytest.raises(BadInput, match="--repeats"):
        run_recommender(options, MODEL, TRAINING)
    assert not (tmp_path / "run").exists()
    asked = replace(options, repeats=True)
    results = run_recommender(asked, MODEL, TRAINING)
    assert results["models"]["markov-1"]["hr@1"]["mean"] == 1.0
    answer = open_run(tmp_path / "run").recommend("u0", 4)
    assert len(answer.items) == 4  # seen items may be recommended


def test_what_cannot_be_measured_is_refused_before_training_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One test target of many repeats: only the last user comes back to the first item."""
    rows = [f"u{u},i{(u + n) % 9},{u * 100 + n}" for u in range(20) for n in range(6)]
    rows.append("u19,i1,2000")
    (tmp_path / "log.csv").write_text("user_id,item_id,timestamp\n" + "\n".join(rows))
    options = RunOptions(data=str(tmp_path / "log.csv"), out=str(tmp_path / "run"))
    with monkeypatch.context() as patch:
        patch.setattr("tastemaker.run.job.fit", None)
        with pytest.raises(BadInput) as caught:
            run_recommender(options, MODEL, TRAINING)
    assert "--repeats" in caught.value.fix
    assert "'u19'" in caught.value.where
    assert "'i1'" in caught.value.where
    assert not (tmp_path / "run").exists()
    assert run_recommender(replace(options, repeats=True), MODEL, TRAINING)["best"]


def test_stages_are_said_in_their_order_and_counting_comes_first(
    small_data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    options = RunOptions(data=str(small_data), out=str(tmp_path / "run"))
    with caplog.at_level(logging.INFO, "tastemaker"):
        results = run_recommender(options, MODEL, TRAINING)
    said = caplog.messages
    stages = ("reading", "counting models", " recommends: ", "training sasrec", "epoch 3 of",
              "fitting the blend", "measuring", "writing the report")  # fmt: skip
    where = [next(n for n, text in enumerate(said) if stage in text) for stage in stages]
    assert where == sorted(where)
    values = next(text for text in said if text.split()[0] == "ease")
    assert f"NDCG@10 {results['validation']['ease']:.4f}" in values
