"""What is shown: unknown numbers as a dash, failures and expenses where there are any."""

from typing import Any

import pytest

from tastemaker.commands.gistbench_shown import show_leaderboard, show_results

CELL = {"mean": 0.5, "ci95": [0.25, 0.75]}
SPENT = {"requests": 3, "prompts": 1_000, "replies": 200, "cut": 0}
NONE = {"requests": 0, "prompts": 0, "replies": 0, "cut": 0}


def results(**other: Any) -> dict[str, Any]:
    return {
        "model": {"name": "mine\x1b[31m"},
        "task": {"name": "films"},
        "judge": None,
        "mode": "strict",
        "users": {"scored": 2, "silent": 1, "excluded": ["u7"]},
        "scores": {"hm": None, "ig_f1": None, "ig_p": CELL, "ig_r": None, "is": None},
        "evidence": {"validity": CELL, "compliance": None},
        "counting": {"implicit_positive": {"error": CELL}},
        "failures": {"users": 1, "nameless": 0, "users_in_part": 2},
        "tokens": {"model": SPENT, "judge": NONE},
        "seconds": {"model": 12.0, "judge": 0.0},
        "cost": {"model": 0.25, "judge": 0.0},
        "folder": "runs/mine",
        **other,
    }


def test_results_in_lines(capsys: pytest.CaptureFixture[str]) -> None:
    show_results(results())
    out = capsys.readouterr().out
    for told in ("2 users, judged by nobody", "Nothing was written of 1 user",
                 "does not know them: 1 user", "0.250 to 0.750",
                 "counting error, implicit positive", "users 1, users in part 2",
                 "model: 3 replies, 1,200 tokens, 12 s, cost 0.25"):  # fmt: skip
        assert told in out, told
    assert "nameless" not in out
    assert "judge: " not in out
    assert "\x1b[31m" not in out
    assert any(line.split() == ["HM", "–"] for line in out.splitlines())


def test_results_of_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    show_results(results(evidence=None, counting={}, failures={}))
    assert "Failed" not in capsys.readouterr().out


def test_rankings_one_after_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    numbers = {"hm": CELL, "ig_f1": CELL, "ig_p": CELL, "ig_r": None, "is": CELL}
    pair = {"a": "b", "difference": -0.1, "ci95": [-0.2, 0.05], "p": 0.04}
    ranking = {"task": {"name": "films"}, "mode": "strict", "judge": {"name": "truth"}, "users": 3,
               "models": {"a": numbers, "b": numbers}, "comparisons": [pair]}  # fmt: skip
    show_leaderboard({"rankings": [ranking, ranking]})
    out = capsys.readouterr().out
    assert out.count("films, strict mode, judged by truth, 3 users") == 2
    assert "-0.100 [-0.200, +0.050]" in out
