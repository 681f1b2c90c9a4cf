"""Events that a log holds and its `dataset.json` does not declare: all of them in one problem."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

from tastemaker.data.declaration import MAX_EVENTS, POLARITIES, Declaration
from tastemaker.data.problems import Problem, shown

_SOME = 20


def explained(problem: Problem, rows: Counter[str], declared: Declaration) -> Problem:
    """The problem with every undeclared event, its rows, and a `dataset.json` to paste.

    Args:
        problem: What the row checks say of the first such row.
        rows: Undeclared event → rows that have it.
        declared: What is declared so far.
    """
    many = len(rows) + len(declared.events) > MAX_EVENTS
    common = sorted(rows.items(), key=lambda pair: (-pair[1], pair[0]))
    common = common[:_SOME] if many else common
    listed = ", ".join(f"{shown(name)} ({count:,})" for name, count in common)
    if many:
        what = f"{len(rows):,} kinds of events are not declared, such as {listed}"
        fix = f"{MAX_EVENTS} kinds are the most; is this the column of events?"
        return replace(problem, what=what, fix=fix)
    verb = "event is" if len(rows) == 1 else "events are"
    what = f"{len(rows):,} {verb} not declared: {listed}"
    events = declared.events | dict.fromkeys((name for name, _ in common), "implicit_positive")
    snippet = json.dumps({"events": events}, ensure_ascii=False)
    fix = f"Paste into dataset.json, each with the polarity that is true of it: {snippet}"
    return replace(problem, what=what, fix=f"{fix} (polarities: {', '.join(POLARITIES)}).")
