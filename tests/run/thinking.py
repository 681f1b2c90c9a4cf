"""Runs of a small VRec, whose titles hold what would be markup."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import torch

from tastemaker.data.ground import Ground
from tastemaker.options import RunOptions
from tastemaker.recommend.vrec import VRec
from tastemaker.recommend.vrec_shape import VRecConfig
from tastemaker.run.job import run_recommender
from tastemaker.run.saved import SavedRun
from tastemaker.run.user_lists import rows_of
from tastemaker.train.config import FitConfig
from tests.conftest import write_data

SHAPE = VRecConfig(
    dim=16, layers=1, dropout=0.0, history=6, levels=2, size=8, thoughts=2, classes=4,
    verify_epochs=1, joint_epochs=1,
)  # fmt: skip


def thinking_run(folder: Path) -> Path:
    """A run that was trained."""
    data = write_data(folder / "data")
    items = pl.read_parquet(data / "items.parquet")
    titles = [f"[red]kind{n % 4}[/red] <b>no{n}</b>" for n in range(len(items))]
    items.with_columns(title=pl.Series(titles)).write_parquet(data / "items.parquet")
    options = RunOptions(data=str(data), out=str(folder / "run"))
    return Path(run_recommender(options, SHAPE, FitConfig(epochs=1, warmup=1, batch=64))["run"])


def thinking(saved: SavedRun, weight: float = 1.0, **set_to: object) -> SavedRun:
    """The same run with a fresh VRec as its neural model.

    Args:
        saved: A run.
        weight: Of that model in the blend, beside 0.5 of EASE.
        set_to: Options of the model.
    """
    log = saved.interactions
    train = rows_of(log, np.arange(log.num_users))
    ground = Ground.of(log.item_ids, saved.data.catalog, train)
    torch.manual_seed(0)
    model = VRec.build(replace(SHAPE, **set_to), ground).eval()  # type: ignore[arg-type]
    weights = {"vrec": weight, "ease": 0.5}
    models = replace(saved.models, neural_name="vrec", neural=model, weights=weights)
    return replace(saved, models=models)
