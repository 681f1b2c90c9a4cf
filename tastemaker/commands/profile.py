"""tastemaker profile: what one user likes, with the items that prove it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich.padding import Padding

from tastemaker.commands.terminal import Screen, plain, screen
from tastemaker.commands.verbs import Later, Verb
from tastemaker.counts import counted
from tastemaker.errors import BadInput
from tastemaker.files import JsonObject
from tastemaker.options import Count, Positional
from tastemaker.threads import recorded

SAID = {
    "explicit_positive": "liked",
    "implicit_positive": "chosen",
    "implicit_negative": "passed over",
    "explicit_negative": "disliked",
}
"""Polarity → what the user did with an item."""
TITLES = 5
"""Items of the evidence that are shown."""


@dataclass(frozen=True)
class ProfileOptions:
    """What one user likes."""

    run: Positional
    """run directory"""
    user: str = ""
    """user id as in the data"""
    k: Count = 10
    """most interests, and most dislikes, at least 1"""
    llm: str = ""
    """language model that adds words: a packaged name such as smollm2, a folder, or with --url the
    name that the endpoint knows; without one all is counted"""
    url: str = ""
    """OpenAI-compatible API that --llm answers at; default: $TASTEMAKER_LLM_URL"""

    def __post_init__(self) -> None:
        """Refuse what cannot be answered.

        Raises:
            BadInput: If no user is given, nothing is asked for, or a URL without a model.
        """
        if not self.user:
            raise BadInput("No user is given.", "--user", "Give --user ID.")
        if self.k < 1:
            raise BadInput(f"k = {self.k} is out of range.", "--k", "Give 1 or more.")
        if self.url and not self.llm:
            fix = "Give --llm NAME, the model's name there."
            raise BadInput("--url is given without --llm.", "--llm", fix)


def profile(options: ProfileOptions) -> JsonObject:
    """Say what one user likes and dislikes, with the items that prove it."""
    from tastemaker.run.saved import open_run

    return open_run(options.run).profile(options.user).first(options.k).to_json()


def show_profile(answer: JsonObject) -> None:
    """The user in a line, then each interest with its verdict, numbers and newest items."""
    out = screen()
    out.print()
    if answer["known"]:
        met = counted(answer["items"], "item")
        out.print(plain(f"User {answer['user']}: {met}, {_numbers(answer['counts'])}", "bold"))
    interests = answer["interests"]
    own = [one for one in interests if one["verdict"] == "verified" and one["own"]]
    alike = [one for one in interests if one["verdict"] == "verified" and not one["own"]]
    open_ = [one for one in interests if one["verdict"] != "verified"]
    _listed(out, "Likes, more than others do", own)
    _listed(out, "Likes, as others do", alike)
    _listed(out, "Not proved", open_)
    _listed(out, "Dislikes", answer["dislikes"])
    out.print()
    for note in answer["notes"]:
        out.print(plain(note))


def _listed(out: Screen, title: str, interests: list[JsonObject]) -> None:
    if not interests:
        return
    out.print()
    out.print(plain(title, "dim"))
    for one in interests:
        line = plain(one["name"], "bold")
        line.append_text(plain(f"  {_said(one)}"))
        out.print(Padding(line, (0, 0, 0, 2)))
        titles = " · ".join(proof["title"] for proof in one["items"][:TITLES])
        out.print(Padding(plain(titles, "dim"), (0, 0, 0, 4)))


def _said(one: JsonObject) -> str:
    """Numbers of an interest, and how it compares."""
    parts = [_numbers(one["counts"])]
    if one["lift"] is None:
        parts.append("nobody else chose any")
    else:
        parts.append(f"{one['share']:.0%} of their items, {one['others']:.0%} of others'")
    return "; ".join(parts)


def _numbers(counts: Mapping[str, int]) -> str:
    """Such as `3 liked, 2 chosen`; what there is none of is left out."""
    said = [f"{number:,} {SAID[kind]}" for kind, number in counts.items() if number]
    return ", ".join(said) or "nothing chosen"


VERBS: dict[str, Verb | Later] = {
    "profile": Verb(profile, ProfileOptions, show_profile, lambda asked: recorded(asked.run))
}
