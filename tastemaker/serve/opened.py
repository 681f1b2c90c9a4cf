"""A run that answers: opened once, checked, and asked by ids.

What it says is what Python and the command line say of the same run. `version` is the digest of the
run's manifest: two runs of one version are the same bytes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from tastemaker.errors import BadInput, TastemakerError
from tastemaker.files import JsonObject
from tastemaker.recommend.merge import TwoHeaded
from tastemaker.run.answers import Answer
from tastemaker.run.events import Event as Given
from tastemaker.run.histories import Asker, asker_given
from tastemaker.run.ranking import Request
from tastemaker.run.saved import SavedRun, open_version
from tastemaker.run.similar import answer_similar
from tastemaker.run.wishes import Wishes
from tastemaker.serve.events import SHOWN, Event
from tastemaker.serve.pictures import ItemPictures
from tastemaker.serve.refusals import unknown
from tastemaker.understand.profile import Profile

if TYPE_CHECKING:
    from tastemaker.data.contexts import Contexts
    from tastemaker.recommend.user_states import UserState

SHOWN_METRICS = ("ndcg@10", "hr@10", "mrr@10", "coverage@10", "novelty@10")
"""Of what was measured, what the model card says; the report has all of it."""


@dataclass(frozen=True, eq=False)
class Kept:
    """What a model keeps of a user."""

    model: str
    """what decides states, as `StoredStates` names it"""
    state: UserState


@dataclass(frozen=True)
class Told:
    """What was told of a user since the run was made."""

    user: str
    events: tuple[Event, ...] = ()
    """oldest first"""
    erased: float | None = None
    """seconds since 1970 until which nothing of the user counts; None: they were never erased"""
    kept: Kept | None = None
    """what was kept to answer them sooner, as it stands in the store"""


@dataclass(frozen=True)
class Asked:
    """One request for recommendations."""

    who: Told | tuple[Given, ...]
    """a user, or somebody's whole history, oldest first"""
    wishes: Wishes
    model: str = ""
    """empty: the one that the run recommends with"""
    explain: bool = False
    """whether to add what the model thought"""


