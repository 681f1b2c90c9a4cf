"""A made-up run of a model that thinks, for the report's tests."""

from __future__ import annotations

from typing import Any

from tests.report.synthetic import results

CAVEAT = "Thinking on adds little: the cosine of thought <2> to the one before is 0.97."


def recorded(thoughts: int = 3, names: tuple[str, ...] = ("text", "<b>chosen</b>")) -> Any:
    steps = [
        {
            "weight": 0.55 - step / 20, "moved": 0.5, "guidance": 0.05,
            "cosine": 0.97 if step else None,
            "gate_entropy": 0.25 if len(names) > 1 else None,
            "checks": [
                {"accuracy": 0.21 + place / 10 + step / 50, "ahead": [-0.01, 0.031],
                 "uncertainty": 0.73 - place / 10 - step / 20, "trust": 1 / len(names)}
                for place in range(len(names))
            ],
        }
        for step in range(thoughts)
    ]  # fmt: skip
    verifiers = [
        {"name": name, "classes": 25, "rows": 600, "majority": 0.142 + place / 20, "rise": None}
        for place, name in enumerate(names)
    ]
    return {
        "rows": 610, "steps": steps, "verifiers": verifiers, "answers": 30_500, "illegal": 0,
        "caveats": [CAVEAT],
    }  # fmt: skip


def thought(said: int = 2) -> dict[str, Any]:
    groups = [["Film & <noir>", 0.312], ["Drama, Romance", 0.2], ["War", 0.04]]
    one = {"verifier": "text", "groups": groups, "uncertainty": 0.71, "entropy": 2.0, "trust": 0.64}
    return {"said": [one] * said, "weight": 0.5, "moved": 0.42}


def thinking() -> dict[str, Any]:
    whole = results() | {"reasoning": recorded()}
    whole["training"]["model"] = "vrec"
    for example in whole["examples"]:
        example["thoughts"] = [thought(), thought()]
    return whole
