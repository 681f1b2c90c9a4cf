"""What VRec knows of its items when there are more of them: their codes, and their groups.

A new item has, level after level, the code whose items' mean is nearest to it, of the codes that
there are. A sequence that an item has alone stays its own: another that is nearest to it takes the
next nearest. Those of before keep theirs, so a model that learned them can go on.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from tastemaker.data.ground import Ground
from tastemaker.data.groupings import Grouping
from tastemaker.data.semantic_ids import SemanticIds
from tastemaker.errors import BadInput
from tastemaker.recommend.grown_groups import by_likeness, by_name
from tastemaker.recommend.item_facts import ItemFacts, Vectors
from tastemaker.recommend.vrec_code_language import CodeLanguage
from tastemaker.recommend.vrec_groups import Known, code_vectors
from tastemaker.recommend.vrec_languages import Language, grown_language
from tastemaker.recommend.vrec_shape import CHOSEN, TEXT, VRecConfig

Int64s = npt.NDArray[np.int64]
_CHUNK = 1024


def grown_parts(
    config: VRecConfig, groupings: Mapping[str, Grouping], language: Language, ground: Ground
) -> tuple[Known, Language]:
    """Groups of all items, and the language that says them, those of before as they were.

    Raises:
        BadInput: If codes were given by a file, the ground no longer says what groups are of, or
            the model that the options name is not here.
        ArtefactError: If it is not what adapters were trained beside.
    """
    ids = language.ids if isinstance(language, CodeLanguage) else None
    known = grown_known(config, groupings, ids, ground)
    return known, grown_language(config, known, ground, language)


def grown_known(
    config: VRecConfig, groupings: Mapping[str, Grouping], ids: SemanticIds | None, ground: Ground
) -> Known:
    """Codes and groups of all items, those of before as they were.

    Raises:
        BadInput: If codes were given by a file, or the ground no longer says what groups are of.
    """
    facts = ItemFacts(ground, ground.train)
    groups = {name: _groups(name, known, ground, facts) for name, known in groupings.items()}
    if ids is None:
        return Known(None, groups)
    words = config.codes == "words" or config.codes == "auto" and bool(facts.texts.any())
    if not words and config.codes not in ("auto", "events"):
        what = "Codes that a file gives are numbered anew where there are more items."
        raise BadInput(what, f"--model.codes {config.codes}", "Train afresh.")
    return Known(grown_codes(ids, code_vectors(facts, words), config.levels), groups)


def _groups(name: str, known: Grouping, ground: Ground, facts: ItemFacts) -> Grouping:
    """Items in the groups that a verifier knows; one that is like none of them is in none."""
    if name in (TEXT, CHOSEN):
        return by_likeness(known, facts, texts_first=name == TEXT, other=False)
    if name in ground.groupings:
        return by_name(known, ground.groupings[name], more=False)
    if name != "random":
        what, fix = f"Nothing groups items by {name!r:.80}.", "Give the items table that did."
        raise BadInput(what, f"--model.verifiers {name}", fix)
    drawn = np.random.default_rng(1).integers(0, known.num_groups, facts.num_items)
    labels = [known.names[group] for group in drawn]
    before = [known.names[group] for group in known.membership.indices]
    return by_name(known, Grouping.from_labels([*before, *labels[len(before) :]], "items"))


def grown_codes(ids: SemanticIds, vectors: Vectors, levels: int) -> SemanticIds:
    """Codes of more items.

    Args:
        ids: Those of the first items.
        vectors: (I, D) of all items.
        levels: Codes of each item before the one that tells apart what shares them all.
    """
    base, count = ids.codes[:, :levels].astype(np.int64), len(vectors) - ids.num_items
    rest, codes = vectors.astype(np.float32), np.zeros((count, levels), np.int64)
    sizes = [*ids.sizes]
    if not count:
        return ids
    for level in range(levels):
        means = _means(rest[: ids.num_items], base[:, level], sizes[level])
        taken = _alone(ids, levels) if level == levels - 1 else {}
        codes[:, level] = _nearest(rest[ids.num_items :], means, codes[:, :level], taken)
        if level < levels - 1:
            rest = rest - means[np.concatenate([base[:, level], codes[:, level]])]
    sizes[levels - 1] = max(sizes[levels - 1], int(codes[:, -1].max()) + 1)
    before = ids.codes[:, levels:]
    last = np.concatenate(
        [before[:, 0] if before.size else np.full(len(base), -1), _apart(base, codes)]
    )
    whole = np.concatenate([base, codes])
    if last.max() >= 0:
        whole = np.column_stack([whole, last])
        sizes[levels:] = [max(*sizes[levels:], int(last.max()) + 1, 1)]
    return SemanticIds(whole.astype(np.int32), tuple(sizes))


def _means(rows: Vectors, label: Int64s, size: int) -> Vectors:
    """(C, D) mean of the rows with each label."""
    sums = np.zeros((size, rows.shape[1]), np.float64)
    np.add.at(sums, label, rows)
    counts = np.maximum(np.bincount(label, minlength=size), 1)
    means: Vectors = (sums / counts[:, None]).astype(np.float32)
    return means


def _alone(ids: SemanticIds, levels: int) -> dict[tuple[int, ...], list[int]]:
    """First codes of a sequence → last ones with which it is an item's alone."""
    bare = ids.codes[:, levels] < 0 if len(ids.sizes) > levels else np.ones(ids.num_items, bool)
    taken: dict[tuple[int, ...], list[int]] = {}
    for row in ids.codes[bare, :levels].tolist():
        taken.setdefault(tuple(row[:-1]), []).append(row[-1])
    return taken


def _nearest(
    rows: Vectors, means: Vectors, first: Int64s, taken: dict[tuple[int, ...], list[int]]
) -> Int64s:
    """(n,) number of the nearest mean that is not taken; one more than there are where all are."""
    found = np.zeros(len(rows), np.int64)
    for start in range(0, len(rows), _CHUNK):
        part = rows[start : start + _CHUNK]
        far = (means * means).sum(1) - 2 * part @ means.T
        for row, before in enumerate(first[start : start + _CHUNK].tolist() if taken else []):
            far[row, taken.get(tuple(before), [])] = np.inf
        nearest = far.argmin(axis=1)
        free = np.isfinite(far[np.arange(len(part)), nearest])
        found[start : start + _CHUNK] = np.where(free, nearest, len(means))
    return found


def _apart(base: Int64s, codes: Int64s) -> Int64s:
    """(n,) one more code for new items that are alike or like those before; −1 for others."""
    held: dict[tuple[int, ...], int] = {}
    for row in base.tolist():
        held[tuple(row)] = held.get(tuple(row), 0) + 1
    rows = [tuple(row) for row in codes.tolist()]
    several = held | {}
    for row in rows:
        several[row] = several.get(row, 0) + 1
    last = np.full(len(rows), -1, np.int64)
    for place, row in enumerate(rows):
        if several[row] > 1:
            last[place] = held.get(row, 0)
            held[row] = held.get(row, 0) + 1
    return last
