"""tastemaker recommend: what comes next for one user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from tastemaker.commands.terminal import beside, plain
from tastemaker.commands.verbs import Later, Verb
from tastemaker.errors import BadInput
from tastemaker.options import Positional


@dataclass(frozen=True)
class RecommendOptions:
    """Recommend items to one user, beside what that user liked."""

    run: Positional
    """run directory"""
    user: str
    """user id as in the data; an unknown one is answered with what is popular"""
    k: int = 10
    """number of items, at least 1"""
    boost: tuple[str, ...] = ()
    """groups to favour, such as `Comedy=0.3`; for an unknown user: the groups they name"""
    allow: str = ""
    """file of item ids, one a line: only these are recommended"""
    deny: str = ""
    """file of item ids, one a line: these are not"""
    model: str = ""
    """model of the run; default: the one it recommends with"""

    def boosts(self) -> dict[str, float]:
        """Group → weight.

        Raises:
            BadInput: If a boost is not `Group=number`.
        """
        found = {}
        for text in self.boost:
            name, _, number = text.rpartition("=")
            try:
                found[name] = float(number)
            except ValueError:
                name = ""
            if not name or not -100 <= found[name] <= 100:
                fix = 'Write --boost "Comedy=0.3" with a number from -100 to 100.'
                raise BadInput(f"{text!r} is not a boost.", "--boost", fix)
        return found


def recommend(options: RecommendOptions) -> dict[str, Any]:
    """Recommend items to one user, beside what that user chose."""
    from tastemaker.run.saved import open_run

    answer = open_run(options.run).recommend(
        options.user,
        options.k,
        boost=options.boosts(),
        only=_listed(options.allow) if options.allow else None,
        without=_listed(options.deny) if options.deny else (),
        model=options.model,
    )
    return answer.to_json()


def _listed(file: str) -> list[str]:
    """Item ids of a file, one a line.

    Raises:
        BadInput: If the file cannot be read.
    """
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError, ValueError) as error:
        fix = "Give a text file of item ids, one a line."
        raise BadInput(f"The list cannot be read: {error}.", file, fix) from None
    return [line.strip() for line in lines if line.strip()]


def show_answer(found: Mapping[str, Any]) -> None:
    """What a user liked beside what is recommended."""
    out = Console(highlight=False)
    beside(out, list(found["history"]), found["items"], found["user"])
    out.print(plain(found["reason"]))
    if not found["complete"]:
        out.print(plain(f"Only {len(found['items'])} items could be recommended."))


VERBS: dict[str, Verb | Later] = {"recommend": Verb(recommend, RecommendOptions, show_answer)}
