"""What VRec is built from: semantic ids of the items, and the groups that its verifiers say.

All is learnt from training events and the catalogue alone. Collaborative vectors are those of a
truncated SVD of the cosine co-occurrence of items, from users' training events. An item without
any has the collaborative group whose texts are nearest to its own; where it has no text either, it
is in no group, and no verifier learns from it.

A group of texts is called by the words that its texts have and others have not, one of what is
chosen alike by its most chosen item (`group_names`); random groups have a number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from tastemaker.data.contexts import Contexts
from tastemaker.data.given_codes import given_codes
from tastemaker.data.ground import Ground
from tastemaker.data.groupings import Grouping
from tastemaker.data.semantic_ids import SemanticIds
from tastemaker.errors import BadInput
from tastemaker.models.words import Words
from tastemaker.recommend.clusters import k_means
from tastemaker.recommend.ease import binary
from tastemaker.recommend.group_names import around, said, texts_of, titles_of
from tastemaker.recommend.residual_codes import residual_codes
from tastemaker.recommend.vrec_shape import VRecConfig

Vectors = npt.NDArray[np.float32]
Int64s = npt.NDArray[np.int64]

WIDTH = 64
"""Columns of collaborative vectors, at most."""
CHOSEN = 0.3
"""Length of collaborative vectors beside those of texts in ids of words: texts decide, and what was
chosen with what tells items apart whose texts are alike or missing. Ours, and not tuned."""


@dataclass(frozen=True, eq=False)
class Known:
    """What a model knows of its items beside its weights."""

    ids: SemanticIds
    groupings: Mapping[str, Grouping]
    """verifier → what it says"""


def known_of(config: VRecConfig, ground: Ground) -> Known:
    """Make ids and groups.

    Raises:
        BadInput: If what they would be made of is missing.
        ValueError: If they are to be found and there are no training events, as where a trained
            model is opened.
    """
    if ground.train is None:
        raise ValueError("ids and groups are learnt from training events: keep them")
    facts = _Facts(ground, ground.train)
    groupings = {name: _grouping(name, config, ground, facts) for name in config.verifiers}
    return Known(_ids(config, ground, facts), groupings)


class _Facts:
    """Vectors of the items, made when first asked for."""

    def __init__(self, ground: Ground, train: Contexts) -> None:
        self.train, self.num_items = train, ground.num_items
        self.trained = np.bincount(train.items, minlength=ground.num_items + 1)[1:] > 0
        self.written = ground.catalog.texts() or [""] * ground.num_items

    @cached_property
    def texts(self) -> Vectors:
        """(I, D) vectors of texts, learnt from those of trained items; zero where there is none."""
        pairs = zip(self.written, self.trained, strict=True)
        learnt = [text for text, known in pairs if known and text.strip()]
        return Words(learnt)(self.written) if learnt else np.zeros((self.num_items, 1), np.float32)

    @cached_property
    def collaborative(self) -> Vectors:
        """(I, D) unit vectors of trained items; zero for others."""
        return collaborative_vectors(self.train, self.num_items)


def collaborative_vectors(train: Contexts, num_items: int, seed: int = 0) -> Vectors:
    """(I, D ≤ `WIDTH`) unit vectors by which items are near that the same users chose.

    Left singular vectors, times their values, of the (I, U) matrix of who was chosen by whom with
    rows and columns of length one: those of the items' cosines, which are never made.
    """
    from sklearn.utils.extmath import randomized_svd
    from threadpoolctl import threadpool_limits

    chosen = _unit(sp.csr_array(_unit(binary(train, num_items)).T))
    kept = min(WIDTH, *chosen.shape)
    with threadpool_limits(1):
        left, values, _ = randomized_svd(chosen, kept, n_iter=7, random_state=seed)
    places = left * values
    lengths = np.linalg.norm(places, axis=1, keepdims=True)
    # Rows of nothing are rounding along the least axes, and no direction.
    known = np.diff(chosen.indptr)[:, None] > 0
    return np.where(known, places / np.maximum(lengths, 1e-12), 0).astype(np.float32)


def _unit(rows: sp.csr_array) -> sp.csr_array:
    lengths = np.sqrt(np.maximum(np.asarray(rows.multiply(rows).sum(axis=1)).ravel(), 1e-12))
    return sp.csr_array(sp.diags_array(1 / lengths) @ rows)


def _ids(config: VRecConfig, ground: Ground, facts: _Facts) -> SemanticIds:
    """Semantic ids as the options want them."""
    made = config.codes
    if made == "auto":
        made = "words" if facts.texts.any() else "events"
    if made == "words":
        if not facts.texts.any():
            fix = "Give titles or texts in the items table, or choose --model.codes events."
            raise BadInput("No item with training events has a text.", "--model.codes words", fix)
        vectors = np.concatenate([facts.texts, CHOSEN * facts.collaborative], axis=1)
    elif made == "events":
        vectors = facts.collaborative
    else:
        return given_codes(Path(made), ground.catalog.frame["item_id"])
    return residual_codes(vectors, config.levels, config.size)


def _grouping(name: str, config: VRecConfig, ground: Ground, facts: _Facts) -> Grouping:
    """The groups that a verifier says."""
    where, most = f"--model.verifiers {name}", config.classes
    if name == "random":
        labels = np.random.default_rng(0).integers(0, most, ground.num_items)
    elif name == "text":
        rows, learnt = facts.texts.any(axis=1), facts.texts.any(axis=1) & facts.trained
        if not learnt.any():
            fix = "Give titles or texts in the items table, or choose another verifier."
            raise BadInput("No item with training events has a text.", where, fix)
        labels = np.full(ground.num_items, -1, np.int64)
        labels[rows] = k_means(facts.texts[learnt], facts.texts[rows], most, 0)
    elif name == "collaborative":
        vectors = facts.collaborative
        labels = np.full(ground.num_items, -1, np.int64)
        rows = vectors.any(axis=1)
        labels[rows] = k_means(vectors[rows], vectors[rows], most, 0)
        labels = _by_text(labels, facts.texts)
    elif name in ground.groupings:
        return ground.groupings[name]
    else:
        known = ", ".join(["text", "collaborative", "random", *ground.groupings])
        raise BadInput(f"Nothing groups items by {name!r:.80}.", where, f"Known: {known}.")
    return labelled(labels, _named(name, ground, facts))


def _by_text(labels: Int64s, texts: Vectors) -> Int64s:
    """Labels with those of items that have none by the nearest mean text of the others."""
    bare = (labels < 0) & texts.any(axis=1)
    taught = (labels >= 0) & texts.any(axis=1)
    if not (bare.any() and taught.any()):
        return labels
    shape = int(labels.max()) + 1, len(labels)
    rows = np.flatnonzero(taught)
    sums = sp.csr_array((np.ones(len(rows)), (labels[rows], rows)), shape) @ texts
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    means = sums / np.maximum(lengths, 1e-12)
    likeness = np.where(lengths[:, 0] > 0, texts[bare] @ means.T, -np.inf)
    filled = labels.copy()
    filled[bare] = likeness.argmax(axis=1)
    return filled


def labelled(labels: Int64s, named: Callable[[Int64s], Sequence[str]]) -> Grouping:
    """Items in one group each, or in none where the label is −1.

    Args:
        labels: (I,) any numbers from 0 on.
        named: Labels from 0 to G − 1 without gaps → (G,) names of the groups.
    """
    rows = np.flatnonzero(labels >= 0)
    _, numbers = np.unique(labels[rows], return_inverse=True)
    dense = np.full(len(labels), -1, np.int64)
    dense[rows] = numbers
    names = tuple(named(dense))
    parts = np.ones(len(rows), np.float32), (rows, numbers)
    return Grouping(names, sp.csr_array(parts, (len(labels), len(names))), "items")


def _named(name: str, ground: Ground, facts: _Facts) -> Callable[[Int64s], Sequence[str]]:
    """How the groups that a verifier says are named."""
    counts = np.bincount(facts.train.items, minlength=ground.num_items + 1)[1:]

    def chosen_most(labels: Int64s) -> Sequence[str]:
        return around(labels, counts, titles_of(ground))

    def worded(labels: Int64s) -> Sequence[str]:
        return said(labels, texts_of(ground), otherwise=chosen_most(labels))

    def numbered(labels: Int64s) -> Sequence[str]:
        return [f"{name} {group}" for group in range(1, int(labels.max(initial=-1)) + 2)]

    return {"text": worded, "collaborative": chosen_most}.get(name, numbered)
