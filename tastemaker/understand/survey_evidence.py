"""Evidence of interests that a survey is compared with: counted in code, or from a run's samples.

The evidence of an interest is how many distinct positive items prove it; 0 where it is not
verified.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tastemaker import records
from tastemaker.data.declaration import POLARITIES, Polarity, is_positive
from tastemaker.data.signals import Event, UserSignals
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.understand.groundedness import verified
from tastemaker.understand.task import Task
from tastemaker.understand.taxonomy import Taxonomy

SAMPLES = "samples.jsonl"
"""File of a run with a record a user."""
_POSITIVE = np.array([is_positive(kind) for kind in POLARITIES])
_KINDS: dict[str, Polarity] = {str(kind): kind for kind in POLARITIES}


@dataclass(frozen=True)
class SurveyEvidence:
    """What is known of users' interests."""

    verified: Mapping[str, Mapping[str, float]]
    """user id → name of an interest → its evidence"""
    known: Mapping[str, int]
    """`Taxonomy.key` → category of names that were mapped to the taxonomy"""


def by_counting(task: Task) -> SurveyEvidence:
    """Evidence of each user's categories, counted in code.

    Raises:
        BadInput: If no item has a category.
    """
    if not any(task.categories.values()):
        what = "Nothing is known of the items' categories, so that no interest can be counted."
        fix = "Give a catalogue with categories, or a run of a model with --run."
        raise BadInput(what, task.name, fix)
    found: dict[str, Mapping[str, float]] = {}
    for user in task.users():
        items: dict[str, list[str]] = {}
        for item in user.items:
            for name in task.categories.get(item, ()):
                items.setdefault(name, []).append(item)
        found[user.user] = dict(zip(items, _evidence(user, list(items.values())), strict=True))
    return SurveyEvidence(found, {})


def of_run(folder: Path, taxonomy: Taxonomy | None = None) -> SurveyEvidence:
    """Evidence of the interests that a model wrote in a run of the benchmark.

    Items that its judge found relevant count; where nobody judged, those that it cites.

    Args:
        folder: Of the run.
        taxonomy: That the run mapped interests to.

    Raises:
        BadInput: If the folder holds no samples.
        ArtefactError: If they are damaged.
    """
    path = folder / SAMPLES
    if not path.is_file():
        fix = "Give the folder of a run of `tastemaker gistbench run`."
        raise BadInput("The folder holds no samples.", str(folder), fix)
    found: dict[str, Mapping[str, float]] = {}
    known: dict[str, int] = {}
    try:
        for record in records.read(path):
            if record.get("excluded"):
                continue
            user, interests = _read(record)
            proofs = [relevant for _, _, relevant in interests]
            own: dict[str, float] = {}
            for (name, category, _), much in zip(interests, _evidence(user, proofs), strict=True):
                own[name] = max(much, own.get(name, 0.0))
                if taxonomy is not None and isinstance(category, int) and category > 0:
                    known[taxonomy.key(name)] = category
            found[user.user] = own
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        what, want, got = "A sample is damaged", "what a model wrote of a user", repr(error)
        raise ArtefactError(str(path), what, want, got, "Score the run again.") from None
    return SurveyEvidence(found, known)


def _evidence(user: UserSignals, proofs: Sequence[Iterable[str]]) -> list[float]:
    """Positive items among the proofs of each interest, where they are enough."""
    rows = [user.counts(items) for items in proofs]
    counts = np.array(rows, np.int64).reshape(-1, len(POLARITIES))
    much: list[float] = (verified(counts, user.kinds) * counts[:, _POSITIVE].sum(1)).tolist()
    return [float(one) for one in much]


def _read(record: Mapping[str, object]) -> tuple[UserSignals, list[tuple[str, object, list[str]]]]:
    """A sample's user, as far as it is cited, and name, category and proof of each interest."""
    seen, interests, kinds = record["seen"] or {}, record["interests"], record["kinds"]
    if not (isinstance(seen, dict) and isinstance(interests, list) and isinstance(kinds, list)):
        raise TypeError("seen, interests or kinds")
    events = tuple(Event(item, _KINDS[kind]) for item, said in seen.items() for kind in said)
    user = UserSignals(str(record["user"]), events, tuple(_KINDS[kind] for kind in kinds))
    read = []
    for one in interests:
        relevant = one["relevant"] if record["judged"] else one["cited"]
        proof = [] if one.get("problem") else list(relevant or ())
        read.append((str(one["name"]), one["category"], proof))
    return user, read
