"""What a reader of thoughts should doubt, each in one sentence: checks that check nothing."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from tastemaker.files import JsonObject

COLLAPSED = 0.1
"""Entropy of the gate, in shares of the most it can be, below which one verifier is heard alone."""
SOUND = 0.2, 5.0
"""Length of guidance beside its thought, within which it guides rather than shrinks or replaces."""
ALIKE = 0.95
"""Cosine above which a thought is nearly the one before."""


def caveats_of_reasoning(reasoning: JsonObject) -> list[str]:
    """Warnings about thoughts and what checks them.

    Args:
        reasoning: As `reasoning_of_run` says; empty of a model that does not reason.
    """
    steps, verifiers = reasoning.get("steps", ()), reasoning.get("verifiers", ())
    learnt = [_unlearnt(steps, place, one) for place, one in enumerate(verifiers)]
    sure = [_too_sure(steps, place, one) for place, one in enumerate(verifiers)]
    warnings = [_collapsed(steps, verifiers), _guidance(steps), *learnt, *sure, _alike(steps)]
    return [text for text in warnings if text]


def _collapsed(steps: Sequence[JsonObject], verifiers: Sequence[JsonObject]) -> str:
    deaf = [place for place, step in enumerate(steps) if _below(step["gate_entropy"], COLLAPSED)]
    if not deaf:
        return ""
    trusts = [check["trust"] for check in steps[deaf[-1]]["checks"]]
    loudest = max(range(len(trusts)), key=lambda place: trusts[place])
    return (
        f"The gate hears nearly one verifier alone at {_named(deaf)}: its entropy is "
        f"{_values([steps[place]['gate_entropy'] for place in deaf])} of 1, and "
        f"{verifiers[loudest]['name']} has {trusts[loudest]:.0%} of it on average."
    )


def _guidance(steps: Sequence[JsonObject]) -> str:
    """Of what is fed back: without prototypes there is no guidance, without feedback no weight."""
    said = [place for place, step in enumerate(steps) if step["weight"] and step["guidance"]]
    low, high = SOUND
    odd = [place for place in said if not low <= steps[place]["guidance"] <= high]
    if not odd:
        return ""
    lengths = [steps[place]["guidance"] for place in odd]
    what = "shrinks them" if max(lengths) < low else "puts something else in their place"
    return (
        f"Guidance is {_values(lengths)} times as long as the thoughts that it corrects "
        f"({_named(odd)}; sound is {low:g} to {high:g}): checking thoughts {what} more than it "
        "guides them."
    )


def _unlearnt(steps: Sequence[JsonObject], place: int, verifier: JsonObject) -> str:
    """Of the last thought, whose guidance is the last word."""
    check = steps[-1]["checks"][place]
    if check["accuracy"] is None or check["ahead"][0] > 0:
        return ""
    where = "below" if check["ahead"][1] < 0 else "not clearly above"
    return (
        f"The verifier {verifier['name']} is {where} always saying the most frequent of "
        f"its {verifier['classes']} groups: it is right for {check['accuracy']:.1%} of the users, "
        f"where that is for {verifier['majority']:.1%}."
    )


def _too_sure(steps: Sequence[JsonObject], place: int, verifier: JsonObject) -> str:
    first, last = (steps[step]["checks"][place] for step in (0, -1))
    surer = last["uncertainty"] < first["uncertainty"]
    if not (surer and verifier["rise"] and verifier["rise"][1] < 0):
        return ""
    return (
        f"The verifier {verifier['name']} grows surer from the first thought to the last "
        f"(uncertainty {first['uncertainty']:.2f}, then {last['uncertainty']:.2f}) and is less "
        f"often right ({first['accuracy']:.1%}, then {last['accuracy']:.1%})."
    )


def _alike(steps: Sequence[JsonObject]) -> str:
    same = [
        place
        for place, step in enumerate(steps)
        if step["cosine"] is not None and step["cosine"] > ALIKE
    ]
    if not same:
        return ""
    near = _values([steps[place]["cosine"] for place in same], 3)
    return f"Thinking on adds little: the cosine of {_named(same)} to the one before is {near}."


def _below(value: float | None, most: float) -> bool:
    return value is not None and value < most


def _named(places: Sequence[int]) -> str:
    """`thought 2`, `thoughts 2 and 3`, `thoughts 2 to 4`."""
    numbers = [place + 1 for place in places]
    if len(numbers) == 1:
        return f"thought {numbers[0]}"
    if len(numbers) > 2 and all(after == before + 1 for before, after in pairwise(numbers)):
        return f"thoughts {numbers[0]} to {numbers[-1]}"
    return f"thoughts {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"


def _values(values: Sequence[float], digits: int = 2) -> str:
    """`0.05`, `0.004 to 0.07`: so many digits that say something."""
    low, high = f"{min(values):.{digits}g}", f"{max(values):.{digits}g}"
    return low if low == high else f"{low} to {high}"
