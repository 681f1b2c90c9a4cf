"""Events that a log holds and its `dataset.json` does not declare: all of them in one problem."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace

from tastemaker.counts import by_count
from tastemaker.data.declaration import MAX_EVENTS, POLARITIES, Declaration, Polarity
from tastemaker.data.problems import Problem, shown

_SOME = 20

_PROPOSED: dict[Polarity, str] = {
    "explicit_negative": r"dislik(e|es|ed)|thumbs? down|down ?vot(e|es|ed)|hid(e|es|den)|"
    r"block(s|ed)?|report(s|ed)?|negative|not interested",
    "implicit_negative": r"skip(s|ped)?|unlik(e|es|ed)|return(s|ed)?|refund(s|ed)?|"
    r"remov(e|es|ed|al)|uninstall(s|ed)?|delet(e|es|ed)|cancel(s|l?ed)?|dismiss(es|ed)?|"
    r"ignor(e|es|ed)|unfollow(s|ed)?",
}
"""Polarity that a declaration to paste proposes → words in the names of such events."""


def explained(
    problem: Problem, rows: Counter[str], declared: Declaration, known: bool = True
) -> Problem:
    """The problem with every undeclared event, its rows, and a `dataset.json` to paste.

    Args:
        problem: What the row checks say of the first such row.
        rows: Undeclared event → rows that have it.
        declared: What is declared so far.
        known: Some row has an event that is declared.
    """
    many = len(rows) + len(declared.events) > MAX_EVENTS
    common = sorted(rows.items(), key=lambda pair: (-pair[1], pair[0]))
    common = common[:_SOME] if many else common
    listed = ", ".join(f"{shown(name)} ({count:,})" for name, count in common)
    if many:
        what = f"{len(rows):,} kinds of events are not declared, such as {listed}"
        fix = f"{MAX_EVENTS} kinds are the most; is this the column of events?"
        return replace(problem, what=what, fix=fix)
    what = f"{len(rows):,} {by_count(len(rows), 'event is', 'events are')} not declared: {listed}"
    events = (declared.events if known else {}) | {name: proposed(name) for name, _ in common}
    snippet = json.dumps({"events": events}, ensure_ascii=False)
    fix = (
        "Paste into the dataset.json of a data folder that holds the log, each with the polarity "
        "that is true of it; this is a proposal, by the names alone: "
        f"{snippet} (polarities: {', '.join(POLARITIES)})."
    )
    return replace(problem, what=what, fix=fix)


def proposed(event: str) -> Polarity:
    """The polarity to propose for an event, by its name; nothing is ever read with it."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", event)
    words = re.sub(r"[\W_]+", " ", spaced).lower().replace("thumbsdown", "thumbs down")
    for polarity, pattern in _PROPOSED.items():
        if re.search(rf"\b({pattern})\b", words):
            return polarity
    return "implicit_positive"
