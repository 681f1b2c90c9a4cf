"""What `tune` shows."""

from pathlib import Path

import pytest

from tastemaker.cli import main
from tastemaker.run import tune
from tests.run.test_tune import SMALL


def test_the_command_shows_trials_and_settings(
    small_data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(tune, "SPACE", SMALL)
    words = ["tune", "sasrec", "--trials", "2", "--epochs", "1", "--data", str(small_data)]
    assert main([*words, "--out", str(tmp_path / "found")]) == 0
    shown = capsys.readouterr().out
    assert "NDCG@10 on validation" in shown
    assert "co-occurrence" in shown
    assert "trials.jsonl" in shown
