"""MTMH-style: two heads that train on pairs, retrieve for users and items, and open as they were."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import torch

from tastemaker.data.catalog import SCHEMA, Catalog
from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import Ground
from tastemaker.options import RunOptions
from tastemaker.recommend.mtmh import MTMH
from tastemaker.recommend.mtmh_shape import MTMHConfig
from tastemaker.run.job import run_recommender
from tastemaker.run.saved import open_run
from tastemaker.seams import Learned
from tastemaker.train.config import FitConfig
from tests.contracts import ITEMS, RecommenderContract

SMALL = MTMHConfig(dim=16, width=16, history=8, window=2)
QUICK = FitConfig(epochs=2, warmup=1, patience=0)


def catalog(num_items: int, extra: int = 0) -> Catalog:
    """Items of three kinds, which their titles and categories name."""
    titles = [f"item{n} kind{n % 3} of{n % 3}" for n in range(num_items + extra)]
    known: dict[str, list[object]] = {
        "item_id": [f"i{n}" for n in range(num_items + extra)],
        "title": list(titles),
        "categories": [[f"k{n % 3}"] for n in range(num_items + extra)],
    }
    nulls = [None] * (num_items + extra)
    return Catalog(pl.DataFrame({name: known.get(name, nulls) for name in SCHEMA}, SCHEMA))


def ground(num_items: int = ITEMS, extra: int = 0, train: Contexts | None = None) -> Ground:
    ids = pl.Series([f"i{n}" for n in range(num_items)])
    return Ground.of(ids, catalog(num_items, extra), train)


def model(seed: int = 0, extra: int = 0, train: Contexts | None = None, **set_to: object) -> MTMH:
    torch.manual_seed(seed)
    return MTMH.build(replace(SMALL, **set_to), ground(ITEMS, extra, train))  # type: ignore[arg-type]


class TestMTMH(RecommenderContract):
    """The contract of every recommender."""

    def build(self, num_items: int, seed: int = 0) -> MTMH:
        assert num_items == ITEMS
        return model(seed).eval()


class TestBare(RecommenderContract):
    """Nothing is known of the items."""

    def build(self, num_items: int, seed: int = 0) -> MTMH:
        torch.manual_seed(seed)
        return MTMH.build(SMALL, Ground(num_items)).eval()


def test_a_run_trains_recommends_and_opens(small_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    results = run_recommender(RunOptions(data=str(small_data), out=str(out)), SMALL, QUICK)
    assert "mtmh" in results["models"]
    saved = open_run(out)
    user = saved.interactions.user_ids[0]
    assert saved.recommend(user, 3, model="mtmh").items
    neural: Learned = saved.models.neural
    assert isinstance(neural, MTMH)
    heads = neural.item_heads()
    assert len(heads.target) == 40
    again = open_run(out)
    rows = saved.context(user)
    assert torch.equal(saved.model("mtmh").score(rows), again.model("mtmh").score(rows))