@dataclass(frozen=True, eq=False)
class Opened:
    """A run, opened."""

    saved: SavedRun
    version: str
    since: float = field(default_factory=time.time)
    """when it was opened, in seconds since 1970"""
    picture_folder: str = ""
    """where paths of the catalogue's pictures begin; empty: where its data were"""
    asking: Callable[[Sequence[tuple[Told, Contexts]]], None] | None = None
    """hears who is ranked for next, and by which history"""
    _preparing: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def open(cls, path: str | Path, picture_folder: str = "") -> Opened:
        """Open a run directory after checking every file of it, and have it answer once.

        Args:
            path: The run directory.
            picture_folder: Where paths of its pictures begin; empty: where its data were.

        Raises:
            ArtefactError: If it is unfinished, damaged, or not a run.
            NumericFault: If its model scores what is no number.
        """
        saved, version = open_version(path, remembers=False)
        if isinstance(saved.models.neural, TwoHeaded):
            _ = saved.beside  # read now: another run may take the folder later
        opened = cls(saved, version, picture_folder=picture_folder)
        users = saved.interactions.user_ids
        first = Told(str(users[0]) if len(users) else "")
        for answer in opened.rank([Asked(first, Wishes(1)), Asked((), Wishes(1))]):
            if isinstance(answer, Exception):
                raise answer
        return opened

    @property
    def ready_beside(self) -> bool:
        """Whether it can say at once what goes with an item."""
        return "beside" in vars(self.saved)

    def prepare_beside(self) -> None:
        """Be ready to say so; where it is counted that takes seconds, for one thread at a time."""
        with self._preparing:
            _ = self.saved.beside

    @cached_property
    def pictures(self) -> ItemPictures:
        """Pictures of its items."""
        return ItemPictures(self.saved.data.catalog, self.picture_folder)

    @property
    def model(self) -> str:
        """Name of the model that it recommends with."""
        return self.saved.model_name()

    def rank(self, asked: Sequence[Asked]) -> list[Answer | TastemakerError]:
        """The best items for some requests, in as few passes of the models as can be.

        Returns:
            An answer each; or an error, where a request cannot be meant.
        """
        answers: list[Answer | TastemakerError] = []
        try:
            askers = [self.asker(one) for one in asked]
            if self.asking is not None:
                pairs = zip(asked, askers, strict=True)
                self.asking([(a.who, b.context) for a, b in pairs if isinstance(a.who, Told)])
            requests = [
                Request(asker, one.wishes, one.model, one.explain)
                for one, asker in zip(asked, askers, strict=True)
            ]
            told = self.saved.rank_many(requests)
            return [_known(one, answer) for one, answer in zip(asked, told, strict=True)]
        except TastemakerError as error:
            if len(asked) == 1:
                return [error]
        for one in asked:  # one of them is wrong, and the others shall not be refused for it
            answers += self.rank([one])
        return answers

    def asker(self, one: Asked) -> Asker:
        """Who asks, as the run reads them."""
        if isinstance(one.who, tuple):
            return asker_given(self.saved, one.who, (), "")
        return self.asker_of(one.who)

    def asker_of(self, told: Told) -> Asker:
        """A user as the run has them, and what was told of them since."""
        given = tuple(given_of(event) for event in told.events)
        return self.saved.context_with(told.user, given, told.erased)

    def check_kinds(self, events: Sequence[Event]) -> None:
        """Refuse events of which nothing says whether they are for or against an item.

        Raises:
            BadInput: Naming the first kind that is not declared.
        """
        declared = self.saved.data.declared
        for place, event in enumerate(events, start=1):
            if event.kind not in declared.events and event.kind not in ("", SHOWN):
                fix = f"Use one of: {', '.join([*declared.events, SHOWN])}."
                what = f"Event {event.kind!r:.80} is not declared."
                raise BadInput(what, f"event {place:,}: kind", fix)

    def similar(self, item: str, wishes: Wishes) -> Answer:
        """The best items that go with an item.

        Raises:
            Refused: If there is no such item.
            BadInput: If a wish cannot be.
        """
        self.known_item(item)
        return answer_similar(self.saved, item, wishes)

    def similar_each(self, asked: Sequence[tuple[str, Wishes]]) -> list[Answer | TastemakerError]:
        """As `similar`, for several who ask at once: an answer each, or why there is none."""
        told: list[Answer | TastemakerError] = []
        for item, wishes in asked:
            try:
                told.append(self.similar(item, wishes))
            except TastemakerError as error:
                told.append(error)
        return told

    def known_item(self, item: str) -> None:
        """Refuse an item that neither the log nor the catalogue has.

        Raises:
            Refused: If it is one.
        """
        if self.saved.shelf.unknown([item]):
            fix = "Find its id by its title: /v1/items?q=TITLE."
            raise unknown(f"No item has the id {item!r:.80}.", "item", fix)

    def profile(self, user: str, k: int) -> Profile:
        """What a user likes and dislikes, counted over the log."""
        return self.saved.profile(user, k)

    def forget(self, user: str) -> bool:
        """Erase what is kept of a user to answer sooner."""
        return self.saved.forget(user)

    def card(self) -> JsonObject:
        """What the run is made of, how well it was measured to recommend, and how to ask it."""
        config, results = self.saved.config, self.saved.results
        log, items = self.saved.interactions, []
        if log.num_users:
            items = [{"item_id": item} for item in log.decode(log.history(0)[-3:])]
        body = {"history": items, "k": 5}
        return {
            "version": self.version,
            "recommends_with": self.model,
            "models": self.saved.models.names,
            "data": PurePath(str(config["data"])).name,  # not where it lies on this machine
            **{name: config[name] for name in ("split", "seed", "repeats", "data_sha256")},
            "measured": {
                name: {metric: values[metric] for metric in SHOWN_METRICS if metric in values}
                for name, values in results.get("models", {}).items()
            },
            "users": log.num_users,
            "items": log.num_items,
            "events": self.saved.data.interactions.num_events,
            "kinds": list(self.saved.data.declared.events),
            "example": {"method": "POST", "path": "/v1/recommendations", "body": body},
        }


def given_of(event: Event) -> Given:
    """An event of the store as a run reads it."""
    return Given(event.item_id, event.time, event.kind, event.value)


def _known(one: Asked, answer: Answer) -> Answer:
    """An answer that counts in what was told of a user since the run was made."""
    told = isinstance(one.who, Told) and bool(one.who.events)
    return replace(answer, known=True) if told else answer
