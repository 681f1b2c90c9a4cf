"""From names to results, within what was agreed to be spent."""

from dataclasses import replace
from pathlib import Path

import pytest

from tastemaker.errors import BadInput
from tastemaker.models.generate import Scripted
from tastemaker.run.benchmark import Spending, benchmark
from tastemaker.train.stopping import listening
from tastemaker.understand import contestants, gistbench_folder, samples
from tastemaker.understand.contestants import Contest, Entrant
from tests.understand.gist_tasks import OPTIONS, TASK, Interrupted, speaks

RESUMED = replace(OPTIONS, resume=True)
MINE = Contest(Entrant("mine", max_tokens=100))


def test_a_run_is_scored_in_a_folder_named_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    caplog.set_level("INFO", "tastemaker")
    results = benchmark(TASK, Contest(Entrant("oracle"), Entrant("truth")), OPTIONS)
    assert results["folder"] == "runs/gistbench-planted-oracle"
    assert results["scores"]["hm"]["mean"] == 1
    assert results["estimate"]["requests"] == 0
    assert caplog.messages[-1] == "6 of 6 users"


def test_more_than_was_agreed_to_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Scripted(speaks)
    monkeypatch.setattr(contestants, "opened", lambda name, url, calling: model)
    with pytest.raises(BadInput, match="--yes"):
        benchmark(TASK, MINE, OPTIONS, str(tmp_path / "mine"), Spending(1_000))
    assert model.asked == []
    assert not (tmp_path / "mine").exists()
    results = benchmark(TASK, MINE, OPTIONS, str(tmp_path / "mine"), Spending(1_000, yes=True))
    spent = results["tokens"]["model"]
    assert 1_000 < spent["prompts"] <= results["estimate"]["prompt_tokens"]


def test_an_interrupted_run_goes_on_and_a_finished_one_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Interrupted(3)
    monkeypatch.setattr(contestants, "opened", lambda name, url, calling: model)
    with listening(), pytest.raises(KeyboardInterrupt):
        benchmark(TASK, MINE, OPTIONS, str(tmp_path))
    assert len(samples.read(tmp_path)) == 2
    assert (tmp_path / gistbench_folder.REPLIES).exists()
    assert benchmark(TASK, MINE, RESUMED, str(tmp_path))["users"]["scored"] == 6
    again = benchmark(TASK, MINE, RESUMED, str(tmp_path), Spending(1))
    assert again["estimate"]["requests"] == 0
    assert len(model.asked) == 6
