"""A finished run, opened: answers for one user or many, known or not, with the reason.

Integer codes stay inside; ids and titles go out. An unknown user gets what is popular, or what is
popular in the groups they name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Unpack

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemaker import files
from tastemaker.data.catalog import Catalog
from tastemaker.data.contexts import Contexts
from tastemaker.data.datasets import Dataset
from tastemaker.data.ground import Ground
from tastemaker.data.groupings import Grouping
from tastemaker.data.interactions import Interactions
from tastemaker.data.polarity import refused
from tastemaker.files import JsonObject
from tastemaker.recommend.persrec_memory import Remembering
from tastemaker.run.answers import Answer
from tastemaker.run.folder import RESULTS, finished_folder, read_config, verify_run
from tastemaker.run.kept import kept_data
from tastemaker.run.models import Models
from tastemaker.run.profile import Profiler, worded
from tastemaker.run.remembered import remembering
from tastemaker.run.shelf import Shelf
from tastemaker.run.similar import Beside, answer_similar
from tastemaker.run.steering import NamedHeads
from tastemaker.run.user_answers import answer_user
from tastemaker.run.user_lists import codes_of, rows_of, tables_of
from tastemaker.run.wishes import Id, Wished, WishedBeside, Wishes, id_of, undialled
from tastemaker.seams import Recommender
from tastemaker.understand.profile import Profile


@dataclass(frozen=True)
class SavedRun:
    """A run directory, checked and opened."""

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
        """What is kept of users' old events; None where the model compresses none.

        Raises:
            ArtefactError: If it is of another model, or damaged.
        """
        ids, folder = self.interactions.user_ids, finished_folder(self.path)
        return remembering(self.models.neural, ids, folder)

    def forget(self, user: Id) -> bool:
        """Erase what is kept of a user, and say whether there was something."""
        kept = self.remembering
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

    def context(self, user: Id) -> Contexts:
        """All that a user chose, as one row; an empty row for an unknown user."""
        return rows_of(self.interactions, codes_of(self.interactions, [id_of(user)]))

    def barred(self, user: Id) -> npt.NDArray[np.int32]:
        """Codes of items that are not recommended to a user, whatever is wished: refused ones."""
        return rows_of(self.refused, codes_of(self.interactions, [id_of(user)])).items

    def recommend(
        self,
        user: Id,
        k: int = 10,
        *,
        model: str = "",
        explain: bool = False,
        **wishes: Unpack[Wished],
    ) -> Answer:
        """The k best items for a user, leaving out what the user has chosen or refused.

        Args:
            user: User id as in the data.
            k: Number of items; more than there are gives all of them.
            model: A model of the run; empty: the one it recommends with.
            explain: Add what the model thought before it answered (`thoughts`), and how likely it
                made the groups that each item is in (`considered`).
            wishes: Further fields of `Wishes`: offset, boost, only, allow, deny.

        Raises:
            BadInput: If a wish cannot be meant, or a user, an item or a group is no id or name; or
                if an explanation is wanted of a model that does not think.
        """
        return self.answer(user, Wishes(k, **wishes), model, explain)

    def answer(self, user: Id, wishes: Wishes, model: str = "", explain: bool = False) -> Answer:
        """As `recommend`, with the wishes in one object."""
        return answer_user(self, user, wishes, model, explain)

    @cached_property
    def profiler(self) -> Profiler:
        """What users like, counted over the whole log."""
        return Profiler.of(self.data)

    def profile(self, user: Id, k: int = 10, *, llm: str = "", url: str = "") -> Profile:
        """What a user likes and dislikes, with the items that prove it.

        Args:
            user: User id as in the data; of an unknown one the profile says that nothing is known.
            k: Most interests, and most dislikes.
            llm: Language model that adds words, as `models.generate.opened` takes it; empty: none.
            url: Of an OpenAI-compatible API that it answers at.

        Raises:
            BadInput: If the user is no id, k is below 1, or there is no such model.
        """
        found = self.profiler.of_user(id_of(user)).first(Wishes(k).k)
        return worded(found, self.path, llm, url) if llm else found

    @cached_property
    def beside(self) -> Beside:
        """The items, ready to be asked from.

        Raises:
            BadInput: If the model of this run does not say what goes with an item.
        """
        return Beside.of(self)

    def similar(self, item: Id, k: int = 10, **wishes: Unpack[WishedBeside]) -> Answer:
        """The k best items that go with an item, never itself.

        Args:
            item: Id or title of an item, also of one that is in the catalogue alone.
            k: Number of items; more than there are gives all of them.
            wishes: Further fields of `Wishes`: relevance, offset, boost, only, allow, deny.

        Raises:
            BadInput: If the run's model cannot say, no item or several are meant, or a wish cannot
                be.
        """
        return answer_similar(self, item, Wishes(k, **wishes))

    def recommend_all(
        self,
        users: Iterable[Id] | None = None,
        k: int = 10,
        *,
        model: str = "",
        **wishes: Unpack[Wished],
    ) -> pl.DataFrame:
        """The k best items of each of many users; `answer_all` gives them part by part.

        Args:
            users: User ids; None: everybody in the data, in its order.
            k: Number of items a user.
            model: As for `recommend`.
            wishes: As for `recommend`, for all users alike.

        Returns:
            One row an item, users in the order given, best items first: user_id, known (whether
            the data has the user), rank (1 is the best of all), item_id, title, score, model; and
            intent, what spoke for the item, where the run's model has heads. A user to whom nothing
            may be recommended has no row.

        Raises:
            BadInput: As `recommend`.
        """
        return pl.concat(self.answer_all(users, Wishes(k, **wishes), model))

    def answer_all(
        self, users: Iterable[Id] | None, wishes: Wishes, model: str = ""
    ) -> Iterator[pl.DataFrame]:
        """As `recommend_all`, in tables of some users each; wishes are checked before the first."""
        given = self.interactions.user_ids.to_list() if users is None else map(id_of, users)
        ids, choice = list(dict.fromkeys(given)), self.shelf.choice(undialled(wishes))
        return tables_of(self, ids, self.ranking(wishes, model), choice)

    def ranking(self, wishes: Wishes, model: str = "") -> str:
        """Name of the model that ranks for somebody with a history.

        Raises:
            BadInput: If the run has no such model, or the wishes name heads that it does not have.
        """
        self.model(model)
        heads = self.shelf.heads if self.shelf.steers(wishes) else None
        return self.model_name(model) if heads is None else heads.ranking(model)


def open_run(path: str | Path) -> SavedRun:
    """Open a run directory after checking every file of it.

    Raises:
        ArtefactError: If it is unfinished, damaged, or not a run.
    """
    run = finished_folder(Path(path))
    verify_run(run)
    config, results = read_config(run), files.read_json(run / RESULTS)
    data = kept_data(run)
    learnt = data.positives()
    ground = Ground.of(learnt.item_ids, data.catalog, event_names=learnt.event_names)
    aligned = ground.catalog
    models = Models.open(run, config, learnt, aligned, ground.unseen)
    heads = NamedHeads.of(models, results)
    shelf = Shelf(learnt, data.catalog, aligned, models.candidates, heads)
    return SavedRun(run, config, results, data, learnt, shelf, models)
