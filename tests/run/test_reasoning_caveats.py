"""What is doubted about thoughts: said where it is true, and nowhere else."""

from typing import Any

import pytest

from tastemaker.run.reasoning_caveats import caveats_of_reasoning


def reasoning(thoughts: int = 2, **set_to: Any) -> dict[str, Any]:
    """Thoughts that nobody need doubt, but for what is set of all of them."""
    check = {"accuracy": 0.3, "ahead": (0.05, 0.15), "uncertainty": 0.6, "trust": 0.5}
    step = {"weight": 0.5, "moved": 0.4, "guidance": 1.0, "gate_entropy": 0.8}
    steps = [
        step
        | {"cosine": 0.5 if place else None, "checks": [dict(check), dict(check)]}
        | {name: value for name, value in set_to.items() if name in step}
        for place in range(thoughts)
    ]
    verifiers = [
        {"name": name, "classes": 25, "rows": 100, "majority": 0.2, "rise": (-0.01, 0.01)}
        for name in ("text", "collaborative")
    ]
    return {"rows": 100, "steps": steps, "verifiers": verifiers}


def said(reasoning: dict[str, Any]) -> str:
    """The one caveat."""
    (text,) = caveats_of_reasoning(reasoning)
    return text


def test_sound_thoughts_need_no_word() -> None:
    assert caveats_of_reasoning(reasoning()) == []
    assert caveats_of_reasoning({}) == []
    assert caveats_of_reasoning(reasoning(1)) == []
    assert caveats_of_reasoning({"rows": 3, "steps": [], "verifiers": []}) == []
    unchecked = dict.fromkeys(("weight", "moved", "guidance", "gate_entropy"))
    bare = [unchecked | {"cosine": None if not n else 0.3, "checks": []} for n in range(2)]
    assert caveats_of_reasoning({"rows": 3, "steps": bare, "verifiers": []}) == []


def test_a_gate_that_hears_one_alone_is_said_with_its_name() -> None:
    one = reasoning(gate_entropy=0.04)
    for step in one["steps"]:
        step["checks"][0]["trust"], step["checks"][1]["trust"] = 0.02, 0.98
    assert "collaborative has 98%" in said(one) and "thoughts 1 and 2" in said(one)
    one["steps"][0]["gate_entropy"] = 0.3
    assert "at thought 2:" in said(one)
    assert caveats_of_reasoning(reasoning(gate_entropy=None)) == []


@pytest.mark.parametrize(("length", "words"), [(0.05, "shrinks"), (7.0, "in their place")])
def test_guidance_out_of_proportion_is_said_where_it_is_fed_back(length: float, words: str) -> None:
    assert words in said(reasoning(guidance=length))
    assert caveats_of_reasoning(reasoning(guidance=length, weight=0.0)) == []
    assert caveats_of_reasoning(reasoning(guidance=0.0)) == []


def test_a_verifier_that_learnt_nothing_is_said_by_the_interval() -> None:
    one = reasoning()
    one["steps"][-1]["checks"][0] |= {"accuracy": 0.21, "ahead": (-0.01, 0.03)}
    assert "verifier text" in said(one) and "21.0%" in said(one) and "20.0%" in said(one)
    one["steps"][-1]["checks"][0] |= {"accuracy": 0.1, "ahead": (-0.15, -0.05)}
    assert "is below" in said(one)
    one["steps"][-1]["checks"][0] |= {"accuracy": None, "ahead": None}
    assert caveats_of_reasoning(one) == []


def test_growing_surer_and_more_often_wrong_is_said() -> None:
    one = reasoning()
    one["verifiers"][1]["rise"] = (-0.09, -0.01)
    assert caveats_of_reasoning(one) == []  # less often right, and no surer
    one["steps"][-1]["checks"][1] |= {"uncertainty": 0.4, "accuracy": 0.25}
    assert "collaborative grows surer" in said(one)
    one["verifiers"][1]["rise"] = (-0.09, 0.01)
    assert caveats_of_reasoning(one) == []


def test_thoughts_that_repeat_are_said() -> None:
    one = reasoning(4)
    for step in one["steps"][1:]:
        step["cosine"] = 0.97
    assert "thoughts 2 to 4" in said(one)
    assert "is 0.97" in said(one)
    one["steps"][2]["cosine"] = 0.9
    assert "thoughts 2 and 4" in said(one)
