"""What is measured of rollouts, and shown of them."""

from pathlib import Path
from typing import Any

import pytest

from tastemaker.reinforce.picture_questions import PictureQuestion, box_fields
from tastemaker.reinforce.sandbox_grammar import GrammarSandbox
from tastemaker.reinforce.vtool_rollout import RolloutOptions
from tastemaker.run.vtool_results import asked, examples_of, mean, measured, warnings_of
from tests.reinforce.bench import BOXES, GOOD, PICTURE
from tests.run.visual import QUESTIONS

KNOWN = {"boxes": box_fields(BOXES), "kind": "table"}
ASKED = [
    PictureQuestion("A?", (PICTURE,), "12", KNOWN),
    PictureQuestion("B?", (PICTURE,), "2010", KNOWN),
    PictureQuestion("C?", (PICTURE,), "no", KNOWN | {"template": "truth"}),
]
FIRST = [f"```python\n{GOOD}\n```", "FINAL ANSWER: 2015. TERMINATE", "```python\nimport os\n```"]
SECOND = ["FINAL ANSWER: 12. TERMINATE", "I give up"]


def rolled() -> tuple[Any, Any]:
    turns = iter([FIRST, SECOND])
    speaker: Any = lambda talks: next(turns)  # noqa: E731
    return asked(speaker, ASKED, GrammarSandbox(), RolloutOptions())


def test_rates_are_told_by_outcome_and_by_kind() -> None:
    _, said = rolled()
    told = measured(said)
    assert told["accuracy"] == pytest.approx(1 / 3)
    assert told["accuracy_pix2struct"] == pytest.approx(2 / 3), "2015 for 2010"
    assert told["f1"] == pytest.approx(1 / 3)
    assert told["tool_rate"] == pytest.approx(2 / 3) == told["answered"]
    counts = {name: part["count"] for name, part in told["by_outcome"].items()}
    assert counts == {"used": 1, "direct": 1, "failed": 1}
    assert told["by_outcome"]["used"]["accuracy"] == 1
    assert told["by_kind"]["table"] == {"count": 2, "accuracy": 0.5, "tool_rate": 0.5}
    assert told["by_kind"].keys() == {"table", "truth"} and measured([])["accuracy"] == 0


def test_examples_show_each_step_and_its_picture(tmp_path: Path) -> None:
    made, said = rolled()
    shown = examples_of(made, ASKED, said, tmp_path / "examples")
    assert [one["outcome"] for one in shown] == ["used", "direct", "failed"]
    first = shown[0]
    assert first["correct"] and first["steps"][0]["code"] == GOOD
    assert first["steps"][0]["told"].startswith("OBSERVATION") and first["answer"] == "12"
    held = {one["picture"] for one in shown} | {first["steps"][0]["image"]}
    assert held == {path.name for path in (tmp_path / "examples").iterdir()} and len(held) == 4
    assert shown[2]["steps"][0]["image"] is None and "failed" in shown[2]["steps"][0]["told"]


def test_a_reader_is_warned_of_what_makes_figures_small() -> None:
    results: dict[str, Any] = {
        "data": {"train": 3, "held_out": 1, "boxed": 2},
        "after": measured([]) | {"questions": 1, "answered": 0.0},
        "model": {"tiny": True},
        "kept": "no",
    }
    lines = [{"rolled_back": 0.5, "used": 0.0, "failed": 0.0}, {"rolled_back": "x"}]
    told = " ".join(warnings_of(results, lines))
    for part in ("2 questions of 4", "50% of rollouts", "100% of the answers", "tiny",
                 "the one before", "No rollout"):  # fmt: skip
        assert part in told, part
    fine = {"data": {"train": 1, "held_out": 0, "boxed": 1}, "after": measured([]),
            "model": {"tiny": False}}  # fmt: skip
    assert warnings_of(fine, [{"used": 0.5}]) == []
    assert mean([], "used") == 0.0 and QUESTIONS.train == 3
