"""The page of visual tool use says what happened, whatever of it is missing, and stays inert."""

import json
from pathlib import Path
from typing import Any

import pytest

from tastemaker.report.visual import render, uri, write_page

PART = {"count": 2, "accuracy": 0.5, "tool_rate": 1.0}
MEASURED = {"questions": 4, "accuracy": 0.25, "accuracy_pix2struct": 0.5, "tool_rate": 0.75,
            "answered": 1.0, "by_outcome": {"used": PART}, "by_kind": {"<i>max": PART}}  # fmt: skip
STEP = {
    "text": "<tool_call>",
    "code": "image_2 = image_1\ndisplay(image_1)",
    "image": "1.png",
    "told": "Here it is.",
}
RESULTS: dict[str, Any] = {
    "model": {"name": "<script>tiny", "sha256": "1" * 64, "weights": 400_000, "lora": 0},
    "data": {"name": "charts", "train": 256, "held_out": 4, "boxed": 260},
    "vtool": {"sandbox": "monty", "rule": "relaxed_strict", "learning": {"n": 8}},
    "before": MEASURED | {"accuracy": 0.125},
    "after": MEASURED,
    "training": {"rolled_back": 0.01},
    "accuracy": {"change": {"mean": 0.125, "ci95": [0.05, 0.2]}},
    "kept": "yes",
    "why": "Accuracy on held-out questions: up.",
    "warnings": ["Take care."],
    "examples": [
        {"question": "Which <b>is?", "answer": None, "right": "7", "correct": False,
         "outcome": "used", "picture": "0.png", "steps": [STEP, {"text": "no"}]},
        {"question": "And?", "answer": "9", "right": "9", "correct": True},
    ],
}  # fmt: skip


def test_the_page_tells_it_all_and_runs_nothing(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(json.dumps(RESULTS))
    lines = [{"step": n, "reward": n / 40, "used": 0.5} for n in range(1, 31)]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "examples").mkdir()
    for name in ("0.png", "1.png"):
        (tmp_path / "examples" / name).write_bytes(b"png")
    page = write_page(tmp_path).read_text()
    for told in ("used the tool", "No final answer", "Take care.", "25.0", "12.5", "+0.125",
                 "image_2 = image_1\ndisplay(image_1)", "Here it is.", "&lt;i&gt;max",
                 "✓ right"):  # fmt: skip
        assert told in page, told
    assert page.count("<svg") == 2 and page.count("data:image/png;base64,") == 2
    assert "<script" not in page and "<b>is" not in page and "img-src data:" in page


@pytest.mark.parametrize("missing", [*RESULTS, "all"])
def test_what_is_missing_is_left_out(missing: str) -> None:
    kept = {} if missing == "all" else {k: v for k, v in RESULTS.items() if k != missing}
    assert "<h1>" in render(kept, [], {})


def test_a_picture_that_is_not_there_leaves_no_hole() -> None:
    assert uri(None) == "" and uri(b"a") == "data:image/png;base64,YQ=="
    assert "<img" not in render(RESULTS, [], {})
