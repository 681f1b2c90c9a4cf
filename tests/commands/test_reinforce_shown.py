"""What a person reads after a reinforcement."""

from typing import Any

import pytest

from tastemaker.commands.reinforce_shown import show_reinforcement

RESULTS: dict[str, Any] = {
    "model": {"name": "tiny"},
    "signal": "ttrl",
    "prompts": {"count": 1},
    "kept": "no",
    "why": "It fell.",
    "warnings": ["Mind [bold]this[/bold]."],
    "accuracy": {"change": {"mean": -0.25, "ci95": [-0.5, 0.0]}},
    "run": "runs/here",
}


def test_the_verdict_comes_first_and_text_stays_as_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_reinforcement(RESULTS)
    out = capsys.readouterr().out
    assert out.startswith("tiny learned from 1 prompt by ttrl: not kept")
    for told in ("Mind [bold]this[/bold].", "-0.250", "-0.500 to +0.000", "It fell.", "runs/here"):
        assert told in out, told


def test_another_process_has_nothing_to_show(capsys: pytest.CaptureFixture[str]) -> None:
    show_reinforcement({"run": "runs/here"})
    assert capsys.readouterr().out == ""
