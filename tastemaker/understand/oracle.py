"""Oracle: the categories of interest that each user is known to have, O_u; what recall divides by.

Either read from a file `{"oracle": {user: [category numbers]}}`, or the union over three or more
models of the categories in which a model verified an interest. It depends on the models that made
it, so it carries a hash, and numbers with different oracles are never ranked together.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import mean, median

from tastemaker import files
from tastemaker.counts import counted
from tastemaker.errors import BadInput
from tastemaker.understand.taxonomy import OTHER

LEAST_MODELS = 3
"""Models whose union may stand for what there is to find."""


@dataclass(frozen=True)
class Oracle:
    """O_u of each user that is known."""

    users: Mapping[str, frozenset[int]]
    """user id → category numbers, 1 or more"""
    models: tuple[str, ...] = ()
    """models that it is the union of; empty where a file does not say"""

    @cached_property
    def sha256(self) -> str:
        """Hash of users and categories, whatever their order."""
        content = {user: sorted(known) for user, known in sorted(self.users.items())}
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def split(self, users: Iterable[str]) -> tuple[list[str], list[str]]:
        """Users that are known here, and those that are not and are to be left out; both in order.

        The second are counted and named in every result, never scored as if they had no interests.
        """
        everyone = list(users)
        missing = [user for user in everyone if user not in self.users]
        return [user for user in everyone if user in self.users], missing

    def commonest(self, many: int) -> list[int]:
        """The categories that most users have, most first, of equals the lower number first."""
        held = Counter(category for known in self.users.values() for category in known)
        return sorted(held, key=lambda category: (-held[category], category))[:many]

    @property
    def statistics(self) -> dict[str, float]:
        """How many categories users have, and how many have the commonest."""
        sizes = [len(known) for known in self.users.values()]
        held = Counter(category for known in self.users.values() for category in known)
        return {
            "users": len(sizes),
            "mean": mean(sizes) if sizes else 0.0,
            "median": median(sizes) if sizes else 0.0,
            "least": min(sizes, default=0),
            "most": max(sizes, default=0),
            "categories": len(held),
            "share_of_commonest": max(held.values(), default=0) / max(1, len(sizes)),
        }

    def save(self, path: Path) -> None:
        """Write a file that `open` reads."""
        content = {user: sorted(known) for user, known in self.users.items()}
        files.write_json(path, {"models": list(self.models), "oracle": content})

    @classmethod
    def open(cls, path: Path) -> Oracle:
        """Read `{"oracle": {user: [category numbers]}}`; other keys are not looked at.

        Raises:
            BadInput: If it is not such a file; names the first user that is wrong.
        """
        fix = 'Write {"oracle": {"user id": [1, 5, 12]}}.'
        try:
            content = json.loads(path.read_bytes())
        except OSError as error:
            what = f"The oracle cannot be read: {error.strerror}."
            raise BadInput(what, str(path), "Give the path of a file.") from None
        except (ValueError, RecursionError) as error:
            raise BadInput(f"The file is not JSON: {error}.", str(path), fix) from None
        users = content.get("oracle") if isinstance(content, dict) else None
        if not isinstance(users, dict):
            what = "The file has no key `oracle` with users in it."
            raise BadInput(what, str(path), fix)
        models = content.get("models", [])
        named = tuple(map(str, models)) if isinstance(models, list) else ()
        return cls({user: _numbers(user, known, path) for user, known in users.items()}, named)


def union(models: Mapping[str, Mapping[str, Iterable[int]]]) -> Oracle:
    """O_u as the union over models of the categories with a verified interest.

    Args:
        models: Name of a model → user id → categories in which it verified an interest; `OTHER`
            never enters.

    Raises:
        BadInput: If there are fewer than three models.
    """
    if len(models) < LEAST_MODELS:
        what = f"An oracle of {counted(len(models), 'model')} knows too little."
        fix = f"Give what {LEAST_MODELS} or more models verified, or an oracle file."
        raise BadInput(what, "oracle", fix)
    users: dict[str, set[int]] = {}
    for verified in models.values():
        for user, categories in verified.items():
            users.setdefault(user, set()).update(set(categories) - {OTHER})
    return Oracle({user: frozenset(known) for user, known in users.items()}, tuple(models))


def _numbers(user: str, known: object, path: Path) -> frozenset[int]:
    if isinstance(known, list) and all(type(one) is int and one > OTHER for one in known):
        return frozenset(known)
    what = f"The categories of user {user!r:.80} are {known!r:.80}, not numbers from 1."
    raise BadInput(what, str(path), "Give a list of whole numbers, such as [1, 5, 12].")
