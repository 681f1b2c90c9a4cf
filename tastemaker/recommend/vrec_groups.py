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
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from tastemaker.data.given_codes import given_codes
from tastemaker.data.ground import Ground
from tastemaker.data.groupings import Grouping
from tastemaker.data.semantic_ids import SemanticIds
from tastemaker.errors import BadInput
from tastemaker.recommend.clusters import k_means
from tastemaker.recommend.group_names import around, said, texts_of, titles_of
from tastemaker.recommend.item_facts import ItemFacts, nearest
from tastemaker.recommend.residual_codes import residual_codes
from tastemaker.recommend.vrec_shape import AUTO, CHOSEN, CODES, TEXT, VRecConfig

Vectors = npt.NDArray[np.float32]
Int64s = npt.NDArray[np.int64]

BESIDE = 0.3
"""Length of collaborative vectors beside those of texts in ids of words: texts decide, and what was
chosen with what tells items apart whose texts are alike or missing. Ours, and not tuned."""


@dataclass(frozen=True, eq=False)
class Known:
    """What a model knows of its items beside its weights."""

    ids: SemanticIds | None
    """None where the language is not one of ids"""
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
    facts = ItemFacts(ground, ground.train)
    names = config.checks(texts=config.verifiers == (AUTO,) and bool(facts.texts.any()))
    groupings = {name: _grouping(name, config, ground, facts) for name in names}
    ids = _ids(config, ground, facts) if config.language == CODES else None
    return Known(ids, groupings)


def _ids(config: VRecConfig, ground: Ground, facts: ItemFacts) -> SemanticIds:
    """Semantic ids as the options want them."""
    made = config.codes
    if made == "auto":
        made = "words" if facts.texts.any() else "events"
    if made == "words":
        if not facts.texts.any():
            fix = "Give titles or texts in the items table, or choose --model.codes events."
            raise BadInput("No item with training events has a text.", "--model.codes words", fix)
    elif made != "events":
        return given_codes(Path(made), ground.catalog.frame["item_id"])
    return residual_codes(code_vectors(facts, made == "words"), config.levels, config.size)


def code_vectors(facts: ItemFacts, words: bool) -> Vectors:
    """(I, D) what codes are made of: words, and beside them events, or events alone."""
    if not words:
        return facts.collaborative
    return np.concatenate([facts.texts, BESIDE * facts.collaborative], axis=1)


def _grouping(name: str, config: VRecConfig, ground: Ground, facts: ItemFacts) -> Grouping:
    """The groups that a verifier says."""
    where, most = f"--model.verifiers {name}", config.classes
    if name == "random":
        labels = np.random.default_rng(0).integers(0, most, ground.num_items)
    elif name == TEXT:
        rows, learnt = facts.texts.any(axis=1), facts.texts.any(axis=1) & facts.trained
        if not learnt.any():
            fix = "Give titles in the items table, or choose --model.verifiers collaborative."
            raise BadInput("No item with training events has a text.", where, fix)
        labels = np.full(ground.num_items, -1, np.int64)
        labels[rows] = k_means(facts.texts[learnt], facts.texts[rows], most, 0)
    elif name == CHOSEN:
        vectors = facts.collaborative
        labels = np.full(ground.num_items, -1, np.int64)
        rows = vectors.any(axis=1)
        labels[rows] = k_means(vectors[rows], vectors[rows], most, 0)
        labels = nearest(labels, facts.texts)
    else:
        given = {key: groups for key, groups in ground.groupings.items() if groups.of == "items"}
        if name in given:
            return given[name]
        known = ", ".join([TEXT, CHOSEN, "random", *given])
        raise BadInput(f"Nothing groups items by {name!r:.80}.", where, f"Known: {known}.")
    return labelled(labels, _named(name, ground, facts))


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


def _named(name: str, ground: Ground, facts: ItemFacts) -> Callable[[Int64s], Sequence[str]]:
    """How the groups that a verifier says are named."""

    def chosen_most(labels: Int64s) -> Sequence[str]:
        return around(labels, facts.counts, titles_of(ground))

    def worded(labels: Int64s) -> Sequence[str]:
        return said(labels, texts_of(ground), otherwise=chosen_most(labels))

    def numbered(labels: Int64s) -> Sequence[str]:
        return [f"{name} {group}" for group in range(1, int(labels.max(initial=-1)) + 2)]

    return {TEXT: worded, CHOSEN: chosen_most}.get(name, numbered)
