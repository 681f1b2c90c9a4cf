"""The page of a reinforcement says what happened, whatever of it is missing, and stays inert."""

import json
from pathlib import Path
from typing import Any

import pytest

from tastemaker.report.reinforcement import render, write_page

RESULTS: dict[str, Any] = {
    "model": {"name": "<script>tiny", "sha256": "1" * 64},
    "signal": "restrain",
    "learning": {"n": 16, "steps": 30, "lr": 1e-6},
    "signals": {"restrain": {"kappa": 3}},
    "prompts": {"count": 90, "sha256": "2" * 64},
    "held_out": {"count": 7, "sha256": "3" * 64},
    "base_votes": {"majority": 0.5, "weights": {"mean": 0.25}},
    "accuracy": {
        "before": {"mean": 0.5, "ci95": [0.4, 0.6]},
        "after": {"mean": 0.625, "ci95": [0.5, 0.7]},
        "change": {"mean": 0.125, "ci95": [0.05, 0.2]},
    },
    "kept": "yes",
    "why": "Accuracy on held-out prompts: 0.500 before, 0.625 after.",
    "warnings": ["Take care."],
}


def test_the_page_tells_it_all_and_runs_nothing(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(json.dumps(RESULTS))
    lines = [{"step": n, "majority": n / 40, "entropy": 1 / n} for n in range(1, 31)]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    page = write_page(tmp_path).read_text()
    for told in ('id="reinforcement"', "0.625", "+0.125", "kept: accuracy", "Take care.", "50.0"):
        assert told in page, told
    assert page.count("<svg") == 2
    assert "<script" not in page and "http://www.w3.org/2000/svg" in page


@pytest.mark.parametrize("kept", ["no", "unchecked"])
def test_what_is_not_checked_or_not_kept_is_said(kept: str) -> None:
    page = render(RESULTS | {"kept": kept, "accuracy": None}, [])
    assert {"no": "not kept", "unchecked": "unchecked"}[kept] in page
    assert "No step was recorded." in page and "<table" not in page


def test_a_page_of_nothing_is_a_page() -> None:
    assert "Reinforcement" in render({}, [{"step": 1}])


def test_the_curve_of_accuracy_begins_before_and_ends_after() -> None:
    lines: list[dict[str, Any]] = [{"step": 1, "loss": 1.0}, {"step": 2, "held_out": 0.55}]
    page = render(RESULTS, [*lines, {"step": 3, "loss": 1.0}])
    assert "Accuracy on held-out prompts by step: 0.5000 at step 0, 0.6250 at step 3." in page
    assert "Accuracy on held-out prompts by step" not in render(RESULTS, lines[:1])


def test_how_it_was_made_names_signal_rank_and_what_was_asked() -> None:
    made = RESULTS | {"signal": "ttrl", "asked": {"base_n": 12}}
    page = render(made | {"model": {"name": "m", "lora": 8}}, [])
    for name in ("signal", "lora", "base_n"):
        assert f"<dt>{name}</dt>" in page
    assert "kappa" not in page and "kappa" in render(RESULTS, [])
