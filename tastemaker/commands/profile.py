"""tastemaker profile: what one user likes, with the items that prove it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.padding import Padding

from tastemaker.commands.terminal import Screen, plain, screen
from tastemaker.commands.verbs import Later, Verb
from tastemaker.counts import counted
from tastemaker.data.declaration import SAID, Polarity
from tastemaker.errors import BadInput
from tastemaker.files import JsonObject
from tastemaker.options import Count, Positional
from tastemaker.threads import recorded

TITLES = 4
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

    saved = open_run(options.run)
    return saved.profile(options.user, options.k, llm=options.llm, url=options.url).to_json()


def show_profile(answer: JsonObject) -> None:
    """The user in a line, then each interest with its verdict, numbers and newest items."""
    out = screen()
    if answer["known"]:
        out.print()
        met = counted(answer["items"], "item")
        out.print(plain(f"User {answer['user']}: {met}, {_numbers(answer['counts'])}", "bold"))
    if answer["summary"]:
        out.print(plain(f"In the words of {answer['model']}: “{answer['summary']}”", "italic"))
    interests = answer["interests"]
    verified = [one for one in interests if one["verdict"] == "verified"]
    _listed(out, "Likes more than others do, verified", [one for one in verified if one["own"]])
    _listed(out, "Likes as others do, verified", [one for one in verified if not one["own"]])
    rest = [one for one in interests if one["verdict"] != "verified"]
    _listed(out, "Perhaps, not verified", rest)
    _listed(out, "Dislikes, verified", answer["dislikes"], compared=False)
    out.print()
    if answer["model"]:
        said = (
            f"What stands in “ ” is what {answer['model']} wrote, unchecked; all else is counted."
        )
        out.print(plain(said, "dim"))
    rule = answer["rule"] if interests or answer["dislikes"] else ""
    for note in filter(None, (*answer["notes"], rule)):
        out.print(plain(note, "dim"))


def _listed(
    out: Screen, title: str, interests: Sequence[JsonObject], compared: bool = True
) -> None:
    """Interests under a title: name, numbers and how they compare; then the newest items."""
    if not interests:
        return
    out.print()
    out.print(plain(title, "underline"))
    for one in interests:
        line = plain(one["name"], "bold")
        mixed = "as much against it: " if one["verdict"] == "mixed" else ""
        beside = _compared(one) if compared else ""
        line.append_text(plain(f"  {mixed}{_numbers(one['counts'])}{beside}"))
        out.print(Padding(line, (0, 0, 0, 2), expand=False))
        titles = " · ".join(proof["title"] for proof in one["items"][:TITLES])
        out.print(Padding(plain(titles, "dim"), (0, 0, 0, 4), expand=False))
        if one["sentence"]:
            cited = " · ".join(proof["title"] for proof in one["cited"])
            words = f"“{one['sentence']}”" + (f" ({cited})" if cited else "")
            out.print(Padding(plain(words, "italic"), (0, 0, 0, 4), expand=False))


def _compared(one: JsonObject) -> str:
    """A user's share of an interest beside that of all others."""
    if one["lift"] is None:
        return f"; {one['share']:.0%} of their items, none of others'"
    return f"; {one['share']:.0%} of their items, {one['others']:.0%} of others'"


def _numbers(counts: Mapping[Polarity, int]) -> str:
    """Such as `3 liked, 2 chosen`; what there is none of is left out."""
    said = [f"{number:,} {SAID[kind]}" for kind, number in counts.items() if number]
    return ", ".join(said) or "nothing"


VERBS: dict[str, Verb | Later] = {
    "profile": Verb(profile, ProfileOptions, show_profile, lambda asked: recorded(asked.run))
}
