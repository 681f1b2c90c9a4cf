"""The groups that heads of human priors stand on, by name; learnt from training events alone.

`category` and `event` are what people wrote; `community`, `cluster` and `user` are found, and named
after what is most their own; `interest` is what users verifiably like, counted by whoever makes the
ground. A member that is in no group is in `other`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import CATEGORY, EVENT, INTEREST, Ground
from tastemaker.data.grouping_files import Of
from tastemaker.data.groupings import OTHER, Grouping
from tastemaker.errors import BadInput
from tastemaker.recommend.clusters import profiles_of, text_clusters, user_clusters
from tastemaker.recommend.communities import communities
from tastemaker.recommend.group_names import around, holding, said, texts_of, titles_of
from tastemaker.recommend.priors_shape import Prior, PriorsConfig

Int64s = npt.NDArray[np.int64]


def grouping_of(prior: Prior, config: PriorsConfig, ground: Ground) -> Grouping:
    """The groups that a prior names.

    Args:
        prior: `category`, `community` and `cluster` group items, `event` the log's kinds of event,
            `user` and `interest` the log's users.
        config: How many communities or clusters, at most.
        ground: Items, their catalogue, and training events: row u is user u of the log.

    Raises:
        BadInput: If what groups would be made of is missing.
        ValueError: If groups are to be found and there are no training events, as where a trained
            model is opened.
    """
    if prior == "category":
        return _categories(ground)
    if prior == "event":
        return _kinds(ground)
    if prior == "interest":
        return _interests(ground)
    if ground.train is None:
        raise ValueError("groups are made of training events: keep them where a model is opened")
    if prior == "user":
        return _users(config.groups, ground, ground.train)
    found = _communities if prior == "community" else _clusters
    return found(config.groups, ground, ground.train)


def counted_other(grouping: Grouping) -> int:
    """Members that are in `other` and in no group that says something."""
    if grouping.of == "events" or OTHER not in grouping.names:
        return 0  # a kind of event that is called so is one that somebody named
    alone = np.diff(grouping.membership.indptr) == 1
    return int((alone & grouping.members(grouping.names.index(OTHER))).sum())


def _categories(ground: Ground) -> Grouping:
    known = ground.groupings.get(CATEGORY)
    if known is None:
        fix = (
            'Give the items table a column of lists, or of text such as "Drama|War"; or choose '
            "another prior, such as --model.priors community."
        )
        raise BadInput("No item has a category.", "--model.priors category", fix)
    return known


def _kinds(ground: Ground) -> Grouping:
    known = ground.groupings.get(EVENT)
    if known is None or known.num_groups < 2:
        what = "The log has one kind of event, so heads for kinds would all be one."
        fix = "Give a log with a column `event` of several kinds, or choose another prior."
        raise BadInput(what, "--model.priors event", fix)
    return known


def _interests(ground: Ground) -> Grouping:
    known = ground.groupings.get(INTEREST)
    if known is None:
        fix = "Give the items table categories, which interests are of, or choose another prior."
        raise BadInput("No interest of any user is known.", "--model.priors interest", fix)
    return known


def _communities(most: int, ground: Ground, train: Contexts) -> Grouping:
    labels = communities(train, ground.num_items, most=most)
    if (labels < 0).all():
        what = "No two items were chosen by one user in training, so there are no communities."
        fix = "Give longer histories, or choose another prior."
        raise BadInput(what, "--model.priors community", fix)
    counts = np.bincount(train.items, minlength=ground.num_items + 1)[1:]
    return _grouped(labels, around(labels, counts, titles_of(ground)), "items")


def _clusters(most: int, ground: Ground, train: Contexts) -> Grouping:
    texts = texts_of(ground)
    trained = np.bincount(train.items, minlength=ground.num_items + 1)[1:] > 0
    if not any(text for text, known in zip(texts, trained, strict=True) if known):
        what = "No item with training events has a text, so there are no clusters of texts."
        fix = "Give titles, texts or categories in the items table, or choose another prior."
        raise BadInput(what, "--model.priors cluster", fix)
    labels = text_clusters(texts, trained, most)
    names = said(np.where(trained, labels, -1), texts)
    return _grouped(labels, names, "items")


def _users(most: int, ground: Ground, train: Contexts) -> Grouping:
    """By the categories that users hold, or by items where there are none."""
    grouping = ground.groupings.get(CATEGORY)
    if grouping is None:
        held, names = sp.csr_array(sp.eye_array(ground.num_items)), titles_of(ground)
    else:
        each = 1 / np.maximum(np.diff(grouping.membership.indptr), 1)
        held = sp.csr_array(sp.diags_array(each) @ grouping.membership)
        names = list(grouping.names)
    held = held.astype(np.float32)
    labels = user_clusters(train, held, most)
    return _grouped(labels, holding(labels, profiles_of(train, held), names), "users")


def _grouped(labels: Int64s, names: tuple[str, ...], of: Of) -> Grouping:
    """Members in one group each, in the order of labels; `other`, the last, has those of −1."""
    bare = labels < 0
    groups = np.where(bare, len(names), labels)
    if bare.any():
        names = (*names, OTHER)
    parts = np.ones(len(labels), np.float32), (np.arange(len(labels)), groups)
    return Grouping(names, sp.csr_array(parts, (len(labels), len(names))), of)
