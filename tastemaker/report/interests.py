"""What example users like, as the page shows it: verdict, numbers, and the items that prove it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tastemaker.data.declaration import SAID
from tastemaker.report.tables import listed, objects, part
from tastemaker.report.wording import count, finite, percent

ITEMS = 4
"""Items of an interest that are shown."""
VERDICTS = {
    "verified": "verified",
    "mixed": "as much speaks against it",
    "too little": "too little to tell",
}


def interests(example: Mapping[str, object]) -> dict[str, object]:
    """What one example user likes and dislikes; empty lists where that was not recorded."""
    profile = part(example, "profile")
    return {
        "likes": [_interest(one) for one in objects(profile, "interests")],
        "dislikes": [_interest(one) | {"compared": ""} for one in objects(profile, "dislikes")],
    }


def remarks(examples: Sequence[Mapping[str, object]]) -> list[list[str]]:
    """What is to be said of each user's interests and of none before: the rule, and limits."""
    found, said = [], set[str]()
    for example in examples:
        profile = part(example, "profile")
        own = [str(profile.get("rule", "")), *map(str, listed(profile, "notes"))]
        found.append([remark for remark in own if remark and remark not in said])
        said.update(own)
    return found


def _interest(one: Mapping[str, object]) -> dict[str, object]:
    verdict = str(one.get("verdict", ""))
    return {
        "name": str(one.get("name", "")),
        "verified": verdict == "verified",
        "verdict": VERDICTS.get(verdict, verdict),
        "numbers": _numbers(part(one, "counts")),
        "compared": _compared(one),
        "items": [str(proof.get("title", "")) for proof in objects(one, "items")][:ITEMS],
    }


def _numbers(counts: Mapping[str, object]) -> str:
    """Such as `3 liked, 2 chosen`; what there is none of is left out."""
    return ", ".join(
        f"{count(counts[kind])} {said}" for kind, said in SAID.items() if counts.get(kind)
    )


def _compared(one: Mapping[str, object]) -> str:
    """A user's share of an interest beside that of all others; nothing where there is none."""
    share, others = finite(one.get("share")), finite(one.get("others"))
    if not share or others is None:
        return ""
    return f"{percent(share, 0)} of their items, {percent(others, 0)} of others’"
