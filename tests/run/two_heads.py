"""A run whose model says what goes with an item, without the training of one."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from tastemaker.options import RunOptions
from tastemaker.recommend.merge import ItemHeads
from tastemaker.run.job import run_recommender
from tastemaker.run.saved import SavedRun, open_run
from tests.conftest import write_data
from tests.recommend.test_merge import some_heads
from tests.run.small import MODEL, TRAINING


@dataclass(frozen=True)
class Dial:
    """Options of the stand-in."""

    relevance: float = 0.3


@dataclass(frozen=True)
class Stand:
    """Two heads that are there from the start."""

    heads: ItemHeads
    config: Dial = Dial()

    def item_heads(self) -> ItemHeads:
        return self.heads


def heads_of(saved: SavedRun) -> ItemHeads:
    """Heads of the run's items; i1 has no events, i2 no content, `nothing` neither, like unseen."""
    every = saved.interactions.item_ids.to_list()
    heads = some_heads(len(every) + 3)
    heads.trigger[every.index("i1")] = heads.target[every.index("i1")] = 0
    heads.relevance[every.index("i2")] = 0
    heads.trigger[-3:] = heads.target[-3:] = 0
    heads.relevance[-3] = heads.relevance[every.index("i5")]
    heads.relevance[-1] = 0
    return heads


def two_headed(folder: Path) -> SavedRun:
    """A finished run of 40 items of a log and three of the catalogue alone, with two heads."""
    data = write_data(folder / "data")
    items = pl.read_parquet(data / "items.parquet")
    unseen = pl.DataFrame(
        {
            "item_id": ["new", "newer", "nothing"],
            "title": ["Fresh (2020)", "Item <3>", "Silence"],
            "categories": [["Odd"], ["Odd"], ["Fresh"]],
        }
    )
    pl.concat([items, unseen]).write_parquet(data / "items.parquet")
    run_recommender(RunOptions(data=str(data), out=str(folder / "run")), MODEL, TRAINING)
    return with_heads(open_run(folder / "run"))


def with_heads(saved: SavedRun) -> SavedRun:
    """The same run with a stand-in for its neural model."""
    stand = Stand(heads_of(saved))
    models = replace(saved.models, neural_name="mtmh", neural=stand)  # type: ignore[arg-type]
    return replace(saved, models=models)


def best(saved: SavedRun, item: str, relevance: float) -> list[str]:
    """Ids of all that goes with an item of the log that both heads know, best first."""
    heads, ids = heads_of(saved), [*saved.interactions.item_ids, "new", "newer", "nothing"]
    row = ids.index(item)
    scores = (heads.queries(np.array([row]), relevance) @ heads.stored().T)[0]
    known = {0.0: heads.target.any(1), 1.0: heads.relevance.any(1)}
    may = known.get(relevance, known[0.0] | known[1.0])
    rows = [i for i in np.argsort(-scores, kind="stable") if may[i] and i != row]
    return [ids[i] for i in rows]
