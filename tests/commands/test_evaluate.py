"""What `evaluate` shows."""

import json
from pathlib import Path

import pytest

from tastemaker.cli import main
from tastemaker.commands.evaluate import show_evaluation
from tastemaker.serve.events import Event
from tastemaker.serve.experiments import Experiment
from tastemaker.serve.exposure_rows import Exposure, write_exposures
from tastemaker.serve.store import Store


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


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A store with an experiment in which half of an arm's users chose something."""
    path, split = tmp_path / "kept.sqlite", Experiment.parse("new=blend,sasrec")
    with Store.open(path) as store:
        users = [(f"u{n}", split.assigned(f"u{n}").arm) for n in range(100)]
        answers = [Exposure(user, arm, True, arm, "v", 5_000_000, ["i1"]) for user, arm in users]
        write_exposures(store.database, split, answers)
        chose = [user for user, arm in users if arm == "blend" or hash_even(user)]
        store.append([Event(f"e {user}", user, "i1", 6) for user in chose])
    return path


def hash_even(user: str) -> bool:
    return int(user[1:]) % 2 == 0


def test_an_experiment_is_evaluated(
    kept: Path, finished_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", str(finished_run), "--experiment", "new", "--database", str(kept)]
    assert main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["window"] == "7 days" and told["differences"][0]["verdict"] == "worse"
    assert main([*words, "--window", "1s"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "within 1 second" in out and "sasrec against blend: worse" in out


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (["--experiment", "other", "--database", "KEPT"], 2),
        (["--experiment", "new"], 2),  # the run has no store beside it
        (["--experiment", "new", "--database", "missing.sqlite"], 2),
        (["--experiment", "new", "--database", "KEPT", "--window", "soon"], 2),
        (["--experiment", "new", "--cost"], 2),
        (["--experiment", "new", "--against", "x"], 2),
        (["--database", "KEPT"], 2),
        (["--window", "7d"], 2),
    ],
)
def test_an_experiment_that_cannot_be_evaluated_is_refused(
    kept: Path,
    finished_run: Path,
    more: list[str],
    code: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = [str(kept) if word == "KEPT" else word for word in more]
    assert main(["evaluate", str(finished_run), *words, "--json"]) == code
    fault = json.loads(capsys.readouterr().out)
    assert fault["error"] if "error" in fault else fault["what"]
    if "other" in more:
        assert "new" in json.dumps(fault)
