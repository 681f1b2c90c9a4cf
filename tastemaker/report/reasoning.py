"""The section of thoughts and what checks them, as plain values with pictures drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from tastemaker.report.step_charts import Line, step_chart
from tastemaker.report.tables import listed, objects, part
from tastemaker.report.wording import MISSING, count, finite, interval, number, percent, things

Row = Mapping[str, object]


def reasoning(results: Mapping[str, object]) -> dict[str, object] | None:
    """How thoughts did: facts, charts, both tables, caveats; None of a run without reasoning."""
    recorded = part(results, "reasoning")
    if not recorded:
        return None
    steps, verifiers = objects(recorded, "steps"), objects(recorded, "verifiers")
    return {
        "model": str(part(results, "training").get("model", "")),
        "facts": _facts(recorded, len(steps), verifiers),
        "charts": _charts(steps, verifiers),
        "checks": _checks(steps, verifiers),
        "steps": [_step(*numbered) for numbered in enumerate(steps, 1)],
        "gated": len(verifiers) > 1,
        "caveats": [str(text) for text in listed(recorded, "caveats")],
    }


def thoughts(example: Row) -> list[dict[str, object]]:
    """What a model thought about an example user; empty where it does not."""
    return [
        {
            "said": [_said(one) for one in objects(thought, "said")],
            "moved": percent(thought.get("moved"), 0) if objects(thought, "said") else "",
        }
        for thought in objects(example, "thoughts")
    ]


def thinker(results: Mapping[str, object]) -> str:
    """The model that thought, and whether the lists shown beside are its own."""
    name, best = str(part(results, "training").get("model", "the model")), results.get("best")
    weight = finite(part(results, "blend").get(name))
    ranked = best == name or (best == "blend" and weight != 0)
    return name if ranked else f"{name}, which did not rank here,"


def _said(said: Row) -> dict[str, object]:
    """What one verifier says, as text."""
    groups = [one for one in listed(said, "groups") if isinstance(one, list) and len(one) == 2]
    return {
        "verifier": str(said.get("verifier", "")),
        "groups": [(str(name), percent(share, 0)) for name, share in groups],
        "uncertainty": percent(said.get("uncertainty"), 0),
        "trust": percent(said.get("trust"), 0),
    }


def _facts(recorded: Row, steps: int, verifiers: Sequence[Row]) -> list[tuple[str, str]]:
    named = [f"{one.get('name')}, {things(one.get('classes'), 'group')}" for one in verifiers]
    shown = {
        "Thoughts": count(steps),
        "Verifiers": "; ".join(named) or "none",
        "Validation users asked": count(recorded.get("rows")),
        "Answers outside the catalogue": _outside(recorded),
    }
    return [(name, value) for name, value in shown.items() if value not in ("", MISSING)]


def _outside(recorded: Row) -> str:
    answers = recorded.get("answers")
    if finite(answers) is None:
        return ""
    return f"{count(recorded.get('illegal'))} of {count(answers)}"


def _charts(steps: Sequence[Row], verifiers: Sequence[Row]) -> list[Markup]:
    """Uncertainty and accuracy by thought, a line a verifier; what was not recorded is no chart."""
    drawn = []
    for key, title in (("uncertainty", "Uncertainty"), ("accuracy", "Right about the group")):
        lines = [
            Line(
                str(verifier.get("name", "")),
                tuple(finite(_check(step, place).get(key)) for step in steps),
                finite(verifier.get("majority")) if key == "accuracy" else None,
            )
            for place, verifier in enumerate(verifiers)
        ]
        if any(value is not None for line in lines for value in line.values):
            drawn.append(Markup(step_chart(lines, title, "thought", key == "uncertainty")))
    return drawn


def _check(step: Row, place: int) -> Row:
    checks = objects(step, "checks")
    return checks[place] if place < len(checks) else {}


def _checks(steps: Sequence[Row], verifiers: Sequence[Row]) -> list[dict[str, str]]:
    """What each verifier did at every thought, as text."""
    return [
        {
            "verifier": str(verifier.get("name", "")),
            "thought": str(number),
            "accuracy": percent(check.get("accuracy")),
            "ahead": _points(listed(check, "ahead")),
            "majority": percent(verifier.get("majority")),
            "uncertainty": percent(check.get("uncertainty")),
            "trust": percent(check.get("trust")),
        }
        for place, verifier in enumerate(verifiers)
        for number, check in enumerate((_check(step, place) for step in steps), 1)
    ]


def _points(ends: Sequence[object]) -> str:
    """Both ends of an interval of shares, in hundredths; empty when there is none."""
    known = [100 * end for end in map(finite, ends) if end is not None]
    return interval(known, 1, sign=True)


def _step(thought: int, step: Row) -> dict[str, str]:
    """What checking did to one thought, as text."""
    return {
        "thought": str(thought),
        "weight": percent(step.get("weight")),
        "moved": percent(step.get("moved")),
        "guidance": number(step.get("guidance"), 2),
        "gate": percent(step.get("gate_entropy")),
        "cosine": number(step.get("cosine"), 2),
    }
