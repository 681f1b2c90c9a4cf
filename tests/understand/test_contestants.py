"""Names stand for whoever writes and judges, and nobody judges what they wrote."""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tastemaker.errors import BadInput
from tastemaker.models.generate import Scripted
from tastemaker.understand import contestants
from tastemaker.understand.asked import Judge, Understands
from tastemaker.understand.baselines import BASELINES, Baseline
from tastemaker.understand.contestants import Contest, Entrant
from tastemaker.understand.extract import LanguageModel
from tastemaker.understand.language_judge import LanguageJudge
from tastemaker.understand.planted_judge import PlantedJudge
from tastemaker.understand.simulated import SIMULATED, Simulated
from tests.understand.gist_tasks import OPTIONS, TASK, speaks

REAL = replace(TASK, planted=None)


@pytest.fixture(autouse=True)
def speaking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        contestants, "opened", lambda name, url, calling: Scripted(speaks, identity=name)
    )


def opened(contest: Contest, folder: Path, task: object = TASK) -> tuple[Understands, Judge | None]:
    with ExitStack() as stack:
        return contest.open(task, OPTIONS, folder / "replies.sqlite", stack)  # type: ignore[arg-type]


def test_names_are_baselines_simulated_models_the_truth_or_language_models(tmp_path: Path) -> None:
    for name in BASELINES:
        assert isinstance(opened(Contest(Entrant(name)), tmp_path, REAL)[0], Baseline)
    for name in SIMULATED:
        contest = Contest(Entrant(name.replace(" ", "-")), Entrant("truth"))
        model, judge = opened(contest, tmp_path)
        assert isinstance(model, Simulated)
        assert isinstance(judge, PlantedJudge)
        assert contest.speaking == (False, False)
    assert not list(tmp_path.iterdir())
    contest = Contest(Entrant("some/folder"), Entrant("other"))
    model, judge = opened(contest, tmp_path, REAL)
    assert isinstance(model, LanguageModel)
    assert isinstance(judge, LanguageJudge)
    assert contest.speaking == (True, True)
    assert isinstance(opened(Contest(Entrant("echo", url="http://x")), tmp_path)[0], LanguageModel)


def test_how_a_language_model_is_asked_changes_its_identity(tmp_path: Path) -> None:
    plain = Entrant("mine")
    entrants = [plain, replace(plain, thresholds=False), replace(plain, max_tokens=100),
                replace(plain, shaped="yes")]  # fmt: skip
    made = {opened(Contest(one), tmp_path)[0].identity for one in entrants}
    assert len(made) == len(entrants)
    judges = [opened(Contest(Entrant("echo"), one), tmp_path)[1] for one in
              (plain, replace(plain, repeats=3))]  # fmt: skip
    assert len({judge.identity for judge in judges if judge}) == 2


def test_a_folder_is_called_by_its_own_name(tmp_path: Path) -> None:
    folder = tmp_path / "llama"
    folder.mkdir()
    assert opened(Contest(Entrant(f"{folder}/")), tmp_path)[0].name == "llama"
    assert Entrant(str(folder), url="http://x").title == str(folder)


def test_replies_of_packaged_models_are_json_by_construction() -> None:
    assert Entrant("smollm2").constrained
    assert not Entrant("smollm2", url="http://x").constrained
    assert not Entrant("smollm2", shaped="no").constrained
    assert Entrant("mine", shaped="yes").constrained


@pytest.mark.parametrize(
    ("contest", "told"),
    [
        (Contest(Entrant("oracle")), "planted"),
        (Contest(Entrant("echo"), Entrant("truth")), "planted"),
        (Contest(Entrant("echo"), Entrant("counting")), "judges nobody"),
        (Contest(Entrant("mine"), Entrant("mine")), "itself"),
        (Contest(Entrant("mine"), Entrant("mine", max_tokens=9)), "itself"),
    ],
)
def test_who_cannot_take_part_is_refused(tmp_path: Path, contest: Contest, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        opened(contest, tmp_path, REAL)


def test_a_model_may_judge_itself_where_that_is_allowed(tmp_path: Path) -> None:
    contest = Contest(Entrant("mine"), Entrant("mine"), allow_self_judge=True)
    assert opened(contest, tmp_path, REAL)[1] is not None
