"""A federated next-item model, saved beside its run and opened again: a history → next items."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import torch

from tastemaker import artifacts, files
from tastemaker.config import from_json, to_json
from tastemaker.data.catalog import Catalog
from tastemaker.data.contexts import Contexts
from tastemaker.data.parquet import write_parquet
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.nn.next_item import IdModel
from tastemaker.recommend.sasrec import SASRec, SASRecConfig
from tastemaker.run.federate_opened import MODEL
from tastemaker.run.federate_results import KIND
from tastemaker.run.folder import ITEMS
from tastemaker.run.wishes import Id, id_of
from tastemaker.weights import WEIGHTS, filled


@dataclass(frozen=True, eq=False)
class OpenedLog:
    """A next-item model that answers."""

    items: pl.DataFrame
    """item_id, title, trained: a row an item, in code order"""
    model: SASRec

    def recommend(self, history: Iterable[Id], k: int = 10) -> pl.DataFrame:
        """The k best items after a history, none of which is in it.

        Args:
            history: Ids of items, oldest first; those that the model does not know are passed over.
            k: Number of items; more than there are gives all of them.

        Returns:
            One row an item, the best first: rank, item_id, title, score.

        Raises:
            BadInput: If an id is none, no item of the history is known, or k is below 1.
        """
        if k < 1:
            raise BadInput(f"k = {k!r} is no number of items.", "k", "Give 1 or more.")
        given = pl.DataFrame({"item_id": [id_of(one, "item id") for one in history]},
                             schema={"item_id": pl.String})  # fmt: skip
        coded = self.items.select("item_id").with_row_index("code", offset=1)
        known = given.join(coded, on="item_id", maintain_order="left")["code"].to_numpy()
        if not len(known):
            what = f"None of these {len(given):,} items is known to the model."
            raise BadInput(what, "history", "Give ids of items.parquet in the run's folder.")
        bounds = np.array([0, len(known)])
        context = Contexts(np.array([-1]), bounds, known.astype(np.int32))
        with torch.inference_mode():
            scores = self.model.score(context)[0].double().numpy()
        allowed = self.items["trained"].to_numpy().copy()
        allowed[known.astype(np.int64) - 1] = False
        choice = np.flatnonzero(allowed)
        best = choice[np.argsort(-scores[choice], kind="stable")[:k]]
        rows = self.items[best].select("item_id", "title")
        ranked = rows.with_columns(score=pl.Series(scores[best])).with_row_index("rank", offset=1)
        return ranked


@dataclass(frozen=True)
class SavedLog:
    """All of a next-item model but its weights."""

    shape: SASRecConfig
    items: int


def save_log_model(
    folder: Path, model: IdModel, catalog: Catalog, trained: npt.NDArray[np.bool_]
) -> None:
    """Write a model's weights, its shape and its items into its run.

    Args:
        folder: Of the run.
        model: SASRec.
        catalog: Its I items, in code order.
        trained: (I,) which may be recommended.
    """
    files.write_json(folder / MODEL, {"shape": to_json(model.config), "items": model.num_items})
    ids = catalog.frame.select("item_id")
    told = {"title": pl.Series(catalog.titles()), "trained": pl.Series(trained)}
    write_parquet(folder / ITEMS, ids.with_columns(**told))
    with files.replaced(folder / WEIGHTS) as partial:
        files.save_tensors(partial, model.state_dict())


def open_federated_log(run: str | Path) -> OpenedLog:
    """Open the next-item model of a finished federation.

    Raises:
        ArtefactError: If no finished federation stands there, or it is damaged.
        BadInput: If it is one of a classifier.
    """
    folder = Path(run)
    artifacts.verify(folder, KIND)
    if not (folder / ITEMS).exists():
        fix = "Open it with open_federated."
        raise BadInput("This federation learned a classifier, from no log.", str(folder), fix)
    path = folder / MODEL
    saved = from_json(SavedLog, files.read_json(path), str(path))
    items = pl.read_parquet(folder / ITEMS, glob=False)
    if len(items) != saved.items:
        what, fix = "Items are of another model", "Restore the folder from a copy."
        got, want = f"{len(items):,} items", f"{saved.items:,} items"
        raise ArtefactError(str(folder / ITEMS), what, want, got, fix)
    layers = saved.shape.layers
    model = filled(lambda: SASRec(saved.shape, saved.items), folder / WEIGHTS, layers)
    return OpenedLog(items, model.eval())
