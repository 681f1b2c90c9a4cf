"""What `evaluate` shows."""

import pytest

from tastemaker.commands.evaluate import show_evaluation


def test_a_comparison_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    found = {"a": "x", "b": "y", "metric": "hr@10", "users": 1234, "difference": 0.01, "p": 0.02,
             "ci95": [0.001, 0.02], "better": 0.2, "equal": 0.7, "worse": 0.1}  # fmt: skip
    show_evaluation({"comparison": found})
    out = " ".join(capsys.readouterr().out.split())
    assert "+0.0100 [+0.0010, +0.0200]" in out
    assert "1,234 users" in out


def test_metrics_without_interval_or_value(capsys: pytest.CaptureFixture[str]) -> None:
    models = {"a": {"ndcg@10": {"mean": 0.25, "ci95": None}}}
    show_evaluation({"models": models, "best": "a", "why": "Only one.", "warnings": ["Careful."]})
    out = capsys.readouterr().out
    assert "0.2500" in out
    assert "–" in out
    assert "! Careful." in out
