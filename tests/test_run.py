"""The main job on a small folder: complete, honest, repeatable, resumable, and never half done."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from tastemaker import artifacts
from tastemaker.checkpoints import StopSignal
from tastemaker.data.problems import BadData
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.options import RunOptions
from tastemaker.recommend.answer import KIND, open_run
from tastemaker.recommend.models import Models
from tastemaker.recommend.sasrec import SASRec, SASRecConfig
from tastemaker.run import only_writer, run_folder, run_recommender
from tastemaker.train import FitConfig
from tests.conftest import write_data

MODEL = SASRecConfig(dim=8, layers=1, heads=1, inner=8, history=6)
TRAINING = FitConfig(epochs=3, warmup=5)
MADE = {
    "blend.json", "checkpoints", "config.json", "counting.safetensors", "events.arrow",
    "histories.arrow", "items.parquet", "manifest.json", "metrics.jsonl", "model.safetensors",
    "report.html", "results.json", "users.parquet", "vocab.parquet",
}  # fmt: skip


def test_a_run_directory_describes_itself(finished_run: Path) -> None:
    assert {path.name for path in finished_run.iterdir()} == MADE
    artifacts.verify(finished_run, KIND)
    config = artifacts.read_json(finished_run / "config.json")
    for key in ("data", "split", "seed", "model_config", "fit", "data_sha256", "split_sha256",
                "vocabulary_sha256", "versions", "commit", "threads"):  # fmt: skip
        assert key in config
    results = artifacts.read_json(finished_run / "results.json")
    assert list(results["models"]) == [
        "sasrec", "popularity", "co-occurrence", "markov-last-5", "markov-1", "item-knn", "ease",
        "blend",
    ]  # fmt: skip
    for metrics in results["models"].values():
        low, high = metrics["ndcg@10"]["ci95"]
        assert 0 <= low <= metrics["ndcg@10"]["mean"] <= high <= 1
        assert {"hr@10/unfiltered", "mrr@10", "coverage@10", "entropy@10"} <= metrics.keys()


def test_the_best_model_is_chosen_on_validation(finished_run: Path) -> None:
    results = artifacts.read_json(finished_run / "results.json")
    validation = results["validation"]
    assert results["best"] == max(validation, key=lambda name: validation[name])
    assert results["best"] in results["why"]


def test_means_are_means_of_the_users_kept(finished_run: Path) -> None:
    users = pl.read_parquet(finished_run / "users.parquet")
    results = artifacts.read_json(finished_run / "results.json")
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


def test_a_folder_that_holds_something_is_not_touched(small_data: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(BadInput, match="holds something"):
        run_recommender(RunOptions(data=str(small_data), out=str(tmp_path)))
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]


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


def test_default_folders_count_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_folder(RunOptions(data="a/b")) == Path("runs/b-sasrec")
    Path("runs/b-sasrec").mkdir(parents=True)
    assert run_folder(RunOptions(data="a/b")) == Path("runs/b-sasrec-2")
    with pytest.raises(BadInput, match="nothing to resume"):
        run_folder(RunOptions(resume=True))


def test_an_interrupted_run_resumes_to_the_same_artefacts(
    finished_run: Path, small_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = RunOptions(data=str(small_data), out=str(tmp_path / "run"))
    plain, calls = SASRec.loss, [0]

    def dying(self: SASRec, batch: object) -> object:
        calls[0] += 1
        if calls[0] == 3:
            raise StopSignal
        return plain(self, batch)  # type: ignore[arg-type]

    with monkeypatch.context() as patch, pytest.raises(StopSignal):
        patch.setattr(SASRec, "loss", dying)
        run_recommender(options, MODEL, TRAINING)
    with pytest.raises(ArtefactError, match="no finished artefact"):
        open_run(tmp_path / "run")
    with pytest.raises(ArtefactError, match="seed differs"):
        run_recommender(replace(options, resume=True, seed=3), MODEL, TRAINING)
    with pytest.raises(ArtefactError, match="model_config differs"):
        run_recommender(replace(options, resume=True), replace(MODEL, dim=16), TRAINING)
    run_recommender(replace(options, resume=True), MODEL, TRAINING)
    for name in ("model.safetensors", "metrics.jsonl", "users.parquet"):
        assert (tmp_path / "run" / name).read_bytes() == (finished_run / name).read_bytes(), name


def test_resuming_a_finished_run_only_reads_it(finished_run: Path, small_data: Path) -> None:
    before = (finished_run / "manifest.json").stat().st_mtime_ns
    options = RunOptions(data=str(small_data), out=str(finished_run), resume=True)
    results = run_recommender(options, MODEL, TRAINING)
    assert results["run"] == str(finished_run)
    assert (finished_run / "manifest.json").stat().st_mtime_ns == before


def test_a_finished_run_of_other_options_is_refused_and_left_alone(
    finished_run: Path, small_data: Path, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    options = RunOptions(data=str(small_data), out=str(run), resume=True)
    with pytest.raises(ArtefactError, match="model_config differs"):
        run_recommender(options, replace(MODEL, dim=16), TRAINING)
    with pytest.raises(ArtefactError, match="lr differs"):
        run_recommender(options, MODEL, replace(TRAINING, lr=0.5))
    with pytest.raises(ArtefactError, match="split_sha256 differs"):
        run_recommender(replace(options, split="last-2"), MODEL, TRAINING)
    longer = replace(TRAINING, epochs=TRAINING.epochs + 1)
    run_recommender(options, MODEL, longer)
    with pytest.raises(ArtefactError, match="epochs differs"):
        run_recommender(options, MODEL, TRAINING)
    assert open_run(run).config["fit"]["epochs"] == longer.epochs


def test_a_finished_run_trains_on_as_if_it_had_never_stopped(
    finished_run: Path, small_data: Path, tmp_path: Path
) -> None:
    longer = replace(TRAINING, epochs=TRAINING.epochs + 2)
    whole, grown = tmp_path / "whole", Path(shutil.copytree(finished_run, tmp_path / "grown"))
    run_recommender(RunOptions(data=str(small_data), out=str(whole)), MODEL, longer)
    run_recommender(RunOptions(data=str(small_data), out=str(grown), resume=True), MODEL, longer)
    for name in ("model.safetensors", "metrics.jsonl", "users.parquet"):
        assert (grown / name).read_bytes() == (whole / name).read_bytes(), name
    assert open_run(grown).results["training"]["epochs"] == longer.epochs


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
    asked = replace(options, repeats=True, out=str(tmp_path / "run2"))
    results = run_recommender(asked, MODEL, TRAINING)
    assert results["models"]["markov-1"]["hr@1"]["mean"] == 1.0
    answer = open_run(tmp_path / "run2").recommend("u0", 4)
    assert len(answer.items) == 4  # seen items may be recommended


def test_a_folder_has_one_writer_at_a_time(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tastemaker.run import only_writer\n"
        "with only_writer(Path(sys.argv[1])): print('in', flush=True); input()"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "run")]
    other = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "in\n"
        with (
            pytest.raises(BadInput, match="Another process is writing"),
            only_writer(tmp_path / "run"),
        ):
            pass
    finally:
        other.kill()
        other.communicate()
    with only_writer(tmp_path / "run"):  # its end let go, even by force
        pass
    assert not any((tmp_path / "run").iterdir())
