"""A user of a run: what they like, counted over the whole log, by the groups that items have.

Items are grouped by the catalogue's categories; without any, by the words of their texts; without
texts nothing names an interest, and the profile says so. What a language model says of a user is
kept beside the run, `RUN.replies.sqlite`: the run itself is sealed, and may be read by many.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tastemaker.data.contexts import Contexts
from tastemaker.data.datasets import Dataset
from tastemaker.data.ground import CATEGORY, Ground
from tastemaker.data.groupings import OTHER, Grouping
from tastemaker.data.interactions import Interactions
from tastemaker.data.signals import Signals, signals
from tastemaker.errors import BadInput, OutOfResources
from tastemaker.models.generate import opened
from tastemaker.models.request_cache import Cached
from tastemaker.recommend.prior_groups import grouping_of
from tastemaker.recommend.priors_shape import PriorsConfig
from tastemaker.understand.everybody import Everybody
from tastemaker.understand.profile import Profile, profile
from tastemaker.understand.profile_words import with_words

REPLIES = ".replies.sqlite"
"""What the file of kept replies has behind the run's name."""
WORDS = "The items have no categories: groups of items with similar words stand in for them."
NOTHING = "The items have neither categories nor words, so nothing names what a user likes."
UNKNOWN = "This user is not in the data, so nothing is known of them."


@dataclass(frozen=True, eq=False)
class Profiler:
    """Profiles of the users of one log."""

    signals: Signals
    everybody: Everybody
    note: str
    """what items are grouped by, where that is not the catalogue's categories"""

    @classmethod
    def of(cls, dataset: Dataset) -> Profiler:
        """Count a log.

        Args:
            dataset: The whole log, its catalogue and what is declared about it.
        """
        log = dataset.interactions
        counted = signals(log, dataset.declared, one_kind=True)
        grouping, note = _grouped(log, dataset)
        titles = dataset.catalog.align(log.item_ids).titles()
        return cls(counted, Everybody.of(counted, grouping, titles), note)

    def of_user(self, user: str, hidden: Collection[str] = ()) -> Profile:
        """What is known of a user; of one who is not in the log, that nothing is.

        Args:
            user: User id as in the data.
            hidden: Items that it must not know of, such as those that a model was tested with.
        """
        if user not in self.signals.log.user_codes:
            return Profile(user, False, self.signals.kinds, notes=(UNKNOWN,))
        did = self.signals.user(user)
        known = tuple(event for event in did.events if event.item not in hidden)
        found = profile(replace(did, events=known), self.everybody)
        notes = (self.note, *found.notes) if self.note else found.notes
        return replace(found, notes=notes)


def worded(found: Profile, run: Path, name: str, url: str = "") -> Profile:
    """A profile with what a language model says of it, asked once and then kept beside the run.

    Args:
        found: What was counted.
        run: The run's folder.
        name: What `models.generate.opened` takes.
        url: Likewise.

    Raises:
        BadInput: If there is no such model here, or the URL is none.
        ArtefactError: If its weights are missing, or what is kept is damaged.
    """
    model = opened(name, url)
    whole = run.resolve()
    try:
        kept = Cached(model, whole.with_name(f"{whole.name}{REPLIES}"))
    except OutOfResources:  # a place that may be read alone
        return with_words(found, model, name)
    with closing(kept):
        return with_words(found, kept, name)


def _grouped(log: Interactions, dataset: Dataset) -> tuple[Grouping, str]:
    """Groups of the items, and what is to be said of them."""
    ground = Ground.of(log.item_ids, dataset.catalog)
    if CATEGORY in ground.groupings:
        return ground.groupings[CATEGORY], ""
    chosen = dataset.positives()
    everybody = np.arange(chosen.num_users, dtype=np.int64)
    ground = replace(ground, train=Contexts(everybody, chosen.offsets, chosen.items))
    try:
        return grouping_of("cluster", PriorsConfig(), ground), WORDS
    except BadInput:
        return Grouping.from_labels([OTHER] * log.num_items, "items"), NOTHING
