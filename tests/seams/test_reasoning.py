"""A model without thoughts is none that thinks, and what is said of thoughts is JSON."""

import json
from dataclasses import asdict

from tastemaker import seams
from tastemaker.recommend.sasrec import SASRec, SASRecConfig
from tastemaker.seams import Said, Thought
from tests.recommend.small_vrec import model


def test_thinking_is_told_by_what_a_model_offers() -> None:
    assert not isinstance(
        SASRec(SASRecConfig(dim=8, heads=1, layers=1, inner=8), 5), seams.Reasoning
    )
    thinking, silent = model(), model(thoughts=0)
    assert isinstance(thinking, seams.Reasoning) and thinking.thinks
    assert isinstance(silent, seams.Reasoning) and not silent.thinks


def test_a_thought_is_json() -> None:
    thought = Thought((Said("text", (("war", 0.5),), 0.25, 0.5, 1.0),), 0.25, 0.125)
    said = {
        "verifier": "text", "groups": [["war", 0.5]], "uncertainty": 0.25, "entropy": 0.5,
        "trust": 1.0,
    }  # fmt: skip
    found = json.loads(json.dumps(asdict(thought), allow_nan=False))
    assert found == {"said": [said], "weight": 0.25, "moved": 0.125}
