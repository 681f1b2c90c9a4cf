"""Shared fixtures: a small data folder and a finished run of it."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import settings

torch.set_num_threads(1)
settings.register_profile("any machine", deadline=None)  # a busy one is no fault of an example
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real data sets, or a skip with the reason."""
    root = Path(__file__).parents[1]
    folder = Path(os.environ.get("TASTEMAKER_DATA", root / "../shared/data"))
    if not folder.is_dir():
        pytest.skip("no folder of real data: set TASTEMAKER_DATA")
    return folder.resolve()


def write_data(folder: Path, users: int = 60, seed: int = 0) -> Path:
    """A data folder: users walk along a ring of 40 items, so that the last item says the next."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        at = int(rng.integers(40))
        for step in range(int(rng.integers(4, 12))):
            at = (at + int(rng.integers(1, 3))) % 40
            rows.append((f"u{user}", f"i{at}", 1_000 * step + user))
    frame = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")
    folder.mkdir(parents=True, exist_ok=True)
    frame.unique(["user_id", "item_id"], maintain_order=True).write_csv(folder / "interactions.csv")
    titles = [f"Item <{n}>" for n in range(40)]
    groups = [["Even", "All"] if n % 2 == 0 else ["Odd"] for n in range(40)]
    ids = [f"i{n}" for n in range(40)]
    items = pl.DataFrame({"item_id": ids, "title": titles, "categories": groups})
    items.write_parquet(folder / "items.parquet")
    return folder


@pytest.fixture(scope="session")
def small_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small data folder."""
    return write_data(tmp_path_factory.mktemp("data") / "ring")


@pytest.fixture(scope="session")
def finished_run(small_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the small data; tests must not change it."""
    from tastemaker.options import RunOptions
    from tastemaker.recommend.sasrec import SASRecConfig
    from tastemaker.run.job import run_recommender
    from tastemaker.train.config import FitConfig

    out = tmp_path_factory.mktemp("runs") / "ring"
    options = RunOptions(data=str(small_data), out=str(out))
    model = SASRecConfig(dim=8, layers=1, heads=1, inner=8, history=6)
    run_recommender(options, model, FitConfig(epochs=3, warmup=5))
    return out


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A catalogue of coloured squares, and the run of a model that has learned it."""
    pytest.importorskip("PIL", reason="needs tastemaker[vision]")
    pytest.importorskip("transformers", reason="transformers is not installed")
    from tastemaker.run.embed import embed_train
    from tests.run.embedded import small_config, squares

    folder = tmp_path_factory.mktemp("embedded")
    config = replace(small_config(40, patience=0, validate_every=10), written=9)
    embed_train(config, squares(folder / "squares"), str(folder / "run"))
    return folder / "squares", folder / "run"
