"""A finished run, opened: answers for one user or many, known or not, with the reason.

Integer codes stay inside; ids and titles go out. An unknown user gets what is popular, or what is
popular in the groups they name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Unpack

import polars as pl

from tastemaker import files
from tastemaker.data.ground import Ground
from tastemaker.errors import TastemakerError
from tastemaker.run.answers import Answer
from tastemaker.run.browsing import Browsing
from tastemaker.run.events import History
from tastemaker.run.folder import RESULTS, finished_folder, read_config, verify_run, version_of
from tastemaker.run.histories import Asker, asker_given, asker_of, asker_with
from tastemaker.run.kept import kept_data
from tastemaker.run.likeness import likeness_of
from tastemaker.run.models import Models
from tastemaker.run.opened import OpenedRun
from tastemaker.run.profile import Profiler, worded
from tastemaker.run.ranking import Request, rank_all
from tastemaker.run.shelf import Shelf
from tastemaker.run.similar import Beside, answer_similar
from tastemaker.run.steering import NamedHeads
from tastemaker.run.user_lists import tables_of
from tastemaker.run.wishes import (
    PLAIN,
    Id,
    Wished,
    WishedBeside,
    Wishes,
    id_of,
    undialled,
    unreasoned,
)
from tastemaker.understand.profile import Profile


class SavedRun(OpenedRun):
    """A run directory, checked and opened; `open_run` gives one."""

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
        return rank_all(self, [Request(asker_of(self, user), wishes, model, explain)])[0]

    def rank(
        self,
        history: History | Asker,
        wishes: Wishes = PLAIN,
        model: str = "",
        barred: Iterable[Id] = (),
        user: Id = "",
    ) -> Answer:
        """The best items after any history, whoever it is of; of none, what is popular.

        Args:
            history: Ids or events, oldest first, of which unknown items are passed over; or what
                `context_with` gives, which says all of who asks.
            wishes: How many items, and which.
            model: A model of the run; empty: the one it recommends with.
            barred: Ids that are never listed, such as refused ones; unknown ones say nothing.
            user: Whose history it is; empty: somebody's.

        Raises:
            BadInput: If a wish or an event cannot be meant.
        """
        asker = history
        if not isinstance(asker, Asker):
            asker = asker_given(self, asker, barred, user)
        return rank_all(self, [Request(asker, wishes, model)])[0]

    def rank_many(self, requests: Iterable[Request]) -> list[Answer]:
        """Answers to many requests, in their order: each as `rank`, all in a few passes.

        Raises:
            BadInput: If a wish of one cannot be meant; then none is answered.
        """
        return rank_all(self, list(requests))

    def context_with(
        self, user: Id, newer: History, since: float | None = None, barred: Iterable[Id] = ()
    ) -> Asker:
        """Who asks: a user as the data have them, and what was told of them since.

        Args:
            user: User id.
            newer: Newer events; one that is there already, with its item, time and kind, counts
                once. Kinds and values say whether they are choices, refusals or neither.
            since: Seconds since 1970 up to which nothing in the data counts, as of users who were
                erased; None: all counts.
            barred: Ids that are never listed; unknown ones say nothing.

        Raises:
            BadInput: If an event cannot be meant.
        """
        return asker_with(self, user, newer, since, barred)

    @cached_property
    def browse(self) -> Browsing:
        """What is popular or new, titles to search, and histories to look at."""
        return Browsing(self)

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
        """The items, ready to be asked from."""
        return Beside.of(self)

    def similar(self, item: Id, k: int = 10, **wishes: Unpack[WishedBeside]) -> Answer:
        """The k best items that go with an item, never itself.

        Args:
            item: Id or title of an item, also of one that is in the catalogue alone.
            k: Number of items; more than there are gives all of them.
            wishes: Further fields of `Wishes`: relevance, offset, boost, only, allow, deny.

        Raises:
            BadInput: If no item or several are meant, or a wish cannot be.
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
        ids, choice = list(dict.fromkeys(given)), self.shelf.choice(undialled(unreasoned(wishes)))
        return tables_of(self, ids, self.ranking(wishes, model), choice)


def open_run(path: str | Path, *, remembers: bool = True) -> SavedRun:
    """Open a run directory after checking every file of it.

    Args:
        path: The run directory.
        remembers: Whether it keeps memories of users in its folder, where its model has any.

    Raises:
        ArtefactError: If it is unfinished, damaged, or not a run.
    """
    return open_version(path, remembers=remembers)[0]


def open_version(path: str | Path, *, remembers: bool = True) -> tuple[SavedRun, str]:
    """As `open_run`, with the version: also where another run takes the folder meanwhile.

    Raises:
        ArtefactError: If it is unfinished, damaged, or not a run.
    """
    place, stood = Path(path), _standing(Path(path))
    while True:
        fault: Exception | None = None
        try:
            saved = _opened(stood[0], remembers)
        except (TastemakerError, OSError) as error:
            fault = error
        before, stood = stood, _standing(place)
        if stood == before and fault:
            raise fault
        if stood == before:
            return saved, stood[1]


def _standing(place: Path) -> tuple[Path, str]:
    """Where the files of a finished run stand now, and its version; empty where there is none."""
    try:
        return finished_folder(place), version_of(place)
    except TastemakerError:
        return finished_folder(place), ""


def _opened(run: Path, remembers: bool) -> SavedRun:
    verify_run(run)
    config, results = read_config(run), files.read_json(run / RESULTS)
    data = kept_data(run)
    learnt = data.positives()
    ground = Ground.of(learnt.item_ids, data.catalog, event_names=learnt.event_names)
    aligned = ground.catalog
    models = Models.open(run, config, learnt, aligned, ground.unseen)
    heads = NamedHeads.of(models, results)
    likeness = likeness_of(models.neural, learnt)
    shelf = Shelf(learnt, data.catalog, aligned, models.candidates, heads, likeness)
    return SavedRun(run, config, results, data, learnt, shelf, models, remembers)
