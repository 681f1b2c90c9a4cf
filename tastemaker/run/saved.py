"""A finished run, opened: answers for one user, known or not, with the reason.

Integer codes stay inside; ids and titles go out. An unknown user gets what is popular, or what is
popular in the groups they name.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tastemaker import artifacts, files
from tastemaker.data.catalog import Catalog
from tastemaker.data.contexts import Contexts
from tastemaker.data.groupings import Grouping
from tastemaker.data.interactions import Interactions
from tastemaker.errors import BadInput
from tastemaker.metrics.ranking import Recommender
from tastemaker.run.answers import Answer, Recommendation
from tastemaker.run.folder import FILES, KIND, finished_folder
from tastemaker.run.models import Models


@dataclass(frozen=True)
class SavedRun:
    """A run directory, checked and opened."""

    path: Path
    config: dict[str, Any]
    results: dict[str, Any]
    interactions: Interactions
    catalog: Catalog
    """aligned with the item codes"""
    models: Models

    @cached_property
    def grouping(self) -> Grouping:
        """Items by category.

        Raises:
            BadInput: If the catalogue has no categories.
        """
        return Grouping.from_categories(self.catalog, self.interactions.item_ids)

    @cached_property
    def titles(self) -> list[str]:
        """(I,) a name to show for each item."""
        return self.catalog.titles()

    def model(self, name: str = "") -> Recommender:
        """The model called `name`; without a name, the one this run recommends with.

        Raises:
            BadInput: If the run has no such model.
        """
        return self.models.get(name or str(self.results.get("best", self.config["model"])))

    def context(self, user: str) -> Contexts:
        """A user's whole history as one row; an empty row for an unknown user."""
        log, code = self.interactions, self.interactions.user_codes.get(user)
        if code is None:
            return Contexts.single([], [])
        rows = np.array([code], np.int64)
        starts, ends = log.offsets[:-1][rows], log.offsets[1:][rows]
        return Contexts.gather(rows, starts, ends, log.items, log.times)

    def recommend(
        self,
        user: str,
        k: int = 10,
        *,
        boost: Mapping[str, float] | None = None,
        only: Collection[str] | None = None,
        without: Collection[str] = (),
        model: str = "",
    ) -> Answer:
        """The k best items for a user, leaving out what the user has seen.

        Args:
            user: User id as in the data.
            k: Number of items; more than there are gives all of them.
            boost: Group → weight added to the (0–1) score of its items.
            only: Item ids that may be recommended; None: all that were trained.
            without: Item ids that may not.
            model: A model of the run; empty: the one it recommends with.

        Raises:
            BadInput: If k < 1, or an item, a group or the model is unknown.
        """
        if k < 1:
            raise BadInput(f"k = {k} asks for nothing.", "--k", "Give a whole number from 1 up.")
        context, known = self.context(user), user in self.interactions.user_codes
        scores, reason = self._scores(context, known, model)
        scores = scores + self._boosts(boost or {})
        scores[~self._allowed(context, only, without)] = -torch.inf
        order = torch.sort(scores, descending=True, stable=True).indices[:k]
        order = order[torch.isfinite(scores[order])]
        if boost:
            reason += " Favoured groups: " + ", ".join(boost) + "."
        newest = context.items[::-1][:10]
        return Answer(
            user,
            known,
            reason,
            tuple(self.titles[code - 1] for code in newest),
            tuple(self._item(int(at), float(scores[at])) for at in order),
            len(order) == k,
        )

    @torch.inference_mode()
    def _scores(self, context: Contexts, known: bool, model: str) -> tuple[Tensor, str]:
        """(I,) scores in [0, 1] that keep the model's order, and the reason in words."""
        name = model or str(self.results.get("best", self.config["model"]))
        reason = f"Ranked by {name} from {len(context.items):,} events of this user."
        if not known:
            name = "popularity"
            reason = "This user is not in the data; these are the most popular items."
        raw = self.models.get(name).score(context)[0].float()
        low, high = raw[torch.isfinite(raw)].min(), raw.max()
        return (raw - low) / (high - low).clamp(min=1e-12), reason

    def _boosts(self, boost: Mapping[str, float]) -> Tensor:
        total = torch.zeros(self.interactions.num_items)
        for name, weight in boost.items():
            members = self.grouping.members(self.grouping.code(name))
            total += weight * torch.from_numpy(members.astype(np.float32))
        return total

    def _allowed(
        self, context: Contexts, only: Collection[str] | None, without: Collection[str]
    ) -> Tensor:
        code = self.interactions.item_code
        allowed = torch.from_numpy(self.models.candidates.copy())
        if not self.config["repeats"]:
            allowed[torch.from_numpy(context.items.astype(np.int64)) - 1] = False
        if only is not None:
            listed = torch.zeros_like(allowed)
            listed[[code(item) - 1 for item in only]] = True
            allowed &= listed
        allowed[[code(item) - 1 for item in without]] = False
        return allowed

    def _item(self, at: int, score: float) -> Recommendation:
        categories = self.catalog.frame["categories"][at]
        labels = () if categories is None else tuple(categories)
        item = self.interactions.item_ids[at]
        return Recommendation(item, self.titles[at], round(score, 6), labels)


def open_run(path: str | Path) -> SavedRun:
    """Open a run directory after checking every file of it.

    Raises:
        ArtefactError: If it is unfinished, damaged, or not a run.
    """
    run = finished_folder(Path(path))
    artifacts.verify(run, KIND, FILES)
    config = files.read_json(run / "config.json")
    interactions = Interactions.open(run)
    catalog = Catalog.open(run / "items.parquet")
    models = Models.open(run, config, interactions, catalog)
    results = files.read_json(run / "results.json")
    return SavedRun(run, config, results, interactions, catalog, models)
