"""A run of a log in which people also refuse items."""

import json
from pathlib import Path

import polars as pl

from tastemaker.options import RunOptions
from tastemaker.run.job import run_recommender
from tastemaker.run.saved import SavedRun, open_run
from tests.conftest import write_data
from tests.run.small import MODEL, TRAINING


def refusing_run(folder: Path) -> SavedRun:
    """A run of a log with likes, explicit dislikes and skips, and an item that nobody chose."""
    data = write_data(folder / "data")
    log = pl.read_csv(data / "interactions.csv").with_row_index()
    kind = (
        pl.when(pl.col("index") % 7 == 3).then(pl.lit("dislike"))
        .when(pl.col("index") % 7 == 5).then(pl.lit("skip")).otherwise(pl.lit("like"))
    )  # fmt: skip
    never = pl.DataFrame(
        {"user_id": ["never"], "item_id": ["i1"], "timestamp": [9], "event": ["dislike"]}
    )
    pl.concat([log.with_columns(event=kind).drop("index"), never]).write_csv(
        data / "interactions.csv"
    )
    items = pl.read_parquet(data / "items.parquet")
    unseen = pl.DataFrame({"item_id": ["unseen"], "title": ["?"], "categories": [["Odd"]]})
    pl.concat([items, unseen]).write_parquet(data / "items.parquet")
    events = {"like": "explicit_positive", "dislike": "explicit_negative",
              "skip": "implicit_negative"}  # fmt: skip
    (data / "dataset.json").write_text(json.dumps({"name": "dislikes", "events": events}))
    run_recommender(RunOptions(data=data, out=str(folder / "run")), MODEL, TRAINING)
    return open_run(folder / "run")
