"""A finished run of the same plan is read; one of another plan is left alone."""

import shutil
import signal
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from tastemaker.data.ground import EVENT, INTEREST
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.options import RunOptions
from tastemaker.recommend.priors_shape import PriorsConfig
from tastemaker.recommend.sasrec import SASRec
from tastemaker.run.job import run_recommender
from tastemaker.run.plan import make_plan
from tastemaker.run.saved import open_run
from tastemaker.train.config import FitConfig
from tastemaker.train.stopping import Stopped
from tastemaker.worlds.planted_interests import PlantedOptions, PlantedUsers, plant_users
from tests.run.small import MODEL, TRAINING

INTERESTS = PriorsConfig(backbone=MODEL, priors=("interest",), negatives=5)


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
    with pytest.raises(ArtefactError, match="model_config.dim differs"):
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


def test_a_stopped_extension_can_be_read_and_gone_on_with(
    finished_run: Path, small_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    options = RunOptions(data=str(small_data), out=str(run), resume=True)
    longer = replace(TRAINING, epochs=TRAINING.epochs + 1)

    def stop(*given: object) -> None:
        raise Stopped(signal.SIGTERM)

    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr(SASRec, "loss", stop)
        run_recommender(options, MODEL, longer)
    assert open_run(run).results == open_run(finished_run).results
    before = run_recommender(options, MODEL, TRAINING)  # the same options: it is read
    assert before["training"]["epochs"] == TRAINING.epochs
    with pytest.raises(ArtefactError, match="epochs differs"):
        run_recommender(options, MODEL, replace(TRAINING, epochs=1))
    assert run_recommender(options, MODEL, longer)["training"]["epochs"] == longer.epochs
    assert open_run(run).config["fit"]["epochs"] == longer.epochs


def test_a_split_without_validation_queries_is_refused_before_anything_else(tmp_path: Path) -> None:
    rows = [(f"u{n}", f"i{m}", m) for n in range(8) for m in range(5)]
    rows += [(f"v{n}", f"i{n % 5}", 6) for n in range(8)] + [("u0", "i0", 9), ("u1", "i1", 9)]
    frame = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")
    options = RunOptions(data=frame, out=str(tmp_path / "run"), split="global-time", repeats=True)
    with pytest.raises(BadInput, match="no validation query|No event|no validation"):
        run_recommender(options, MODEL, TRAINING)
    assert not (tmp_path / "run").exists()


def test_a_plan_knows_the_kinds_of_event(small_data: Path, tmp_path: Path) -> None:
    options = RunOptions(data=str(small_data), out=str(tmp_path / "run"))
    plan = make_plan(options, tmp_path / "run", MODEL, TRAINING, {})
    assert plan.ground.groupings[EVENT].names == plan.cuts.interactions.event_names


def liking(folder: Path, world: PlantedUsers, frame: pl.DataFrame) -> Path:
    """A data folder of a log with planted interests."""
    folder.mkdir()
    frame.write_csv(folder / "interactions.csv")
    world.catalog().frame.select("item_id", "text", "categories").write_parquet(
        folder / "items.parquet"
    )
    world.declared.save(folder / "dataset.json")
    return folder


def test_interests_are_counted_in_training_events_and_are_heads(tmp_path: Path) -> None:
    """The events of validation and test change nothing; users, heads and answers go together."""
    kinds = ("explicit_positive", "implicit_positive")
    world = plant_users(PlantedOptions(users=30, length=60, kinds=kinds))
    data = liking(tmp_path / "data", world, world.frame)
    last = pl.int_range(pl.len()).over("user_id") >= pl.len().over("user_id") - 2
    other = world.frame.with_columns(
        event=pl.when(last).then(pl.lit("view")).otherwise("event"),
        item_id=pl.when(last).then(pl.col("item_id").shuffle(1)).otherwise("item_id"),
    )
    changed = liking(tmp_path / "changed", world, other)
    plans = [
        make_plan(RunOptions(str(folder), repeats=True), tmp_path / "run", INTERESTS, TRAINING, {})
        for folder in (data, changed)
    ]
    one, two = (plan.ground.groupings[INTEREST] for plan in plans)
    assert one.names == two.names
    assert (one.membership != two.membership).nnz == 0
    assert one.num_members == 30
    run = tmp_path / "run"
    made = run_recommender(
        RunOptions(data=str(data), out=str(run)), INTERESTS, FitConfig(epochs=1, warmup=1)
    )
    assert "interest" in made["heads"]["axes"]
    saved = open_run(run)
    group = next(name for name in one.names if name != "other")
    answer = saved.recommend("u1", 3, model="priors", only=[f"interest:{group}"])
    assert len(answer.items) == 3


def test_interests_need_categories(small_data: Path, tmp_path: Path) -> None:
    frame = pl.read_csv(small_data / "interactions.csv")
    with pytest.raises(BadInput, match="No interest"):
        run_recommender(RunOptions(data=frame, out=str(tmp_path / "run")), INTERESTS, TRAINING)
