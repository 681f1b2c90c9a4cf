"""Baselines: whoever understands a user without a language model, for any task.

What they name are the labels of items: their categories or, where a task knows none, those of its
taxonomy that an item's text has a word of, a word that one name alone has. Without a taxonomy they
are the telling words of texts, those of two or more letters that stand in at least two items and in
at most a quarter of them. A label is as common as the users who have a positive item of it are
many.

- popularity names the commonest labels for everybody, each with the positive items that the user
  has of it: what is gained by knowing the crowd alone;
- echo names the commonest labels, each with every item of the history: all is found, and nothing
  told apart;
- counting names the labels whose items pass the thresholds of `groundedness`, with just these items
  and their exact numbers: what a profile costs that is counted in code.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from tastemaker.data.categories import fold
from tastemaker.data.declaration import POLARITIES, Polarity
from tastemaker.data.signals import UserSignals
from tastemaker.errors import BadInput
from tastemaker.understand.asked import Written
from tastemaker.understand.evidence import MOST_INTERESTS
from tastemaker.understand.extracted import Extracted
from tastemaker.understand.groundedness import Thresholds, verified
from tastemaker.understand.interests import Interest
from tastemaker.understand.task import Task

Labels = Mapping[str, tuple[str, ...]]
"""Item id → its labels."""
POPULAR = 8
"""Labels that popularity names."""
ECHOED = 50
"""Labels that echo names."""
_WORD = re.compile(r"[^\W\d_]{2,}")
_SHARE = 0.25
"""Items beyond which a word tells nothing."""


class Baseline:
    """One of the baselines of a task.

    Args:
        name: One of `BASELINES`.
        task: What it is asked about.
        thresholds: When counting takes a label for an interest; default: those of the paper.

    Raises:
        BadInput: If there is no such baseline.
    """

    def __init__(self, name: str, task: Task, thresholds: Thresholds | None = None) -> None:
        if name not in BASELINES:
            fix = f"There are: {', '.join(BASELINES)}."
            raise BadInput(f"No baseline is called {name!r:.80}.", "model", fix)
        self.name, self._thresholds = name, thresholds or Thresholds()
        self._labels = labels(task)
        self._common = common(task, self._labels) if name != "counting" else []
        decides = [name, vars(self._thresholds), task.sha256, sorted(self._labels.items())]
        self.identity = hashlib.sha256(json.dumps(decides).encode()).hexdigest()

    def write(self, users: Sequence[UserSignals]) -> list[Written]:
        """Its interests of each user."""
        return [Written(Extracted(tuple(self._interests(user)))) for user in users]

    def _interests(self, user: UserSignals) -> list[Interest]:
        if self.name == "counting":
            return self._counted(user)
        if self.name == "echo":
            return [_interest(user, name, user.items) for name in self._common[:ECHOED]]
        own = self._own(user)
        names = self._common[:POPULAR]
        return [_interest(user, name, _liked(user, own.get(name, ()))) for name in names]

    def _counted(self, user: UserSignals) -> list[Interest]:
        """Labels that the user's items prove, most positive items first, no item thrice."""
        own, uses = self._own(user), Counter[str]()
        order = sorted(own, key=lambda name: (-len(_liked(user, own[name])), name))
        interests = []
        for name in order:
            free = [item for item in own[name] if uses[item] < MOST_INTERESTS]
            whole = verified(user.counts(own[name]), user.kinds, self._thresholds)
            if whole and verified(user.counts(free), user.kinds, self._thresholds):
                uses.update(free)
                interests.append(_interest(user, name, free))
        return interests

    def _own(self, user: UserSignals) -> dict[str, list[str]]:
        """Label → the user's items of it, newest first."""
        own: dict[str, list[str]] = {}
        for item in user.items:
            for name in self._labels.get(item, ()):
                own.setdefault(name, []).append(item)
        return own


BASELINES = ("popularity", "echo", "counting")


def labels(task: Task) -> Labels:
    """Item id → what it is about: its categories, or what its text says."""
    if task.categories:
        return task.categories
    words = {item: dict.fromkeys(_WORD.findall(fold(text))) for item, text in task.texts.items()}
    named = _named(task.taxonomy.names) if task.taxonomy else {}
    found = {
        item: tuple(dict.fromkeys(named[word] for word in own if word in named))
        for item, own in words.items()
    }
    return found if any(found.values()) else _telling(words)


def _named(names: Sequence[str]) -> dict[str, str]:
    """Word → the one name that has it; words of several names are left out."""
    pairs = [(word, name) for name in names for word in set(_WORD.findall(fold(name)))]
    held = Counter(word for word, _ in pairs)
    return {word: name for word, name in pairs if held[word] == 1 and len(word) > 2}


def _telling(words: Mapping[str, Iterable[str]]) -> Labels:
    """The words of each item that some others have too, and not too many."""
    held = Counter(word for own in words.values() for word in own)
    most = max(2.0, _SHARE * len(words))
    return {
        item: tuple(word for word in own if 2 <= held[word] <= most) for item, own in words.items()
    }


def common(task: Task, known: Labels) -> list[str]:
    """Labels by the number of users who like an item of them, most first, equals by name."""
    held: Counter[str] = Counter()
    for user in task.users():
        liked = _liked(user, user.items)
        held.update({name for item in liked for name in known.get(item, ())})
    return sorted(held, key=lambda name: (-held[name], name))


def _liked(user: UserSignals, items: Iterable[str]) -> list[str]:
    """Those of a user's items that were seen with a positive polarity."""
    return [item for item in items if any(kind.endswith("positive") for kind in user.items[item])]


def _interest(user: UserSignals, name: str, items: Iterable[str]) -> Interest:
    """An interest that claims what is true of the items that it cites."""
    cited = tuple(items)
    counts = user.counts(cited).tolist()
    claimed: dict[Polarity, int] = dict(zip(POLARITIES, counts, strict=True))
    types = {item: min(user.items[item], key=POLARITIES.index) for item in cited}
    return Interest(name, cited, claimed=claimed, types=types)
