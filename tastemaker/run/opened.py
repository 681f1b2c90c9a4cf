"""A run that is open: its log, its items, its models, each assembled once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tastemaker.data.catalog import Catalog
from tastemaker.data.contexts import Contexts
from tastemaker.data.datasets import Dataset
from tastemaker.data.groupings import Grouping
from tastemaker.data.interactions import Interactions
from tastemaker.data.polarity import refused
from tastemaker.files import JsonObject
from tastemaker.recommend.persrec_memory import Remembering
from tastemaker.run.events import LogFacts
from tastemaker.run.folder import finished_folder
from tastemaker.run.models import Models
from tastemaker.run.remembered import erased_beside, remembering
from tastemaker.run.shelf import Shelf
from tastemaker.run.user_lists import codes_of, rows_of
from tastemaker.run.wishes import Id, Wishes, id_of
from tastemaker.seams import Headed, Recommender


@dataclass(frozen=True, eq=False)
class Ranker:
    """A model of a run, ready to rank."""

    model: Recommender
    heads: Headed | None
    """the model with named heads that takes part in its ranking; None: there is none"""


@dataclass(frozen=True)
class OpenedRun:
    """A run directory, checked and opened: its data and its models, assembled once."""

    path: Path
    config: JsonObject
    results: JsonObject
    data: Dataset
    """the whole log, the whole catalogue and what is declared about them"""
    interactions: Interactions
    """what models learn from: the log without events of negative polarity"""
    shelf: Shelf
    """what can be recommended"""
    models: Models
    remembers: bool = True
    """whether it keeps memories of users in its folder; else who opened it does, or nobody"""

    @property
    def catalog(self) -> Catalog:
        """What is known about the items, in the order of their codes."""
        return self.shelf.aligned

    @property
    def grouping(self) -> Grouping:
        """Items by category.

        Raises:
            BadInput: If the catalogue has no categories.
        """
        return self.shelf.grouping

    @cached_property
    def refused(self) -> Interactions:
        """What each user explicitly refused, by their newest word."""
        return refused(self.data.interactions, self.data.declared)

    @cached_property
    def remembering(self) -> Remembering | None:
        """What is kept of users' old events; None where the model compresses none, or not here.

        Raises:
            ArtefactError: If it is of another model, or damaged.
        """
        if not self.remembers:
            return None
        ids, folder = self.interactions.user_ids, finished_folder(self.path)
        return remembering(self.models.neural, ids, folder)

    def forget(self, user: Id) -> bool:
        """Erase what is kept of a user, and say whether there was something."""
        kept = self.remembering
        if not self.remembers:
            return erased_beside(self.models.neural, id_of(user), finished_folder(self.path))
        return kept is not None and kept.states.erase([id_of(user)]) > 0

    def model_name(self, name: str = "") -> str:
        """`name`, or where it is empty that of the model which this run recommends with."""
        return name or str(self.results.get("best", self.config["model"]))

    def model(self, name: str = "") -> Recommender:
        """The model called `name`; without a name, the one this run recommends with.

        Raises:
            BadInput: If the run has no such model.
        """
        return self.models.get(self.model_name(name))

    def ranker(self, name: str) -> Ranker:
        """The model called `name`, ready to rank, made when it is first asked for.

        Raises:
            BadInput: If the run has no such model.
        """
        _ = self.remembering  # which the model reads from then on
        if name not in self._rankers:
            self._rankers[name] = Ranker(self.models.get(name), self.models.heads_in(name))
        return self._rankers[name]

    @cached_property
    def _rankers(self) -> dict[str, Ranker]:
        return {}

    def context(self, user: Id) -> Contexts:
        """All that a user chose, as one row; an empty row for an unknown user."""
        return rows_of(self.interactions, codes_of(self.interactions, [id_of(user)]))

    def barred(self, user: Id) -> npt.NDArray[np.int32]:
        """Codes of items that are not recommended to a user, whatever is wished: refused ones."""
        return rows_of(self.refused, codes_of(self.interactions, [id_of(user)])).items

    @cached_property
    def log_facts(self) -> LogFacts:
        """What the log says of events that come from elsewhere."""
        return LogFacts.of(self.data.interactions, self.data.declared)

    def ranking(self, wishes: Wishes, model: str = "") -> str:
        """Name of the model that ranks for somebody with a history.

        Raises:
            BadInput: If the run has no such model, or the wishes name heads that it does not have.
        """
        self.ranker(self.model_name(model))
        heads = self.shelf.heads if self.shelf.steers(wishes) else None
        return self.model_name(model) if heads is None else heads.ranking(model)
