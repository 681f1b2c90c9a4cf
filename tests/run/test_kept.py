"""A run keeps the whole log, every event and its polarity, and the whole catalogue."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from tastemaker import files
from tastemaker.data.datasets import load
from tastemaker.data.declaration import Declaration, ValueBands
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.options import Frame, RunOptions
from tastemaker.recommend.sasrec import SASRec
from tastemaker.run.job import run_recommender
from tastemaker.run.kept import keep_data, kept_data
from tastemaker.run.saved import open_run
from tastemaker.train.stopping import Stopped
from tests.conftest import write_data
from tests.run.small import MODEL, TRAINING


def test_what_is_kept_is_what_was_read(small_data: Path, tmp_path: Path) -> None:
    dataset = load(small_data)
    bands = ValueBands("rating", {"explicit_negative": (0.5, 2.0)})
    dataset = replace(dataset, declared=Declaration(name="ring", licence="own", value=bands))
    keep_data(tmp_path, dataset)
    again = kept_data(tmp_path)
    assert again.interactions.sha256 == dataset.interactions.sha256
    assert again.declared == dataset.declared
    assert again.catalog.frame.equals(dataset.catalog.frame)
    assert (again.name, len(again.dropped)) == ("ring", 0)


def test_a_log_that_is_mapped_is_not_overwritten(small_data: Path, tmp_path: Path) -> None:
    keep_data(tmp_path, load(small_data))
    mapped = kept_data(tmp_path)
    before = (tmp_path / "events.arrow").stat().st_mtime_ns
    keep_data(tmp_path, mapped)
    assert (tmp_path / "events.arrow").stat().st_mtime_ns == before
    assert mapped.interactions.items.min() >= 1


@pytest.mark.parametrize("name", ["declaration.json", "events.arrow"])
def test_a_missing_part_is_said(small_data: Path, tmp_path: Path, name: str) -> None:
    keep_data(tmp_path, load(small_data))
    (tmp_path / name).unlink()
    with pytest.raises(ArtefactError):
        kept_data(tmp_path)


@pytest.mark.parametrize("kind", ["polars", "pandas", "arrow"])
def test_a_table_in_memory_is_run_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.chdir(tmp_path)
    frame = pl.read_csv(write_data(tmp_path / "data") / "interactions.csv")
    table: Frame = {"polars": frame, "arrow": frame.to_arrow()}.get(kind, frame)
    if kind == "pandas":
        table = pd.DataFrame({name: frame[name].to_list() for name in frame.columns})
    results = run_recommender(RunOptions(data=table), MODEL, TRAINING)
    assert results["run"] == "runs/frame-sasrec"
    config = files.read_json(Path("runs/frame-sasrec/config.json"))
    assert config["data"] == "frame"
    assert config["data_sha256"] == load(frame).interactions.sha256
    assert open_run("runs/frame-sasrec").recommend("u1", 3).known


def test_a_run_of_a_table_goes_on_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = pl.read_csv(write_data(tmp_path / "data") / "interactions.csv")
    options = RunOptions(data=frame, out=str(tmp_path / "run"))
    run_recommender(replace(options, out=str(tmp_path / "whole")), MODEL, TRAINING)
    plain, calls = SASRec.loss, [0]

    def dying(self: SASRec, batch: object) -> object:
        calls[0] += 1
        if calls[0] == 3:
            raise Stopped(15)
        return plain(self, batch)  # type: ignore[arg-type]

    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr(SASRec, "loss", dying)
        run_recommender(options, MODEL, TRAINING)
    later = RunOptions(data="frame", out=str(tmp_path / "run"), resume=True)
    run_recommender(later, MODEL, TRAINING)
    for name in ("model.safetensors", "users.parquet", "events.arrow"):
        whole = (tmp_path / "whole" / name).read_bytes()
        assert (tmp_path / "run" / name).read_bytes() == whole, name
    assert run_recommender(later, MODEL, TRAINING)["best"]  # a finished one is read
    longer = replace(TRAINING, epochs=TRAINING.epochs + 1)
    assert run_recommender(later, MODEL, longer)["training"]["epochs"] >= 1
    with pytest.raises(BadInput, match="'frame'"):
        run_recommender(replace(later, out=str(tmp_path / "other")), MODEL, TRAINING)


def test_another_table_is_not_resumed(tmp_path: Path) -> None:
    frame = pl.read_csv(write_data(tmp_path / "data") / "interactions.csv")
    options = RunOptions(data=frame, out=str(tmp_path / "run"))
    run_recommender(options, MODEL, TRAINING)
    other = frame.filter(np.arange(len(frame)) > 0)
    with pytest.raises(ArtefactError, match="differs"):
        run_recommender(replace(options, data=other, resume=True), MODEL, TRAINING)


def test_a_path_is_run_on(small_data: Path, tmp_path: Path) -> None:
    run_recommender(RunOptions(data=small_data, out=str(tmp_path / "run")), MODEL, TRAINING)
    assert files.read_json(tmp_path / "run" / "config.json")["data"] == str(small_data)


def test_a_run_says_where_its_pictures_lie(tmp_path: Path) -> None:
    folder, out = write_data(tmp_path / "pictured"), tmp_path / "run"
    rows = pl.read_parquet(folder / "items.parquet")
    rows = rows.with_columns(image=pl.lit("shots/") + pl.col("item_id") + ".png")
    rows.write_parquet(folder / "items.parquet")
    run_recommender(RunOptions(data=str(folder), out=str(out)), MODEL, TRAINING)
    pictures = open_run(out).catalog.pictures()
    assert pictures[0] is not None and pictures[0].parent == folder / "shots"
