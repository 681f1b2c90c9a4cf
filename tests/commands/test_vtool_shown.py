"""What a person reads after visual tool use was taught, or asked for."""

from typing import Any, get_args

import pytest

from tastemaker.commands.vtool_shown import show_answer, show_visual

RESULTS: dict[str, Any] = {
    "model": {"name": "tiny", "tiny": True},
    "data": {"name": "charts", "train": 256, "held_out": 2},
    "before": {"accuracy": 0.5, "tool_rate": 0.25},
    "after": {"questions": 2, "accuracy": 1.0, "tool_rate": 0.0},
    "kept": "yes",
    "warnings": ["Mind [bold]this[/bold]."],
    "examples": [{"picture": "0.png", "question": "Which is it's?"}],
    "run": "runs/here",
}
ANSWER: dict[str, Any] = {
    "answer": "12 [b]", "outcome": "used", "warnings": ["No text."], "page": "ask.html",
    "steps": [{"code": "a = 1\ndisplay(a)", "told": "Here."}, {"code": None, "told": None}],
}  # fmt: skip


def test_the_last_line_says_what_to_type_next(capsys: pytest.CaptureFixture[str]) -> None:
    show_visual(RESULTS)
    out = capsys.readouterr().out
    assert out.startswith("tiny learned from 256 questions of charts: kept")
    for told in ("Mind [bold]this[/bold].", "0.250", "runs/here/report.html"):
        assert told in out, told
    last = out.strip().splitlines()[-1]
    assert last.startswith("Next: tastemaker ask runs/here/examples/0.png")
    assert last.endswith("--model runs/here --tools")


def test_a_model_that_was_not_kept_cannot_be_asked(capsys: pytest.CaptureFixture[str]) -> None:
    lost = {"kept": "no", "model": {"name": "m", "tiny": False}, "examples": []}
    show_visual(RESULTS | lost)
    assert "Next:" not in capsys.readouterr().out
    show_visual({"run": "runs/here"})  # another process
    assert capsys.readouterr().out == ""


def test_an_answer_comes_first_and_then_what_was_done(capsys: pytest.CaptureFixture[str]) -> None:
    show_answer(ANSWER)
    assert capsys.readouterr().out.splitlines() == [
        "12 [b]", "used the tool", "  a = 1", "  display(a)", "  Here.", "No text.", "ask.html",
    ]  # fmt: skip
    show_answer(ANSWER | {"answer": None, "page": "", "steps": [], "warnings": []})
    assert capsys.readouterr().out.splitlines() == ["No final answer.", "used the tool"]


def test_every_outcome_has_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("PIL.Image", reason="needs tastemaker[vision]")
    from tastemaker.reinforce.vtool_rollout import Outcome

    told = set()
    for outcome in get_args(Outcome):
        show_answer(ANSWER | {"outcome": outcome, "steps": []})
        told.add(capsys.readouterr().out.splitlines()[1])
    assert len(told) == len(get_args(Outcome)) and "looked again, at an unchanged picture" in told
